"""How many baits and phones a network needs, and whether its baits pass for real."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from math import comb
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.attribution.design import phones_per_source
from canary.domain.errors import Invalid, NotFound
from canary.services.baits.planting import waybill_of
from canary.services.stock.imports import TableRow
from canary.storage.tables import Bait, Batch
from canary.storage.vault import Vault
from seeds.carriers import load_carriers
from seeds.codes import count_phones_needed
from seeds.disguise_check import Disguise, check_disguise
from seeds.draws import RandomSource
from seeds.errors import SeedError
from seeds.make import NothingTaken, make_waybills
from seeds.numbers import identify, normalise
from seeds.people import NameStyle
from seeds.places import load_places
from seeds.plausible import make_plausible_rows
from seeds.power import count_baits_needed
from seeds.recipes import Recipe
from seeds.waybills import Waybill

MOST_ROWS = 20_000
# What a source can hold, for one leaker and for more at once (group testing in noise).
MOST_PHONES_EACH, MORE_PHONES_EACH = 16, 24
BUNDLED_ROWS = 2000
BUNDLED_CARRIERS = ("SF", "YTO", "ZTO", "STO", "YUNDA", "JT", "JD")
# The headings a sample of real rows may have; the first is the one of our own generic sheet.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "number": ("运单号", "waybill_no", "number", "快递单号", "运单号码", "物流单号", "面单号"),
    "carrier": ("快递公司", "carrier"),
    "name": ("收件人", "recipient_name", "name", "收件人姓名", "收货人", "收货人姓名"),
    "province": ("收件省", "recipient_province", "province"),
    "city": ("收件市", "recipient_city", "city"),
    "district": ("收件区县", "recipient_district", "district"),
    "detail": ("详细地址", "recipient_detail", "detail", "address", "收件地址", "收货地址"),
    "goods": ("品名", "goods_name", "goods", "物品名称", "商品名称", "托寄物", "内件品名"),
    "weight": ("重量(kg)", "weight", "重量"),
    "sender_name": ("寄件人", "sender_name"),
    "origin": ("始发地编码", "origin"),
    "destination": ("目的地编码", "destination"),
    "created_at": ("下单时间", "created_at", "揽收时间"),
}
NEEDED = ("number", "name", "detail")
_TIME = re.compile(r"(?:^|[ T])([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What a network needs: baits a day, phones for each source."""

    sources: int
    without_volume: int
    baits_per_day: int
    most_for_one: int
    phones: int
    phones_per_source: int
    phones_needed: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the figures for programs."""
        return asdict(self)


def design_programme(
    parcels: Mapping[str, int],
    *,
    phones: int,
    leakers: int,
    rows_shown: int,
    days: int,
    chance: float,
) -> Programme:
    """Say what the sources (parcels a day by code) need. Raises Invalid."""
    if not parcels:
        raise Invalid("there are no sources", field="sources", mend="import sources first")
    needed = [
        count_baits_needed(
            days=days, parcels_per_day=volume, rows_shown_per_day=rows_shown, chance=chance
        )
        for volume in parcels.values()
        if volume
    ]
    most = MOST_PHONES_EACH if leakers == 1 else MORE_PHONES_EACH
    weight = min(most, phones_per_source(phones, leakers)) if phones else 0
    notes = []
    if weight and comb(phones, weight) < len(parcels):
        notes.append("there are more sources than sets of phones: some cannot be told apart")
    if phones < len(parcels):
        notes.append("phones are shared: `canary design phones` tells how well the code works")
    return Programme(
        sources=len(parcels),
        without_volume=sum(not volume for volume in parcels.values()),
        baits_per_day=sum(needed),
        most_for_one=max(needed, default=0),
        phones=phones,
        phones_per_source=weight,
        phones_needed=count_phones_needed(len(parcels), max(1, weight)),
        notes=tuple(notes),
    )


def read_sample(rows: Sequence[TableRow]) -> list[Waybill]:
    """Read real rows under the headings partners use. Raises Invalid."""
    columns = set(rows[0].cells) if rows else set()
    found = {
        name: next((heading for heading in headings if heading in columns), None)
        for name, headings in HEADINGS.items()
    }
    missing = [HEADINGS[name][0] for name in NEEDED if found[name] is None]
    if missing:
        raise Invalid(
            f"the sample has no column {', '.join(missing)}",
            row=1,
            field=missing[0],
            mend="name at least number, recipient and address, such as 运单号, 收件人, 详细地址",
        )
    return [_read_real(row, found) for row in rows[:MOST_ROWS]]


def _read_real(row: TableRow, columns: Mapping[str, str | None]) -> Waybill:
    def read(name: str) -> str:
        column = columns[name]
        return row.cells.get(column, "").strip() if column else ""

    number = normalise(read("number"))
    city, district = read("city"), read("district")
    return Waybill(
        number=number,
        carrier=_read_carrier(read("carrier"), number),
        name=read("name"),
        phone=None,
        province=read("province"),
        city=city,
        district=district,
        detail=read("detail"),
        goods=read("goods"),
        weight_g=_read_weight(row, read("weight")),
        origin=read("origin"),
        destination=read("destination") or _load_codes().get((city, district), ""),
        sender_name=read("sender_name"),
        minute=_read_minute(read("created_at")),
    )


@cache
def _load_codes() -> Mapping[tuple[str, str], str]:
    """Return the division codes by city and district, and by city alone where that is all."""
    districts = load_places().districts.values()
    cities = {(one.city, ""): one.code[:4] for one in districts}
    return cities | {(one.city, one.district): one.code for one in districts}


def _read_carrier(text: str, number: str) -> str:
    for code, carrier in load_carriers().items():
        if text and text in (code, carrier.name_zh, carrier.kuaidi100, carrier.kdniao):
            return code
    return next((found.carrier for found in identify(number)), "")


def _read_weight(row: TableRow, text: str) -> int:
    if not text:
        return 0
    if re.fullmatch(r"\d{1,4}(?:\.\d{1,6})?", text, re.ASCII) is None:
        raise Invalid(
            f"{text[:40]!r} is not a weight",
            row=row.number,
            field="weight",
            mend="give kilograms, such as 0.52",
        )
    return round(1000 * float(text))


def _read_minute(text: str) -> int:
    found = _TIME.search(text)
    return 60 * int(found[1]) + int(found[2]) if found else 0


def load_waybills(session: Session, vault: Vault, batch_name: str) -> list[Waybill]:
    """Open the baits of a batch. Raises NotFound."""
    batch = session.scalar(select(Batch).where(Batch.name == batch_name))
    if batch is None:
        msg = f"there is no batch {batch_name!r}"
        raise NotFound(msg)
    query = select(Bait).where(Bait.batch_id == batch.id).order_by(Bait.id).limit(MOST_ROWS)
    return [waybill_of(vault, bait) for bait in session.scalars(query)]


def make_like(real: Sequence[Waybill], names: NameStyle, random: RandomSource) -> list[Waybill]:
    """Make a bait for each real row, by the same carrier and on the same lane where it is known."""
    places = load_places()
    known = [row for row in real if row.destination and places.has_region(row.destination[:6])]
    recipes = [
        Recipe(
            source="sample",
            carrier=row.carrier if row.carrier in BUNDLED_CARRIERS else "YTO",
            region=_prefix(row.origin) or row.destination[:6],
            destination=row.destination[:6] if _prefix(row.origin) else None,
            phone=False,
        )
        for row in known
    ]
    made = make_waybills(recipes, taken=NothingTaken(), phones=(), random=random, names=names)
    return [one.waybill for one in made]


def _prefix(code: str) -> str:
    return code[:4] if code and load_places().has_region(code[:4]) else ""


def make_bundled(random: RandomSource) -> list[Waybill]:
    """Make plausible rows over all cities, half of them leaving their region."""
    regions = sorted({code[:4] for code in load_places().districts})
    lanes = [
        (regions[i * 7 % len(regions)], regions[i * 11 % len(regions)] if i % 2 else None)
        for i in range(BUNDLED_ROWS)
    ]
    return list(make_plausible_rows(lanes, BUNDLED_CARRIERS, random))


def judge_disguise(
    baits: Sequence[Waybill], real: Sequence[Waybill], random: RandomSource
) -> Disguise:
    """Let a classifier try to tell baits from real rows. Raises Invalid with too few of either."""
    try:
        return check_disguise(baits, real, random)
    except SeedError as error:
        raise Invalid(error.problem, mend=error.mend, field="real") from error
