"""Goods, weight and sender that fit the place a parcel starts from."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from faker import Faker

from seeds.draws import Draws, RandomSource
from seeds.errors import CapacityShort
from seeds.tables import read_json

_STEMS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsLine:
    """One trade: what it ships, from where, how heavy, and how its senders call themselves."""

    kind: str
    goods: tuple[str, ...]
    least_g: int
    usual_g: int
    most_g: int
    home: dict[str, int]
    senders: tuple[str, ...]

    def draw_weight(self, draws: Draws) -> int:
        """Draw a weight in grams, in steps of ten, gathered below the usual weight."""
        part = draws.fraction()
        low, usual, high = self.least_g, self.usual_g, self.most_g
        if part < 0.6:
            grams = low + (usual - low) * (part / 0.6) ** 0.7
        else:
            grams = usual + (high - usual) * ((part - 0.6) / 0.4) ** 2.5
        return int(grams / 10 + 0.5) * 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is in a parcel and who sends it."""

    goods: str
    weight_g: int
    sender_name: str


class GoodsBook:
    """The trades, by the places they ship from. Sender names are dressed by Faker."""

    def __init__(self, lines: tuple[GoodsLine, ...], stems: tuple[str, ...]) -> None:
        self._general = next(line for line in lines if not line.home)
        self._stems = stems
        self._origins = tuple(
            (line, prefix)
            for line in lines
            for prefix, weight in line.home.items()
            for _ in range(weight)
        )
        self._local: dict[str, tuple[GoodsLine, ...]] = {}

    def draw_origin(self, draws: Draws) -> str:
        """Draw the code prefix of a city that parcels come from."""
        return draws.choice(self._origins)[1]

    def draw_parcel(self, origin: str, draws: Draws) -> Parcel:
        """Draw goods that are shipped from an origin (a division code)."""
        line = draws.choice(self._list_local(origin[:4]))
        return Parcel(
            goods=draws.choice(line.goods),
            weight_g=line.draw_weight(draws),
            sender_name=draws.choice(self._stems) + draws.choice(line.senders),
        )

    def _list_local(self, city: str) -> tuple[GoodsLine, ...]:
        found = self._local.get(city)
        if found is None:
            home = tuple(line for line, prefix in self._origins if prefix == city)
            found = home + (self._general,) * max(1, len(home) // 4)
            self._local[city] = found
        return found


def load_goods(source: RandomSource) -> GoodsBook:
    """Return the bundled goods with sender names drawn for this run."""
    return GoodsBook(_load_lines(), _draw_stems(source))


def mark_goods(position: int) -> str:
    """Return a rare goods word for the source at a position, to serve as a mark of its own."""
    marks = read_json("goods.json")["marks"]
    if not 0 <= position < len(marks):
        raise CapacityShort(
            f"{len(marks)} goods words are rare enough to be marks",
            mend="mark fewer sources by goods, or give the words yourself",
        )
    return str(marks[position])


@cache
def _load_lines() -> tuple[GoodsLine, ...]:
    book = read_json("goods.json")
    return tuple(_read_line(row, book["senders"][row["kind"]]) for row in book["lines"])


def _read_line(row: dict[str, Any], senders: list[str]) -> GoodsLine:
    least, usual, most = row["grams"]
    return GoodsLine(
        kind=row["kind"],
        goods=tuple(row["goods"]),
        least_g=least,
        usual_g=usual,
        most_g=most,
        home=row["home"],
        senders=tuple(senders),
    )


def _draw_stems(source: RandomSource) -> tuple[str, ...]:
    faker = Faker("zh_CN")
    faker.seed_instance(source.randbytes(16))
    return tuple(faker.company_prefix() for _ in range(_STEMS))
