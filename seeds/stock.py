"""What is at hand before a batch, and what will run short."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seeds.carriers import get_carrier
from seeds.lines import ControlRecipes, PlacedRecipes, choose_lane, list_carriers
from seeds.places import load_places


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What is at hand before a batch: phones, names and numbers still free.

    `phones` may be given out; `fresh_phones` of them look like no other under a mask and no bait
    bears them. `names_left` is how many names a city (division code of four digits) still holds
    that differ under a mask, for cities that hold baits; `numbers_left` how many reserved numbers
    a carrier has.
    """

    phones: int | None = None
    fresh_phones: int | None = None
    names_per_city: int = 0
    names_left: Mapping[str, int] = field(default_factory=dict)
    numbers_left: Mapping[str, int] | None = None


def list_warnings(placed: PlacedRecipes, home: ControlRecipes, stock: Stock) -> list[str]:
    """Say what the operator should know before making a batch."""
    return [
        *_warn_of_names(placed, stock),
        *_warn_of_numbers(placed, home, stock),
        *_warn_of_phones(placed, stock),
        *_warn_of_lanes(placed),
        *_warn_of_layers(placed),
    ]


def _warn_of_names(placed: PlacedRecipes, stock: Stock) -> list[str]:
    """Name the regions where this batch takes more than half of the names that are left."""
    if not stock.names_per_city:
        return []
    wanted = Counter(_list_ends(placed))
    taken = {city: stock.names_per_city - left for city, left in stock.names_left.items()}
    warnings = []
    for region, count in sorted(wanted.items()):
        left = _count_names_left(region, stock.names_per_city, taken)
        if count > left / 2:
            warnings.append(
                f"{count} names are wanted in region {region}, where {left} are left "
                "that differ under a mask"
            )
    return warnings


def _list_ends(placed: PlacedRecipes) -> Iterator[str]:
    """Tell where each bait's parcel is delivered."""
    for position, line in enumerate(placed.lines):
        for turn in range(line.count):
            region, destination = choose_lane(line, position + turn)
            yield line.drop.code[:4] if line.drop else destination or region


def _count_names_left(region: str, per_city: int, taken: Mapping[str, int]) -> int:
    cities = {street.code[:4] for street, _ in load_places().get_streets(region)}
    return max(0, sum(per_city - taken.get(city, 0) for city in cities))


def _warn_of_numbers(placed: PlacedRecipes, home: ControlRecipes, stock: Stock) -> list[str]:
    """Tell when the reserved numbers do not last for this batch and another one like it."""
    if stock.numbers_left is None:
        return []
    wanted = Counter(recipe.carrier for recipe in home)
    for line in placed.lines:
        carriers = list_carriers(line)
        for place, code in enumerate(carriers):
            wanted[code] += (line.count - place - 1) // len(carriers) + 1
    short = [(code, n, stock.numbers_left.get(code, 0)) for code, n in sorted(wanted.items())]
    return [
        f"{count} reserved numbers of {code} are wanted, {left} are left"
        for code, count, left in short
        if left < 2 * count
    ]


def _warn_of_phones(placed: PlacedRecipes, stock: Stock) -> list[str]:
    wanted, phones = len(placed), stock.phones
    if phones is None:
        return []
    if phones == 0:
        return [f"the phone pool is empty: {wanted} baits get no phone and catch no message"]
    if phones < wanted:
        return [f"{wanted} baits share {phones} phones: sources get sets of phones by a code"]
    fresh = stock.fresh_phones if stock.fresh_phones is not None else phones
    if fresh < 2 * wanted:
        differ = "that no bait bears and that differ under a mask (first three, last four)"
        return [f"{wanted} phones are wanted, {fresh} are left {differ}"]
    return []


def _warn_of_lanes(placed: PlacedRecipes) -> list[str]:
    """Name carriers whose parcels, if real, would come from abroad."""
    codes = {code for line in placed.lines for code in list_carriers(line)}
    return [
        f"{code} serves no lane inside China: its baits stand out unless the source handles "
        "parcels from abroad"
        for code in sorted(codes)
        if not get_carrier(code).is_domestic
    ]


def _warn_of_layers(placed: PlacedRecipes) -> list[str]:
    """Name parents that are not in the batch: their leaks would look like their children's."""
    present = {line.source.code for line in placed.lines}
    missing = {line.source.parent for line in placed.lines if line.source.parent} - present
    return [
        f"{parent} can query sources of this batch but gets no bait of its own: "
        "its leak could not be told from theirs"
        for parent in sorted(missing)
    ]
