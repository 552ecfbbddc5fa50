"""The story that `canary demo` tells: who leaks, what a seller makes of it, what noise there is.

Everything here is the world outside. It knows who leaks; the product only gets the posts.
"""

import csv
import html
import random
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from canary.domain.sources import list_ancestors
from seeds.make import NothingTaken, make_waybills
from seeds.recipes import Recipe

ROWS = 320
PRICE = "1.00"
CIRCLED = dict(zip("0123456789", "⓪①②③④⑤⑥⑦⑧⑨", strict=True))
FULL_WIDTH = {str(digit): chr(0xFF10 + digit) for digit in range(10)}
HAN = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
SPAM = (
    "【优品女装】{name}您好，您的包裹破损可双倍理赔，加客服微信 yp8890 办理，退订回T",
    "【速达客服】{name}，您的快递在途丢失，今日内登记可获赔付，回复1联系专员",
)
NOISE_SMS = (
    "【菜鸟驿站】您的包裹已到站，凭 3-2-1008 取件，退订回TD",
    "【招聘】刷单兼职日结200，加QQ 1938471120",
    "【银行】您尾号1865的账户于11月20日支出138.00元",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a planting sheet, as whoever holds the sheet reads it."""

    source: str
    number: str
    name: str
    phone: str
    city: str
    address: str
    goods: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Who leaks in this telling, which rows, and which phone gets the spam."""

    source: str
    rows: tuple[Row, ...]
    spammed: Row


def read_sheets(folder: Path) -> list[Row]:
    """Read the planting sheets back, as their holders would."""
    rows: list[Row] = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows.extend(_row(path.stem, line) for line in csv.DictReader(file))
    return rows


def _row(source: str, line: Mapping[str, str]) -> Row:
    plain = {heading: cell.removeprefix("'") for heading, cell in line.items()}
    return Row(
        source=source,
        number=plain["运单号"],
        name=plain["收件人"],
        phone=plain["收件人手机"],
        city=plain["收件市"],
        address="".join(plain[part] for part in ("收件省", "收件市", "收件区县")),
        goods=plain["品名"],
    )


def choose_leak(
    rows: Sequence[Row], parents: Mapping[str, str | None], chance: random.Random
) -> Leak:
    """Draw who leaks, and which part of what that source can read."""
    source = chance.choice(sorted(parents))
    readable = [row for row in rows if source in (row.source, *list_ancestors(row.source, parents))]
    share = chance.uniform(0.7, 0.95) if len(readable) < 12 else chance.uniform(0.35, 0.6)
    count = max(6, min(round(share * len(readable)), 40))
    leaked = _spread(chance.sample(readable, len(readable)))[:count]
    return Leak(source=source, rows=tuple(leaked), spammed=chance.choice(leaked))


def _spread(rows: Sequence[Row]) -> list[Row]:
    """Put one row of every holder first, then a second of each: an export shows all parts alike."""
    turn: Counter[str] = Counter()
    ranked: list[tuple[int, Row]] = []
    for row in rows:
        ranked.append((turn[row.source], row))
        turn[row.source] += 1
    return [row for _, row in sorted(ranked, key=lambda one: one[0])]


def write_listing(leak: Leak, chance: random.Random) -> bytes:
    """Write a resale site's page: GB18030, a few hundred rows, the leaked ones disguised."""
    cells = [_strangers_cells(row) for row in _make_strangers(ROWS)]
    for position, row in enumerate(leak.rows):
        cells.insert(chance.randrange(len(cells)), _seller_cells(row, position, chance))
    body = "\n".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + f"<td>{PRICE}元</td></tr>"
        for line in cells
    )
    page = f"""<!DOCTYPE html>
<html><head><meta charset="gb2312"><title>一手单号 实时底单 量大从优</title></head>
<body><h1>今日新单 {len(cells)} 条</h1>
<p>真实签收，支持空包，联系微信 kd6688</p>
<table>
<tr><th>快递单号</th><th>收货人</th><th>电话</th><th>收货地址</th><th>单价</th></tr>
{body}
</table></body></html>
"""
    return page.encode("gb18030")


def write_plain_listing() -> bytes:
    """Write another seller's page that holds none of our baits."""
    lines = [
        f"{row.number}\t{_hide_name(row.name)}\t{_hide_phone(row.phone)}\t{row.address}"
        for row in _make_strangers(ROWS // 2)
    ]
    return "\n".join(["快递单号\t收货人\t电话\t收货地址", *lines]).encode("utf-8")


def _make_strangers(count: int) -> list[Row]:
    """Invent other people's parcels; what is invented here is in no register."""
    random_source = secrets.SystemRandom()
    regions = ("3301", "3302", "4403", "4401", "1301", "3205", "5101")
    recipes = [
        Recipe(
            source=None,
            carrier=("YTO", "ZTO", "STO", "YUNDA")[place % 4],
            region=regions[place % len(regions)],
            phone=False,
        )
        for place in range(count)
    ]
    made = make_waybills(recipes, taken=NothingTaken(), phones=(), random=random_source)
    return [
        Row(
            source="",
            number=one.waybill.number,
            name=one.waybill.name,
            phone=f"1{random_source.choice('3578')}{random_source.randrange(10**9):09d}",
            city=one.waybill.city,
            address=one.waybill.province + one.waybill.city + one.waybill.district,
            goods=one.waybill.goods,
        )
        for one in made
    ]


def _strangers_cells(row: Row) -> list[str]:
    return [row.number, _hide_name(row.name), _hide_phone(row.phone), row.address]


def _seller_cells(row: Row, position: int, chance: random.Random) -> list[str]:
    """Disguise the number in one of several ways; now and then hide it and show the rest masked."""
    ways = (
        lambda text: text,
        lambda text: _replace(text, FULL_WIDTH),
        lambda text: _replace(text, CIRCLED),
        lambda text: "-".join(text[at : at + 4] for at in range(0, len(text), 4)),
        "\u200b".join,
        lambda text: text[:2] + _replace(text[2:], HAN),
        lambda text: f"{text[:6]}<b>{text[6:10]}</b><!-- 9 -->{text[10:]}",
        lambda text: "".join(f"&#{ord(char)};" for char in text),
    )
    if position % 6 == 5:
        number = f"{row.number[:4]}{'*' * (len(row.number) - 7)}{row.number[-3:]}"
    else:
        number = chance.choice(ways)(row.number)
    return [number, _hide_name(row.name), _hide_phone(row.phone), html.escape(row.address)]


def _replace(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(char, char) for char in text)


def _hide_name(name: str) -> str:
    return name[:1] + "*" * (len(name) - 1)


def _hide_phone(phone: str) -> str:
    return f"{phone[:3]}****{phone[-4:]}"


def spam_to(row: Row, chance: random.Random) -> str:
    """Write the spam message a buyer of the list sends."""
    return chance.choice(SPAM).format(name=row.name)
