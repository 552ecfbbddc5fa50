"""The plan: how many baits each source gets, by which carrier, on which lane and day."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from seeds.carriers import get_carrier
from seeds.errors import BadPlan
from seeds.people import load_names
from seeds.places import load_places
from seeds.recipes import Recipe
from seeds.shapes import SHAPES

MIN_CONTROL_SHARE = 0.05
_MIN_CONTROLS = 2
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
class Plan:
    """Recipes to place, recipes to keep at home, and what the operator should know first."""

    recipes: tuple[Recipe, ...]
    controls: tuple[Recipe, ...]
    warnings: tuple[str, ...]

    @property
    def all_recipes(self) -> tuple[Recipe, ...]:
        """Placed and control recipes, in the order they are made."""
        return self.recipes + self.controls

    @property
    def total(self) -> int:
        """How many waybills the plan makes."""
        return sum(recipe.count for recipe in self.all_recipes)


def plan_batch(
    sources: Sequence[PlanSource],
    *,
    per_source: int,
    controls: float = MIN_CONTROL_SHARE,
    carrier: str | None = None,
    days: int = 1,
    counts: Mapping[str, int] | None = None,
    phones: int | None = None,
) -> Plan:
    """Plan a batch: `per_source` baits each (or `counts` by code), spread over `days`.

    `phones` is how many owned phones are at hand; None leaves the question out.
    Raises BadPlan, UnknownCarrier.
    """
    _check_input(sources, per_source, controls, days)
    if carrier is not None:
        _check_drawable(carrier)
    wanted = counts or {}
    recipes = tuple(
        recipe
        for position, source in enumerate(sources)
        for recipe in _plan_source(
            source, wanted.get(source.code, per_source), carrier, days, position
        )
    )
    home = _plan_controls(recipes, controls)
    return Plan(
        recipes=recipes, controls=home, warnings=tuple(_list_warnings(sources, recipes, phones))
    )


def count_controls(baits: int, share: float) -> int:
    """Return how many controls make up `share` of a batch with so many placed baits."""
    return max(_MIN_CONTROLS, ceil(round(share * baits / (1 - share), 9)))


def _check_input(
    sources: Sequence[PlanSource], per_source: int, controls: float, days: int
) -> None:
    if not sources:
        raise BadPlan("there are no sources", mend="import sources first", field="source")
    if per_source < 1:
        raise BadPlan(f"{per_source} baits per source", mend="give at least 1", field="per_source")
    if days < 1:
        raise BadPlan(f"{days} days", mend="give at least 1", field="days")
    if not MIN_CONTROL_SHARE <= controls <= 0.5:
        raise BadPlan(
            f"a control share of {controls:g}",
            mend=f"give {MIN_CONTROL_SHARE:g} to 0.5, so that coincidence can be measured",
            field="controls",
        )
    for source in sources:
        _check_source(source)


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


def _plan_source(
    source: PlanSource, count: int, carrier: str | None, days: int, position: int
) -> list[Recipe]:
    if count < 1:
        raise BadPlan(
            f"{count} baits for source {source.code}",
            mend="give at least 1, or leave the source out",
            field="count",
        )
    carriers = _list_carriers(source, carrier)
    return [
        Recipe(
            source=source.code,
            carrier=carriers[turn % len(carriers)],
            region=source.region,
            destination=_choose_destination(source, position + turn),
            day=turn * days // count,
        )
        for turn in range(count)
    ]


def _list_carriers(source: PlanSource, carrier: str | None) -> tuple[str, ...]:
    if carrier is not None:
        if source.carriers and carrier not in source.carriers:
            raise BadPlan(
                f"source {source.code} does not work with {carrier}",
                mend=f"use one of {', '.join(source.carriers)}",
                field="carrier",
            )
        return (carrier,)
    if not source.carriers:
        raise BadPlan(
            f"source {source.code} names no carrier",
            mend="give its carriers, or choose one for the batch",
            field="carriers",
        )
    for code in source.carriers:
        _check_drawable(code)
    return source.carriers


def _choose_destination(source: PlanSource, turn: int) -> str | None:
    """Send from those who collect; deliver inside the region of those who deliver, turn about."""
    collects = source.kind in _COLLECTING or (source.kind != "outlet" and turn % 2 == 0)
    if not collects:
        return None
    destination = _DESTINATIONS[turn % len(_DESTINATIONS)]
    if source.region.startswith(destination):
        destination = _DESTINATIONS[(turn + 1) % len(_DESTINATIONS)]
    return destination


def _plan_controls(recipes: Sequence[Recipe], share: float) -> tuple[Recipe, ...]:
    """Make controls look like the batch: every so-manieth recipe again, for nobody."""
    count = count_controls(sum(recipe.count for recipe in recipes), share)
    step = len(recipes) / count
    return tuple(_as_control(recipes[int(i * step) % len(recipes)]) for i in range(count))


def _as_control(recipe: Recipe) -> Recipe:
    return Recipe(
        source=None,
        carrier=recipe.carrier,
        region=recipe.region,
        destination=recipe.destination,
        phone=False,
        day=recipe.day,
    )


def _list_warnings(
    sources: Sequence[PlanSource], recipes: Sequence[Recipe], phones: int | None
) -> list[str]:
    return [
        *_warn_of_names(recipes),
        *_warn_of_phones(recipes, phones),
        *_warn_of_layers(sources),
    ]


def _warn_of_names(recipes: Sequence[Recipe]) -> list[str]:
    places = load_places()
    wanted = Counter[str]()
    for recipe in recipes:
        wanted[recipe.destination or recipe.region] += recipe.count
    surnames = len(load_names().surnames)
    return [
        f"{count} names are wanted in region {region}, where masks that leave only the surname "
        f"keep {capacity} apart; further ones stay distinct by their last character"
        for region, count in sorted(wanted.items())
        if count > (capacity := surnames * max(1, len(places.list_cities(region))))
    ]


def _warn_of_phones(recipes: Sequence[Recipe], phones: int | None) -> list[str]:
    if phones is None:
        return []
    wanted = sum(recipe.count for recipe in recipes if recipe.phone)
    if phones == 0:
        return [f"the phone pool is empty: {wanted} baits get no phone and catch no message"]
    if phones < wanted:
        return [f"{wanted} baits share {phones} phones: sources get sets of phones by a code"]
    return []


def _warn_of_layers(sources: Sequence[PlanSource]) -> list[str]:
    """Name parents that are not in the batch: their leaks would look like their children's."""
    present = {source.code for source in sources}
    missing = {source.parent for source in sources if source.parent} - present
    return [
        f"{parent} can query sources of this batch but gets no bait of its own: "
        "its leak could not be told from theirs"
        for parent in sorted(missing)
    ]
