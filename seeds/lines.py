"""The lines of a plan: which source gets how many baits, by which carrier, on which lane."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seeds.carriers import get_carrier, load_carriers
from seeds.errors import BadPlan, SeedError
from seeds.places import Address, load_places
from seeds.recipes import Recipe
from seeds.shapes import SHAPES

# Where parcels go from anywhere: the busiest receiving cities, the busiest named twice.
_DESTINATIONS = (
    "3101", "4401", "4403", "1101", "3301", "5101", "5001", "4201", "3205", "3201", "4101", "6101",
    "4301", "3702", "3701", "3302", "3502", "3501", "3401", "2101", "1201", "4419", "4406", "3202",
)  # fmt: skip
_COLLECTING = frozenset({"platform", "merchant", "partner_api", "printing", "account", "pickup"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSource:
    """What the plan needs to know of a source; `kind` and `stage` are the application's words."""

    code: str
    kind: str = "outlet"
    region: str
    carriers: tuple[str, ...] = ()
    daily_parcels: int = 0
    stage: str = ""
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """So many baits for one source; `row` is where an operator's file says so.

    `origin` and `destination` are prefixes of division codes and default to the source's own
    lanes; `goods` is a word that marks the source, `drop` the team's own address for it.
    """

    source: PlanSource
    count: int
    carrier: str | None = None
    origin: str | None = None
    destination: str | None = None
    goods: str | None = None
    drop: Address | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class PlacedRecipes(Iterable[Recipe]):
    """The recipes to place, one bait each, in the order of the lines."""

    lines: tuple[PlanLine, ...]
    days: int

    def __len__(self) -> int:
        return sum(line.count for line in self.lines)

    def __iter__(self) -> Iterator[Recipe]:
        for position, line in enumerate(self.lines):
            for turn in range(line.count):
                yield self.make(position, turn)

    def make(self, position: int, turn: int) -> Recipe:
        """Return the recipe of a line's bait."""
        line = self.lines[position]
        carriers = list_carriers(line)
        region, destination = choose_lane(line, position + turn)
        return Recipe(
            source=line.source.code,
            carrier=carriers[turn % len(carriers)],
            region=region,
            destination=destination,
            day=turn * self.days // line.count,
            goods=line.goods,
            drop=line.drop,
        )


@dataclass(frozen=True, slots=True)
class ControlRecipes(Iterable[Recipe]):
    """Recipes to keep at home, which look like the batch: every so-manieth again, for nobody."""

    placed: PlacedRecipes
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Recipe]:
        total, made, start = len(self.placed), 0, 0
        for position, line in enumerate(self.placed.lines):
            while made < self.count and made * total // self.count < start + line.count:
                yield _as_control(self.placed.make(position, made * total // self.count - start))
                made += 1
            start += line.count


def list_flaws(lines: Iterable[PlanLine]) -> list[SeedError]:
    """Return what is wrong with each line, with its row and field."""
    flaws: list[SeedError] = []
    for line in lines:
        try:
            _check_line(line)
        except SeedError as error:
            error.row = error.row or line.row
            flaws.append(error)
    return flaws


def _check_line(line: PlanLine) -> None:
    if line.count < 1:
        raise BadPlan(
            f"{line.count} baits for source {line.source.code}",
            mend="give at least 1, or leave the source out",
            field="count",
        )
    _check_source(line.source)
    for name, code in (("origin", line.origin), ("destination", line.destination)):
        if code is not None and not load_places().has_region(code):
            raise BadPlan(
                f"no district has a code beginning with {code[:20]!r}",
                mend="use a division code of 2023, such as 330200 for Ningbo",
                field=name,
            )
    for code in list_carriers(line):
        _check_drawable(code)
        if line.origin or line.destination:
            _check_served(code)


def _check_source(source: PlanSource) -> None:
    if not source.region:
        raise BadPlan(
            f"source {source.code} has no region",
            mend="give its division code, such as 330200",
            field="region",
        )
    if not load_places().has_region(source.region):
        raise BadPlan(
            f"no district has a code beginning with {source.region} (source {source.code})",
            mend="use a division code of 2023, such as 330200 for Ningbo",
            field="region",
        )


def _check_drawable(carrier: str) -> None:
    if not any(form.code in SHAPES for form in get_carrier(carrier).formats):
        raise BadPlan(
            f"{carrier} issues no numbers today",
            mend="choose a carrier that `canary carriers list` shows as current",
            field="carrier",
        )


def _check_served(carrier: str) -> None:
    if not get_carrier(carrier).is_domestic:
        domestic = ", ".join(
            code
            for code, known in load_carriers().items()
            if known.is_domestic and known.is_current
        )
        raise BadPlan(
            f"{carrier} serves no lane inside China",
            mend=f"leave origin and destination empty, or use one of {domestic}",
            field="carrier",
        )


def list_carriers(line: PlanLine) -> tuple[str, ...]:
    """Return the carriers a line's baits take in turn. Raises BadPlan."""
    source = line.source
    if line.carrier is not None:
        if source.carriers and line.carrier not in source.carriers:
            raise BadPlan(
                f"source {source.code} does not work with {line.carrier}",
                mend=f"use one of {', '.join(source.carriers)}",
                field="carrier",
            )
        return (line.carrier,)
    if not source.carriers:
        raise BadPlan(
            f"source {source.code} names no carrier",
            mend="give its carriers, or choose one for the batch",
            field="carriers",
        )
    return source.carriers


def choose_lane(line: PlanLine, turn: int) -> tuple[str, str | None]:
    """Return where a parcel starts and, when it leaves that region, where it goes.

    Those who collect send from their region; those who deliver receive in it, turn about.
    """
    source = line.source
    region = line.origin or source.region
    if line.destination:
        return region, line.destination
    collects = source.kind in _COLLECTING or (source.kind != "outlet" and turn % 2 == 0)
    if not collects:
        return region, source.region if line.origin else None
    destination = _DESTINATIONS[turn % len(_DESTINATIONS)]
    if region.startswith(destination):
        destination = _DESTINATIONS[(turn + 1) % len(_DESTINATIONS)]
    return region, destination


def _as_control(recipe: Recipe) -> Recipe:
    return Recipe(
        source=None,
        carrier=recipe.carrier,
        region=recipe.region,
        destination=recipe.destination,
        phone=False,
        day=recipe.day,
    )
