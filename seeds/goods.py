"""Goods, weight and sender that fit the place a parcel starts from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from operator import getitem
from statistics import NormalDist
from typing import Any, NamedTuple

from seeds.draws import Draws, RandomSource
from seeds.errors import CapacityShort
from seeds.places import load_places
from seeds.tables import read_json

_STEMS = 400
_WEIGHT_STEPS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsLine:
    """One trade: what it ships, from where, how heavy, and how its senders call themselves."""

    kind: str
    goods: tuple[str, ...]
    weights: tuple[int, ...]
    home: dict[str, int]
    senders: tuple[str, ...]


class Offer(NamedTuple):
    """Goods that may start from a city, how they weigh, and what their sender calls himself."""

    goods: str
    weights: tuple[int, ...]
    sender: str


class Parcel(NamedTuple):
    """What is in a parcel and who sends it."""

    goods: str
    weight_g: int
    sender_name: str


class GoodsBook:
    """The trades, by the places they ship from. Sender names are dressed by Faker."""

    def __init__(self, lines: tuple[GoodsLine, ...], stems: tuple[str, ...]) -> None:
        self._stems = stems
        self._general = next(line for line in lines if not line.home)
        self._homes = tuple(
            (line, prefix)
            for line in lines
            for prefix, weight in line.home.items()
            for _ in range(weight)
        )
        self._offers: dict[str, tuple[Offer, ...]] = {}

    def draw_origins(self, count: int, draws: Draws) -> list[str]:
        """Draw code prefixes of cities that parcels come from."""
        return [self._homes[place][1] for place in draws.column(count, len(self._homes))]

    def draw_parcels(self, origins: Sequence[str], draws: Draws) -> list[Parcel]:
        """Draw what is shipped from each origin (a division code)."""
        offers = [self._offers.get(code[:4]) or self._list_offers(code[:4]) for code in origins]
        stems = self._stems
        return [
            Parcel(offer.goods, offer.weights[step], stems[stem] + offer.sender)
            for offer, step, stem in zip(
                map(getitem, offers, draws.positions(offers)),
                draws.column(len(offers), _WEIGHT_STEPS),
                draws.column(len(offers), len(stems)),
                strict=True,
            )
        ]

    def _list_offers(self, city: str) -> tuple[Offer, ...]:
        """List what a city ships: its own trades, and some of what any city does."""
        home = [line for line, prefix in self._homes if prefix == city]
        lines = home + [self._general] * max(1, len(home) // 4)
        self._offers[city] = tuple(
            Offer(goods, line.weights, sender)
            for line in lines
            for goods in line.goods
            for sender in line.senders
        )
        return self._offers[city]


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
        weights=_spread_weights(least, usual, most),
        home=row["home"],
        senders=tuple(senders),
    )


def _spread_weights(least: int, usual: int, most: int) -> tuple[int, ...]:
    """Return equally likely weights in grams, in steps of ten: lognormal within the limits."""
    normal = NormalDist(mu=-0.3, sigma=0.6)
    grams = (usual * exp(normal.inv_cdf((step + 0.5) / 1000)) for step in range(1000))
    return tuple(round(min(most, max(least, weight)) / 10) * 10 for weight in grams)


def _draw_stems(source: RandomSource) -> tuple[str, ...]:
    from faker import Faker

    faker = Faker("zh_CN")
    faker.seed_instance(source.randbytes(16))
    stems = (faker.company_prefix() for _ in range(2 * _STEMS))
    places = {name[:2] for name in load_places().list_cities("")}
    # A sender must not be called after a city other than his own.
    return tuple(stem for stem in stems if not any(place in stem for place in places))[:_STEMS]
