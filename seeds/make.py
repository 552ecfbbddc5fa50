"""Recipe to waybills, as a stream: memory does not grow with the batch."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, repeat
from typing import NamedTuple, Protocol, TypeVar

from seeds.draws import Draws, RandomSource, Seen
from seeds.errors import CapacityShort
from seeds.goods import GoodsBook, load_goods
from seeds.hours import draw_minutes
from seeds.numbers import NumberMint
from seeds.people import RARE_ONE_IN, NameStyle, draw_names, load_names, mask_name
from seeds.places import Address, PlaceBook, draw_details, load_places
from seeds.ranges import NumberRanges
from seeds.recipes import Recipe
from seeds.waybills import Waybill

T = TypeVar("T")

_BLOCK = 1024
_TRIES = 500


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


class Made(NamedTuple):
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
    numbers: Mapping[str, Iterator[str]] | None = None,
    names: NameStyle = NameStyle.BLENDED,
) -> Iterator[Made]:
    """Make the waybills of each recipe in turn, in blocks of about a thousand.

    `phones` is used up from the front, one for each waybill that asks for one; when it ends, the
    rest have none. `numbers` are a carrier's reserved or voided numbers, used in place of invented
    ones.
    Raises CapacityShort, PoolEmpty, BadPlan, UnknownCarrier at the block that cannot be made.
    """
    maker = _Maker(
        taken=taken,
        random=random,
        never=never,
        forbidden=forbidden,
        numbers=numbers,
        names=names,
    )
    rest = iter(phones)
    for block in _cut_blocks(recipes):
        held = [
            next(rest, None) if recipe.phone and not recipe.is_control else None for recipe in block
        ]
        yield from map(Made, block, maker.make(block, held))


def _cut_blocks(recipes: Iterable[Recipe]) -> Iterator[list[Recipe]]:
    """Cut the recipes, each as often as its count says, into blocks."""
    single = chain.from_iterable(repeat(recipe, recipe.count) for recipe in recipes)
    while block := list(islice(single, _BLOCK)):
        yield block


class _Maker:
    """What one batch needs at hand."""

    def __init__(
        self,
        *,
        taken: Taken,
        random: RandomSource,
        never: NumberRanges | None,
        forbidden: Container[str],
        numbers: Mapping[str, Iterator[str]] | None,
        names: NameStyle,
    ) -> None:
        self._draws = Draws(random)
        self._taken = taken
        self._never = never
        self._forbidden = forbidden
        self._given_numbers = numbers or {}
        self._places: PlaceBook = load_places()
        self._goods: GoodsBook = load_goods(random)
        self._mints: dict[str, NumberMint] = {}
        self._seen = Seen()
        self._style = names
        self._surnames: dict[str, list[str]] = {}

    def make(self, block: Sequence[Recipe], phones: Sequence[str | None]) -> Iterator[Waybill]:
        """Make one waybill for each recipe of a block."""
        origins = self._draw_origins(block)
        addresses = self._draw_addresses(block)
        rows = zip(
            block,
            phones,
            origins,
            addresses,
            self._draw_numbers([recipe.carrier for recipe in block]),
            self._draw_names([address.city for address in addresses]),
            self._goods.draw_parcels(origins, self._draws),
            draw_minutes(len(block), self._draws),
            strict=True,
        )
        for recipe, phone, origin, address, number, name, parcel, minute in rows:
            yield Waybill(
                number=number,
                carrier=recipe.carrier,
                name=name,
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
                minute=minute,
            )

    def _draw_origins(self, block: Sequence[Recipe]) -> list[str]:
        """Draw the codes parcels start from: the region if they leave it, else a trading city."""
        cities = self._goods.draw_origins(len(block), self._draws)
        starts = [
            recipe.region if recipe.destination else city
            for recipe, city in zip(block, cities, strict=True)
        ]
        return [place.code for place, _ in self._places.draw_streets(starts, self._draws)]

    def _draw_addresses(self, block: Sequence[Recipe]) -> list[Address]:
        regions = [recipe.destination or recipe.region for recipe in block]
        drawn = self._draw_new(
            regions, self._draw_places, self._keep_new_addresses, "addresses in region"
        )
        return [recipe.drop or address for recipe, (address, _) in zip(block, drawn, strict=True)]

    def _draw_places(self, regions: Sequence[str]) -> list[tuple[Address, str]]:
        """Draw addresses, each with what tells it apart: all but building and room."""
        found = self._places.draw_streets(regions, self._draws)
        details = draw_details([street for _, street in found], self._draws)
        return [
            (
                Address(at.code, at.province, at.city, at.district, road + inside),
                at.code + road,
            )
            for (at, _), (road, inside) in zip(found, details, strict=True)
        ]

    def _keep_new_addresses(
        self, _regions: Sequence[str], drawn: Sequence[tuple[Address, str]]
    ) -> list[bool]:
        return self._seen.keep_new([key for _, key in drawn])

    def _draw_numbers(self, carriers: Sequence[str]) -> list[str]:
        return self._draw_new(carriers, self._mint, self._keep_new_numbers, "numbers of")

    def _mint(self, carriers: Sequence[str]) -> list[str]:
        drawn = {code: self._draw_of(code, count) for code, count in Counter(carriers).items()}
        return [next(drawn[code]) for code in carriers]

    def _draw_of(self, carrier: str, count: int) -> Iterator[str]:
        given = self._given_numbers.get(carrier)
        return iter(self._get_mint(carrier).draw(count) if given is None else islice(given, count))

    def _get_mint(self, carrier: str) -> NumberMint:
        if carrier not in self._mints:
            self._mints[carrier] = NumberMint(carrier, self._draws, never=self._never)
        return self._mints[carrier]

    def _keep_new_numbers(self, _carriers: Sequence[str], numbers: Sequence[str]) -> list[bool]:
        is_taken = self._taken.is_number_taken
        news = self._seen.keep_new(numbers)
        return [new and not is_taken(n) for new, n in zip(news, numbers, strict=True)]

    def _draw_names(self, cities: Sequence[str]) -> list[str]:
        return self._draw_new(cities, self._name, self._keep_new_names, "names in")

    def _name(self, cities: Sequence[str]) -> list[str]:
        """Draw names; rare surnames come round in a city only after all others have."""
        if self._style is NameStyle.RARE:
            return draw_names([self._deal_surname(city) for city in cities], self._draws)
        usual = load_names().usual
        places = self._draws.column(len(cities), len(usual))
        if self._style is NameStyle.USUAL:
            return draw_names([usual[place] for place in places], self._draws)
        rare = self._draws.column(len(cities), RARE_ONE_IN)
        surnames = [
            usual[place] if turn else self._deal_surname(city)
            for place, turn, city in zip(places, rare, cities, strict=True)
        ]
        return draw_names(surnames, self._draws)

    def _deal_surname(self, city: str) -> str:
        deck = self._surnames.get(city)
        if not deck:
            deck = self._surnames[city] = self._draws.shuffled(load_names().surnames)
        return deck.pop()

    def _keep_new_names(self, cities: Sequence[str], names: Sequence[str]) -> list[bool]:
        """Tell which names are new everywhere, and new in their city under a mask."""
        is_taken, forbidden = self._taken.is_name_taken, self._forbidden
        masked = [f"{n[0]}*{n[-1]}{city}" for n, city in zip(names, cities, strict=True)]
        return [
            new and apart and name not in forbidden and not is_taken(name, city)
            for new, apart, name, city in zip(
                self._seen.keep_new(names), self._seen.keep_new(masked), names, cities, strict=True
            )
        ]

    def _draw_new(
        self,
        places: Sequence[str],
        draw: Callable[[Sequence[str]], list[T]],
        keep_new: Callable[[Sequence[str], Sequence[T]], list[bool]],
        what: str,
    ) -> list[T]:
        """Draw a value for each place, and again where it is not new. Raises CapacityShort."""
        values = draw(places)
        news = keep_new(places, values)
        left = [i for i, new in enumerate(news) if not new]
        for _ in range(_TRIES):
            if not left:
                return values
            again = [places[i] for i in left]
            drawn = draw(again)
            for i, value in zip(left, drawn, strict=True):
                values[i] = value
            news = keep_new(again, drawn)
            left = [i for i, new in zip(left, news, strict=True) if not new]
        raise CapacityShort(
            f"{what} {places[left[0]]}: none new in {_TRIES} draws, {len(left)} more were wanted",
            mend="spread the baits over more regions or carriers",
        )
