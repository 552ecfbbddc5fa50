"""The sieve is complete: what the exact engine finds, the sieve lets pass."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.domain.identifiers import BaitValues
from canary.matching.agreement import crowd_of
from canary.matching.paths import scan_paths
from canary.matching.register import register_of
from canary.matching.scan import scan_closely, scan_text
from tests.matching import wardrobe

pytest.importorskip("numba", reason="needs the scan extra")

from canary.matching.sieve import sieve_of

BAITS = [
    BaitValues(
        number="YT2047183659012", phone="19340271865", name="单怡涵", city="苏州市",
        district="姑苏区", detail="人民路88号B区",
    ),
    BaitValues(number="SF1350917264803", phone="17726503948", name="欧阳静怡", city="杭州市"),
    BaitValues(number="76291038475562", phone="15086403721-8462", name="鲁思远"),
    BaitValues(number="EA473128560CN", phone="051265001234", name="褚颖"),
    BaitValues(number="JD0X10293847565", phone="18926500417", name="吕思远"),
    BaitValues(number="20394857", name="慕容雪"),
    BaitValues(name="褚颖鸿"),
    BaitValues(name="李明远"),
    BaitValues(phone="13800138000", name="张伟", city="蘇州市", detail="干将西路1008号"),
    BaitValues(number="8305217496", phone="4008001865"),
]  # fmt: skip
WEARS = wardrobe.EXACT | wardrobe.PHONE_ONLY | wardrobe.CANDIDATE_PHONE | wardrobe.CANDIDATE_NUMBER
NAMES = [
    "单怡涵", "單怡涵", "单 怡 涵", "怡涵 单", "Shan Yihan", "yihan shan", "SHANYIHAN",
    "Lyu Siyuan", "静怡 欧阳",
    "木子明远", "欧阳静怡", "歐陽靜怡", "欧阳 静怡", "张三单怡涵李四", "褚颖", "褚·颖", "慕容雪",
]  # fmt: skip


SIEVE = sieve_of(BAITS)


def _passes(text: str) -> bool:
    raw = f"{'无关的行' * 20}\n" * 40 + f"{text}\n" + f"{'无关的行' * 20}\n" * 40
    spans, _ = SIEVE.passing(raw.encode())
    return any(first <= 40 for first, _, _ in spans)


@pytest.mark.parametrize("disguise", WEARS)
def test_sieve_passes_every_disguise(disguise: str) -> None:
    rng = random.Random(disguise)
    register = register_of(enumerate(BAITS))
    for values in BAITS:
        for value in (values.number, (values.phone or "").partition("-")[0]):
            if not value or (disguise in wardrobe.PHONE_ONLY and len(value) != 11):
                continue
            text = f"单 {WEARS[disguise](value, rng)} ，完"
            assert _passes(text) or not scan_text(text, register), text


ESCAPED = [json.dumps({"收件": "无关的行" * 20, "备注": f"第{row}行\n😀"}) for row in range(200)]


@pytest.mark.parametrize("disguise", WEARS)
def test_sieve_reads_escapes_as_what_they_stand_for(disguise: str) -> None:
    rng = random.Random(disguise)
    register = register_of(enumerate(BAITS))
    text = json.dumps({"电话": WEARS[disguise]("19340271865", rng), "name": "某"})
    raw = "\n".join([*ESCAPED, text, *ESCAPED]).encode()
    spans, breaks = SIEVE.passing(raw)
    assert breaks == 2 * len(ESCAPED)
    if scan_closely(text, register):
        assert any(text.encode() in raw[start:end] for _, start, end in spans)
    assert sum(end - start for _, start, end in spans) < len(raw) / 10


def test_lines_of_escapes_keep_their_places() -> None:
    rows = [*ESCAPED, json.dumps({"电话": "19340271865", "b": "\ud800一"}), "没有 \\u12"]
    raw = "\n".join(rows).encode()
    ((line, start, end),), _ = SIEVE.passing(raw)
    assert (line, raw[:start].count(b"\n")) == (188, 188)  # twelve lines around a short one
    assert raw[start:].decode() == "\n".join(rows[188:])
    assert end == len(raw)


@pytest.mark.parametrize("name", NAMES)
def test_sieve_passes_every_name(name: str) -> None:
    assert scan_text(f"收件 {name} ，", register_of(enumerate(BAITS)))
    assert _passes(f"收件 {name} ，")


PLACES = [
    "人民路88号B区",
    "人民路８８号B区",
    "姑苏区人民路88号B区",
    "干将西路1008号",
    "幹將西路1008號",
]


@pytest.mark.parametrize("place", PLACES)
def test_sieve_passes_every_address(place: str) -> None:
    assert scan_text(f"寄到 {place} ，", register_of(enumerate(BAITS)))
    assert _passes(f"寄到 {place} ，")


CROWDED = [
    "张伟,苏州市", "苏州 张伟", "收件人：张伟\n地址：苏州市", "193****1865,YT2047****59012",
    "褚颖鸿", "干将西路1008号,苏州", "苏州市干将西路1008号", "19340271865", "Chu Yinghong",
]  # fmt: skip


@pytest.mark.parametrize("text", CROWDED)
@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_sieve_passes_what_counts_in_a_crowd(text: str, charset: str) -> None:
    raw = f"无关\n{text}\n无关\n".encode(charset)
    assert SIEVE.passing(raw, charset=charset, crowd=1)[0]


@pytest.mark.parametrize(
    "text", ["张伟", "193****1865", "干将西路1008号", "张伟\n" + "长" * 90 + "\n苏州"]
)
@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_sieve_stops_what_is_lost_in_a_crowd(text: str, charset: str) -> None:
    raw = f"无关\n{text}\n无关\n".encode(charset)
    assert SIEVE.passing(raw, charset=charset, crowd=1)[0] == []
    assert SIEVE.passing(raw, charset=charset)[0]


THRONGED = ["19340271865", "193****1865,YT2047****59012", "苏州市人民路88号B区 单怡涵"]


@pytest.mark.parametrize("text", THRONGED)
def test_sieve_passes_what_counts_in_a_throng(text: str) -> None:
    raw = f"无关\n{text}\n无关\n".encode()
    assert SIEVE.passing(raw, crowd=2)[0]
    assert scan_closely(text, register_of(enumerate(BAITS)), corpus=1e11)


@pytest.mark.parametrize("text", ["褚颖鸿", "张伟 苏州市", "193****1865 苏州", "Chu Yinghong"])
def test_name_alone_is_lost_in_a_throng(text: str) -> None:
    raw = f"无关\n{text}\n无关\n".encode()
    assert SIEVE.passing(raw, crowd=2)[0] == []
    assert scan_closely(text, register_of(enumerate(BAITS)), corpus=1e11) == []


def test_gb18030_is_read_as_it_lies() -> None:
    """Trail bytes of four-byte characters look like ASCII digits; they are none."""
    register = register_of(enumerate(BAITS))
    rng = random.Random(2)
    for disguise, wear in WEARS.items():
        text = f"单 {wear('19340271865', rng)} ，完\n"
        raw = text.encode("gb18030", "replace")
        passed = SIEVE.passing(raw, charset="gb18030")[0]
        assert passed or not scan_text(raw.decode("gb18030"), register), disguise
    assert SIEVE.passing("㐀㐁13㐂\U00020000\n".encode("gb18030"), charset="gb18030")[0] == []


PIECES = st.one_of(
    st.sampled_from([
        "19340271865", "2047183659012", "YT", "单怡涵", "单", "怡涵", "张伟", "苏州市", "\n", ",",
        "人民路88号B区", " ", "193", "****", "1865", "尾号", "4027", "-", "x", "一九三", "壹", "yi",
        "san", "Shan", "Yihan", "O", "l", "&#49;", "％", "。", "路", "１９３４", "20394857", "86",
        "|", "!", "S", "静怡", "欧阳", "T", "木子", "明远", "第", "一", "乙", "…", "·",
    ]),
    st.text(max_size=3),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_sieve_never_misses_what_the_engine_finds(text: str) -> None:
    """What the exact engine reports in any text, the sieve must have let pass."""
    text = text.encode("utf-8", "replace").decode()
    found = scan_text(text, register_of(enumerate(BAITS)))
    lines = [text.count("\n", 0, one.start) for one in found]
    for charset in ("utf-8", "gb18030"):
        raw = text.encode(charset)
        spans, _ = SIEVE.passing(raw, charset=charset)
        shown = [(first, first + raw.count(b"\n", start, end)) for first, start, end in spans]
        assert all(any(low <= line <= high for low, high in shown) for line in lines)


CROWDS = {1: 1e9, 2: 1e12}  # and how many records make such a crowd of ten baits


def _worn(values: BaitValues, rng: random.Random) -> list[str]:
    """Draw how a leaked row may show each field of a bait, or not at all."""
    name, phone, number = values.name or "", (values.phone or "")[:11], values.number or ""
    shown = (
        (name, " ".join(name), ""),
        (phone, f"{phone[:3]}****{phone[-4:]}", f"{phone[:7]}****", f"****{phone[-4:]}",
         f"{phone[:3]}xxxx{phone[-4:]}", f"{phone[:7]}xxxx", ""),
        (number, f"{number[:6]}****{number[-5:]}", f"{number[:10]}****", f"{number[:9]}…",
         f"***{number[-6:]}", f"{number[:10]}...", ""),
        (values.detail, values.city, values.city + values.district + values.detail, ""),
    )  # fmt: skip
    return [piece for forms in shown if (piece := rng.choice(forms))]


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_sieve_misses_nothing_that_counts_in_a_crowd(crowd: int, charset: str) -> None:
    """But a name in part with one mask and the city: of such rows, too many would pass."""
    rng, told = random.Random(crowd), 0
    register = register_of(enumerate(BAITS))
    assert crowd_of(register.size * CROWDS[crowd]) == crowd
    for _ in range(400):
        pieces = _worn(rng.choice(BAITS), rng)
        rng.shuffle(pieces)
        text = rng.choice(",\t|\n、 ").join(pieces)
        if scan_closely(text, register, corpus=CROWDS[crowd], is_whole=False):
            told += 1
            assert SIEVE.passing(text.encode(charset), charset=charset, crowd=crowd)[0], text
    assert told > 100


def test_sieve_takes_more_baits_in_place() -> None:
    sieve = sieve_of(BAITS[:1])
    assert not sieve.may_hold("17726503948")
    sieve.add(BAITS[1:])
    assert sieve.may_hold("17726503948")


def test_sieved_scan_finds_the_same(tmp_path: Path) -> None:
    rng = random.Random(5)
    rows = [f"王小明,135{rng.randrange(10**8):08},南京市中山路1号" for _ in range(3000)]
    for at, worn in ((17, "193★4027★1865"), (900, "单 怡 涵,苏州"), (2998, "YT2047****59012")):
        rows[at] = f"甲,{worn},乙"
    path = tmp_path / "dump.csv"
    path.write_text("\n".join(rows))
    register = register_of(enumerate(BAITS))
    alone = list(scan_paths([path], register, processes=1))[:-1]
    sieved = list(scan_paths([path], register, sieve=sieve_of(BAITS), processes=1))[:-1]
    assert len(alone) >= 3
    assert sieved == alone


@pytest.mark.parametrize("mark", ["|", "!", "----", "\t"])
def test_sieve_reads_between_any_delimiters(mark: str) -> None:
    """Signs that look like digits part the columns of many dumps: they must not pass all lines."""
    row = mark.join(("王小明", "13512345678", "YT1234567890123", "南京市中山路1号"))
    bait = mark.join(("甲", "19340271865", "YT1234567890123"))
    raw = f"{row}\n".encode() * 50 + f"{bait}\n".encode()
    assert SIEVE.lines(raw)[0][:, 0].tolist() == [50]
    assert scan_text(bait, register_of(enumerate(BAITS)))


@pytest.mark.parametrize("text", ["1934O271865", "193-4O27-I865", "1934027186S"])
def test_sieve_reads_letters_drawn_like_digits(text: str) -> None:
    assert scan_text(f"电话{text} ，", register_of(enumerate(BAITS)))
    assert _passes(f"电话{text} ，")


def test_late_look_up_tells_the_right_line() -> None:
    """Numbers wait in a queue: the line told must be the one that they stood in."""
    rows = [f"无关,1350000{at:04},无关的行" for at in range(100)]
    for at in (0, 40, 99):
        rows[at] = "甲,19340271865,乙"
    raw = "\n".join(rows).encode()
    lines, breaks = SIEVE.lines(raw)
    assert [raw[start:end] for _, start, end, _ in lines.tolist()] == [
        f"{rows[at]}\n".encode() for at in (0, 40)
    ] + [rows[99].encode()]
    assert (lines[:, 0].tolist(), breaks) == ([0, 40, 99], 99)


def test_sieve_stops_plain_lines() -> None:
    raw = "王小明,13512345678,YT1234567890123,江苏省南京市玄武区中山路1号\n" * 50
    assert SIEVE.passing(raw.encode()) == ([], 50)
