"""Rows as an ordinary day of parcels might show them, to measure a disguise without real data.

Not baits, and not made by their code: names follow the frequencies people bear them with (one given
name in ten of a single character, repeats and words as life has them), addresses, goods, weights
and hours are drawn here by rules of their own. Only the tables are shared. No number is anyone's.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, Generic, TypeVar

from seeds.draws import Draws, RandomSource
from seeds.numbers import NumberMint
from seeds.places import load_places
from seeds.tables import read_json, read_rows
from seeds.waybills import Waybill

T = TypeVar("T")

_SINGLE = 10
_ROADS = ("路", "路", "街", "路", "大道", "路", "巷", "街")
_INSIDE = ("{0}幢{1}室", "{0}栋{1}室", "{0}号楼{1}室", "{0}号楼2单元{1}室", "{0}座1单元{1}室")
_ESTATES = ("小区", "花园", "家园", "公寓", "新村", "苑")
# Orders an hour: a trough before dawn, a plateau by day, a crest in the evening.
_HOURS = (
    20,
    12,
    8,
    5,
    5,
    6,
    11,
    20,
    40,
    60,
    70,
    65,
    55,
    55,
    60,
    62,
    60,
    52,
    50,
    55,
    65,
    70,
    60,
    34,
)


class _Weighted(Generic[T]):
    """Things drawn as often as their weights say."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._things = list(weights)
        self._ends = list(accumulate(weights.values()))

    def draw(self, draws: Draws) -> T:
        """Draw one."""
        place = bisect_right(self._ends, _fraction(draws) * self._ends[-1])
        return self._things[min(place, len(self._things) - 1)]


def make_plausible_rows(
    regions: Sequence[tuple[str, str | None]], carriers: Sequence[str], source: RandomSource
) -> Iterator[Waybill]:
    """Yield a row for each lane (region, destination or None), without phone."""
    draws = Draws(source)
    places = load_places()
    mints = {carrier: NumberMint(carrier, draws) for carrier in set(carriers)}
    for region, end in regions:
        start = region if end else _load_cities().draw(draws)
        origin, _ = draws.choice(places.get_streets(start))
        place, street = draws.choice(places.get_streets(end or region))
        trade = _load_trades(origin.code[:4]).draw(draws)
        line, senders = _load_lines()[trade]
        carrier = draws.choice(carriers)
        yield Waybill(
            number=mints[carrier].draw(1)[0],
            carrier=carrier,
            name=_draw_name(draws),
            phone=None,
            province=place.province,
            city=place.city,
            district=place.district,
            detail=_draw_detail(draws, street),
            goods=draws.choice(line["goods"]),
            weight_g=_draw_weight(draws, line["grams"]),
            origin=origin.code,
            destination=place.code,
            sender_name=_draw_stem(draws) + draws.choice(senders),
            minute=60 * _load_hours().draw(draws) + draws.below(60),
        )


def _fraction(draws: Draws) -> float:
    return draws.below(1 << 30) / (1 << 30)


@cache
def _load_hours() -> _Weighted[int]:
    return _Weighted(dict(enumerate(_HOURS)))


@cache
def _load_lines() -> Mapping[str, tuple[dict[str, Any], Sequence[str]]]:
    book = read_json("goods.json")
    return {line["kind"]: (line, book["senders"][line["kind"]]) for line in book["lines"]}


@cache
def _load_cities() -> _Weighted[str]:
    """Weigh the cities parcels come from by all they ship."""
    cities: dict[str, float] = {}
    for line, _ in _load_lines().values():
        for city, weight in line["home"].items():
            cities[city] = cities.get(city, 0) + weight
    return _Weighted(cities)


@cache
def _load_trades(city: str) -> _Weighted[str]:
    """Weigh the trades of a city: its own, and a fifth of what any city ships."""
    own = {kind: line["home"].get(city, 0) for kind, (line, _) in _load_lines().items()}
    general = max(1, sum(own.values()) / 4)
    return _Weighted(
        {kind: own[kind] or (general if not _load_lines()[kind][0]["home"] else 0) for kind in own}
    )


def _draw_weight(draws: Draws, grams: Sequence[int]) -> int:
    """Draw a weight in grams about the usual one (lognormal), within the trade's limits."""
    least, usual, most = grams
    normal = sum(_fraction(draws) for _ in range(12)) - 6
    weight = usual * math.exp(0.6 * normal - 0.3)
    return round(min(most, max(least, weight)) / 10) * 10


@cache
def _load_towns() -> Sequence[str]:
    names = (street for _, street in load_places().get_streets(""))
    return [name[:2] for name in names if name[2:] in ("街道", "镇", "乡")]


def _draw_detail(draws: Draws, street: str) -> str:
    number = 1 + int(900 * _fraction(draws) ** 1.2)
    if street.endswith("乡"):
        return f"{street}{draws.choice(_load_towns())}村{1 + draws.below(15)}组{1 + number // 6}号"
    road = f"{street}{draws.choice(_load_towns())}{draws.choice(_ROADS)}{number}号"
    if draws.below(4) == 0:
        return road
    estate = draws.choice(_load_towns()) + draws.choice(_ESTATES) if draws.below(3) == 0 else ""
    room = f"{1 + draws.below(18)}0{1 + draws.below(4)}"
    return road + estate + draws.choice(_INSIDE).format(1 + draws.below(25), room)


def _draw_stem(draws: Draws) -> str:
    from faker.providers.company.zh_CN import Provider

    return draws.choice(Provider.company_prefixes)


@cache
def _load_surnames() -> _Weighted[str]:
    rows = [row for row in read_rows("surname_freq.csv") if row["compound"] == "0"]
    return _Weighted({row["surname"]: float(row["share_pct"]) for row in rows})


@cache
def _load_given() -> _Weighted[str]:
    rows = read_rows("given_chars.csv")
    return _Weighted({row["char"]: 1 + float(row["freq_hint"]) for row in rows})


def _draw_name(draws: Draws) -> str:
    given = _load_given()
    second = "" if draws.below(_SINGLE) == 0 else given.draw(draws)
    return _load_surnames().draw(draws) + given.draw(draws) + second
