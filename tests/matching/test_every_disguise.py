"""Every disguise, alone and in pairs, on many baits; and on none of the bystanders."""

import random
import string
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.domain.identifiers import BaitValues, MatchLevel
from canary.matching.register import MemoryRegister, register_of
from canary.matching.scan import scan_text
from tests.matching import wardrobe

PREFIXES = ("YT", "SF", "JT", "DPK", "JDVE", "", "7", "43")


def _baits(count: int, seed: int = 7) -> list[BaitValues]:
    rng = random.Random(seed)
    return [_bait(rng) for _ in range(count)]


def _bait(rng: random.Random) -> BaitValues:
    prefix = rng.choice(PREFIXES)
    size = rng.choice((12, 13)) if prefix.isalpha() else 14 - len(prefix)
    first = rng.choice("23456789") if not prefix else ""
    digits = "".join(rng.choices(string.digits, k=size - len(first)))
    phone = "1" + rng.choice("356789") + "".join(rng.choices(string.digits, k=9))
    return BaitValues(number=prefix + first + digits, phone=phone, city="苏州市")


@pytest.fixture(scope="module")
def baits() -> list[BaitValues]:
    return _baits(40)


@pytest.fixture(scope="module")
def many(baits: list[BaitValues]) -> MemoryRegister:
    return register_of(enumerate(baits))


def _is_found(text: str, register: MemoryRegister, bait: int, level: str, kind: str) -> bool:
    matches = scan_text(text, register)
    for match in matches:
        assert text[match.start : match.end] == match.surface
    found = [one for one in matches if one.bait_id == bait and one.kind == kind]
    return any(level in {one.level, "any"} for one in found)


@pytest.mark.parametrize("disguise", wardrobe.EXACT)
def test_disguise_is_undone_exactly(
    disguise: str, baits: list[BaitValues], many: MemoryRegister
) -> None:
    rng = random.Random(disguise)
    missed = []
    for bait, values in enumerate(baits):
        for kind, value in (("number", values.number), ("phone", values.phone)):
            worn = wardrobe.EXACT[disguise](value or "", rng)
            if not _is_found(f"出一手单 {worn} ，要的来", many, bait, "exact", kind):
                missed.append(worn)
    assert missed == []


@pytest.mark.parametrize("disguise", wardrobe.PHONE_ONLY)
def test_country_code_is_stripped(
    disguise: str, baits: list[BaitValues], many: MemoryRegister
) -> None:
    rng = random.Random(1)
    for bait, values in enumerate(baits):
        worn = wardrobe.PHONE_ONLY[disguise](values.phone or "", rng)
        assert _is_found(f"电话{worn}。", many, bait, "exact", "phone"), worn


@pytest.mark.parametrize("disguise", wardrobe.CANDIDATE_PHONE)
def test_masked_phone_is_a_candidate(
    disguise: str, baits: list[BaitValues], many: MemoryRegister
) -> None:
    rng = random.Random(1)
    for bait, values in enumerate(baits):
        worn = wardrobe.CANDIDATE_PHONE[disguise](values.phone or "", rng)
        assert _is_found(f"手机：{worn}，", many, bait, "candidate", "phone"), worn


@pytest.mark.parametrize("disguise", wardrobe.CANDIDATE_NUMBER)
def test_masked_number_is_a_candidate(
    disguise: str, baits: list[BaitValues], many: MemoryRegister
) -> None:
    rng = random.Random(1)
    for bait, values in enumerate(baits):
        worn = wardrobe.CANDIDATE_NUMBER[disguise](values.number or "", rng)
        assert _is_found(f"单号：{worn} ，", many, bait, "any", "number"), worn


INNER = ("full width", "circled", "han", "mathematical bold", "arabic-indic", "plain", "keycap")
OUTER = (
    "grouped by dash", "grouped by mark", "every character apart", "zero width", "tags", "comment",
    "hidden decoy", "spaces", "line break", "barcode", "decimal entities", "apostrophe",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    inner=st.sampled_from(INNER),
    outer=st.sampled_from(OUTER),
    kind=st.sampled_from(["number", "phone"]),
)
def test_two_disguises_at_once_are_undone(seed: int, inner: str, outer: str, kind: str) -> None:
    rng = random.Random(seed)
    values = _bait(rng)
    plain = values.number if kind == "number" else values.phone
    apart = wardrobe.EXACT[outer](plain or "", rng)
    if outer != "decimal entities" and "<" not in apart:
        apart = wardrobe.EXACT[inner](apart, rng)
    assert _is_found(f"单 {apart} 完", register_of([(1, values)]), 1, "exact", kind), apart


def test_bystanders_never_match_exactly(baits: list[BaitValues], many: MemoryRegister) -> None:
    rng = random.Random(3)
    rows = "\n".join(_bystander(rng, baits) for _ in range(3000))
    levels = Counter(match.level for match in scan_text(rows, many))
    assert levels[MatchLevel.EXACT] == 0


def _bystander(rng: random.Random, baits: list[BaitValues]) -> str:
    """Write a row about nobody: neighbours of baits, longer runs, cards, times, prices."""
    bait = rng.choice(baits)
    number, phone = bait.number or "", bait.phone or ""
    near = str(int(phone) + rng.choice((-2, -1, 1, 2, 10)))
    digit = rng.choice("123456789")
    return rng.choice(
        (
            f"张三,{near},{number[:-1]}{(int(number[-1]) + 1) % 10},苏州市",
            f"李四 {digit}{phone} {number}{digit} 杭州",
            f"卡号 6222{phone}{digit * 4} 身份证{phone[:6]}19900101{phone[-4:]}",
            f"时间戳 1{phone}{digit} 价格 {phone}.5 元",
            f"{phone[:5]},{phone[5:]}\t{number[:6]},{number[6:]}",
            f"{rng.getrandbits(128):032x} {digit}.{phone}",
        )
    )
