"""Recipe to waybills, as a stream: memory does not grow with the batch."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from seeds.draws import Draws, RandomSource, Seen
from seeds.errors import CapacityShort
from seeds.goods import GoodsBook, load_goods
from seeds.numbers import NumberMint
from seeds.people import draw_name, load_names, mask_name
from seeds.places import Address, PlaceBook, load_places
from seeds.ranges import NumberRanges
from seeds.recipes import Recipe
from seeds.waybills import Waybill

_TRIES = 500
_TRIES_FOR_OWN_SURNAME = 12


class Taken(Protocol):
    """What is in use already. Answers may be asked a few times for each waybill."""

    def is_number_taken(self, number: str) -> bool: ...

    def is_name_taken(self, name: str, city: str) -> bool:
        """Tell whether the name is in use anywhere, or its masked form in this city."""


class NothingTaken(Taken):
    """An empty register."""

    def is_number_taken(self, number: str) -> bool:  # noqa: ARG002 - the port names it
        return False

    def is_name_taken(self, name: str, city: str) -> bool:  # noqa: ARG002 - the port names it
        return False


class TakenValues(Taken):
    """A register in memory."""

    def __init__(self, numbers: Iterable[str] = (), names: Iterable[tuple[str, str]] = ()) -> None:
        known = list(names)
        self._numbers = frozenset(numbers)
        self._names = frozenset(name for name, _ in known)
        self._masked = frozenset((mask_name(name, keep_last=True), city) for name, city in known)

    def is_number_taken(self, number: str) -> bool:
        return number in self._numbers

    def is_name_taken(self, name: str, city: str) -> bool:
        return name in self._names or (mask_name(name, keep_last=True), city) in self._masked


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A waybill and the recipe it was made from."""

    recipe: Recipe
    waybill: Waybill


def make_waybills(
    recipes: Iterable[Recipe],
    *,
    taken: Taken,
    phones: Iterable[str],
    random: RandomSource,
    never: NumberRanges | None = None,
    forbidden: Container[str] = frozenset(),
    numbers: Iterator[str] | None = None,
) -> Iterator[Made]:
    """Make the waybills of each recipe in turn.

    `phones` is used up from the front, one for each waybill that asks for one; when it ends, the
    rest have none. `numbers` are reserved or voided numbers, used in place of invented ones.
    Raises CapacityShort, PoolEmpty, BadPlan, UnknownCarrier at the waybill that cannot be made.
    """
    maker = _Maker(taken=taken, random=random, never=never, forbidden=forbidden, numbers=numbers)
    rest = iter(phones)
    for recipe in recipes:
        for _ in range(recipe.count):
            phone = next(rest, None) if recipe.phone and not recipe.is_control else None
            yield Made(recipe=recipe, waybill=maker.make(recipe, phone))


class _Maker:
    """What one batch needs at hand."""

    def __init__(
        self,
        *,
        taken: Taken,
        random: RandomSource,
        never: NumberRanges | None,
        forbidden: Container[str],
        numbers: Iterator[str] | None,
    ) -> None:
        self._draws = Draws(random)
        self._taken = taken
        self._never = never
        self._forbidden = forbidden
        self._given_numbers = numbers
        self._places: PlaceBook = load_places()
        self._goods: GoodsBook = load_goods(random)
        self._mints: dict[str, Iterator[str]] = {}
        self._numbers = Seen()
        self._names = Seen()
        self._surnames: dict[str, set[str]] = {}

    def make(self, recipe: Recipe, phone: str | None) -> Waybill:
        address, origin = self._draw_lane(recipe)
        parcel = self._goods.draw_parcel(origin, self._draws)
        return Waybill(
            number=self._draw_number(recipe.carrier),
            carrier=recipe.carrier,
            name=self._draw_name(address.city),
            phone=phone,
            province=address.province,
            city=address.city,
            district=address.district,
            detail=address.detail,
            goods=recipe.goods or parcel.goods,
            weight_g=parcel.weight_g,
            origin=origin,
            destination=address.code,
            sender_name=parcel.sender_name,
        )

    def _draw_lane(self, recipe: Recipe) -> tuple[Address, str]:
        """Return where the parcel goes, and the code it starts from."""
        start = recipe.region if recipe.destination else self._goods.draw_origin(self._draws)
        origin = self._places.draw_district(start, self._draws).code
        if recipe.drop is not None:
            return recipe.drop, origin
        return self._places.draw_address(recipe.destination or recipe.region, self._draws), origin

    def _draw_number(self, carrier: str) -> str:
        mint = self._given_numbers or self._mints.get(carrier)
        if mint is None:
            mint = self._mints[carrier] = NumberMint(carrier, self._draws, never=self._never)
        for _ in range(_TRIES):
            number = next(mint)
            if self._numbers.is_new(number) and not self._taken.is_number_taken(number):
                return number
        raise CapacityShort(
            f"{_TRIES} numbers of {carrier} in a row were in use",
            mend="use another carrier, or retire baits",
        )

    def _draw_name(self, city: str) -> str:
        """Draw a name new here, under its mask too; with a surname new to the city if it can be."""
        surnames = self._surnames.setdefault(city, set())
        for tried in range(_TRIES):
            name = draw_name(self._draws)
            if name[0] in surnames and tried < _TRIES_FOR_OWN_SURNAME:
                continue
            if self._is_name_new(name, city):
                surnames.add(name[0])
                return name
        raise CapacityShort(
            f"names in {city} are no longer distinct under their masks "
            f"(about {_mask_capacity()} are possible in a city)",
            mend="spread the baits over more cities, or retire some",
        )

    def _is_name_new(self, name: str, city: str) -> bool:
        masked = mask_name(name, keep_last=True)
        return (
            name not in self._forbidden
            and self._names.is_new(name)
            and self._names.is_new(masked + city)
            and not self._taken.is_name_taken(name, city)
        )


def _mask_capacity() -> int:
    table = load_names()
    return len(table.surnames) * len(set(table.male) | set(table.female))
