"""Places: province, city, district and street from one row of the bundled tables.

The road (or village) bears the name of a town drawn from the whole country, so the address looks
like any other and leads, but for a rare chance, to no door: have it checked where that matters, or
use the team's own drop. Road and number tell baits apart; the room, which labels hide, does not.
"""

import csv
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from seeds.draws import Draws
from seeds.errors import BadPlan, CapacityShort
from seeds.tables import read_text

_NO_CITY = frozenset({"市辖区", "县"})
_UNDER_PROVINCE = frozenset({"省直辖县级行政区划", "自治区直辖县级行政区划"})
_STREET_ENDS = ("街道", "镇", "乡", "地区")
_ENDING = re.compile("(?<=..)(?:街道|地区|[省市区县镇乡])$")
_ROAD_ENDS = ("路", "路", "路", "路", "街", "街", "大道", "巷")
_ESTATE_ENDS = ("小区", "花园", "苑", "家园", "公寓", "新村", "府", "雅居")
_BUILDINGS = tuple(
    f"{number}{form}" for number in range(1, 29) for form in ("幢", "栋", "号楼", "座")
)
_ROOMS = tuple(
    f"{unit}{floor}{door:02d}室"
    for unit in ("", "", "", "1单元", "2单元", "3单元")
    for floor in range(1, 18)
    for door in range(1, 5)
)
_DROP_ROWS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DROP_UNITS = len(_DROP_ROWS) * 99 * 99


class Address(NamedTuple):
    """An address as a waybill carries it; `code` is the six-digit division code."""

    code: str
    province: str
    city: str
    district: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """One row of the division table, written as people write it."""

    code: str
    province: str
    city: str
    district: str


class PlaceBook:
    """All districts and streets, found by the beginning of their code."""

    def __init__(self, districts: Mapping[str, District], streets: Sequence[tuple[str, str]]):
        self.districts = districts
        self._codes = [code for code, _ in streets]
        self._streets = [(districts[code[:6]], name) for code, name in streets]
        self._regions: dict[str, list[tuple[District, str]]] = {}

    def has_region(self, prefix: str) -> bool:
        """Tell whether any street lies under a code prefix."""
        return bool(self._cut_region(prefix))

    def list_cities(self, prefix: str) -> list[str]:
        """Return the names of the cities under a code prefix."""
        return sorted({district.city for district, _ in self._cut_region(prefix)})

    def get_streets(self, prefix: str) -> Sequence[tuple[District, str]]:
        """Return the streets under a code prefix with their districts. Raises BadPlan."""
        streets = self._regions.get(prefix) or self._cut_region(prefix)
        if not streets:
            raise BadPlan(
                f"no district has a code beginning with {prefix}",
                mend="use a division code of 2023, such as 330200 for Ningbo",
                field="region",
            )
        return streets

    def draw_streets(self, prefixes: Sequence[str], draws: Draws) -> list[tuple[District, str]]:
        """Draw a street under each prefix; districts with many streets come up more often."""
        regions = [self.get_streets(prefix) for prefix in prefixes]
        return [
            region[place] for region, place in zip(regions, draws.positions(regions), strict=True)
        ]

    def _cut_region(self, prefix: str) -> list[tuple[District, str]]:
        if prefix not in self._regions:
            bare = _trim(prefix)
            low, high = bisect_left(self._codes, bare), bisect_left(self._codes, bare + ":")
            self._regions[prefix] = self._streets[low:high]
        return self._regions[prefix]


def _trim(prefix: str) -> str:
    """Cut the zeros that stand for 'all of it': 330000 is a province, 330200 a city."""
    if len(prefix) == 9 and prefix.endswith("000"):
        prefix = prefix[:6]
    if len(prefix) == 6 and prefix.endswith("00"):
        prefix = prefix[:4]
    return prefix[:2] if len(prefix) == 4 and prefix.endswith("00") else prefix


@cache
def load_places() -> PlaceBook:
    """Return the bundled places (2,978 districts, about 40,000 streets and towns)."""
    districts = {row[0]: _read_district(row) for row in _read_csv("cn_districts.csv")}
    streets = [(row[0], row[1]) for row in _read_csv("cn_streets.csv")]
    plain = [(code, name) for code, name in streets if name.endswith(_STREET_ENDS)]
    covered = {code[:6] for code, _ in plain}
    rest = [(code, name) for code, name in streets if code[:6] not in covered]
    return PlaceBook(districts, sorted(plain + rest))


def join_address(province: str, city: str, district: str, detail: str) -> str:
    """Join an address into one line, naming a place that stands twice only once."""
    parts = [province]
    if city != province:
        parts.append(city)
    if district not in ("", city):
        parts.append(district)
    return "".join(parts) + detail


def list_place_names() -> frozenset[str]:
    """Return the names of places without their endings, which no person should bear."""
    names = {
        name
        for row in _read_csv("cn_districts.csv")
        for name in (*row[1:], *(_cut_ending(part) for part in row[1:]))
    }
    names.update(_cut_ending(row[1]) for row in _read_csv("cn_streets.csv"))
    return frozenset(name for name in names if 2 <= len(name) <= 3)


def make_drop_unit(place: Address, position: int) -> Address:
    """Return the unit code of the source at a position, at the team's own address.

    The code (`B区3排07号`) is part of the building, not a room. Raises CapacityShort.
    """
    if not 0 <= position < DROP_UNITS:
        raise CapacityShort(
            f"one drop address has {DROP_UNITS} unit codes, number {position + 1} is wanted",
            mend="use a second drop address",
        )
    row, unit = divmod(position, 99)
    block, row = divmod(row, 99)
    return place._replace(detail=f"{place.detail}{_DROP_ROWS[block]}区{row + 1}排{unit + 1:02d}号")


def read_drop(code: str, detail: str) -> Address:
    """Return the team's own address in a district. Raises BadPlan."""
    district = load_places().districts.get(code)
    if district is None or not detail.strip():
        raise BadPlan(
            f"{code[:20]!r} is no district for a drop address" if not district else "no address",
            mend="give the six digits of the district and the street with its number",
            field="drop",
        )
    return Address(code, district.province, district.city, district.district, detail.strip())


@cache
def _list_road_names() -> tuple[str, ...]:
    """Return two-character names of towns: roads are often called after a place elsewhere."""
    names = {_cut_ending(row[1]) for row in _read_csv("cn_streets.csv")}
    return tuple(sorted(name for name in names if len(name) == 2))


@cache
def _list_estates() -> tuple[str, ...]:
    """Return what stands before the building; one address in three names its estate."""
    names = _list_road_names()
    estates = tuple(
        name + _ESTATE_ENDS[place % len(_ESTATE_ENDS)] for place, name in enumerate(names)
    )
    return estates + ("",) * (2 * len(estates))


def _read_csv(name: str) -> list[list[str]]:
    return list(csv.reader(read_text(name).splitlines()))[1:]


def _read_district(row: list[str]) -> District:
    code, province, city, district = row
    if city in _NO_CITY:
        city = province
    elif city in _UNDER_PROVINCE:
        city = district
    return District(code=code, province=province, city=city, district=district)


def _cut_ending(name: str) -> str:
    return _ENDING.sub("", name)


def draw_details(streets: Sequence[str], draws: Draws) -> list[tuple[str, str]]:
    """Draw the rest of each address in two parts: what tells it apart, and building and room.

    One address in four has no second part, nor has any in a village.
    """
    names, estates = _list_road_names(), _list_estates()
    count = len(streets)
    details = []
    for street, road, number, estate, building, room in zip(
        streets,
        draws.column(count, len(names) * len(_ROAD_ENDS)),
        draws.column(count, 880),
        draws.column(count, len(estates)),
        draws.column(count, len(_BUILDINGS)),
        draws.column(count, len(_ROOMS) * 4 // 3),
        strict=True,
    ):
        if street[-1] == "乡":
            village = f"{street}{names[road % len(names)]}村"
            details.append((f"{village}{building % 18 + 1}组{number % 160 + 1}号", ""))
            continue
        place, end = divmod(road, len(_ROAD_ENDS))
        head = f"{street}{names[place]}{_ROAD_ENDS[end]}{number + 8}号"
        if room < len(_ROOMS):
            details.append((head, f"{estates[estate]}{_BUILDINGS[building]}{_ROOMS[room]}"))
        else:
            details.append((head, ""))
    return details
