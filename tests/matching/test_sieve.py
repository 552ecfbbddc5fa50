"""The sieve is complete: what the exact engine finds, the sieve lets pass."""

import random
from pathlib import Path

import pytest

from canary.domain.identifiers import BaitValues
from canary.matching.paths import scan_paths
from canary.matching.register import register_of
from canary.matching.scan import scan_text
from tests.matching import wardrobe

pytest.importorskip("numba", reason="needs the scan extra")

from canary.matching.sieve import sieve_of

BAITS = [
    BaitValues(number="YT2047183659012", phone="19340271865", name="单怡涵", city="苏州市"),
    BaitValues(number="SF1350917264803", phone="17726503948", name="欧阳静怡", city="杭州市"),
    BaitValues(number="76291038475562", phone="15086403721-8462", name="鲁思远"),
    BaitValues(number="EA473128560CN", phone="051265001234", name="褚颖"),
    BaitValues(number="JD0X10293847565", phone="18926500417", name="吕思远"),
    BaitValues(number="20394857", name="慕容雪"),
]
WEARS = wardrobe.EXACT | wardrobe.PHONE_ONLY | wardrobe.CANDIDATE_PHONE | wardrobe.CANDIDATE_NUMBER
NAMES = [
    "单怡涵", "單怡涵", "单 怡 涵", "怡涵 单", "Shan Yihan", "yihan shan", "SHANYIHAN",
    "Lyu Siyuan",
    "欧阳静怡", "歐陽靜怡", "欧阳 静怡", "张三单怡涵李四", "褚颖", "褚·颖", "慕容雪",
]  # fmt: skip


def _passes(text: str) -> bool:
    raw = f"{'无关的行' * 20}\n" * 40 + f"{text}\n" + f"{'无关的行' * 20}\n" * 40
    return any(first <= 40 for first, _, _ in sieve_of(BAITS).passing(raw.encode()))


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


@pytest.mark.parametrize("name", NAMES)
def test_sieve_passes_every_name(name: str) -> None:
    assert scan_text(f"收件 {name} ，", register_of(enumerate(BAITS)))
    assert _passes(f"收件 {name} ，")


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


def test_sieve_stops_plain_lines() -> None:
    raw = "王小明,13512345678,YT1234567890123,江苏省南京市玄武区中山路1号\n" * 50
    assert sieve_of(BAITS).passing(raw.encode()) == []
