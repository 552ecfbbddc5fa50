"""The packed register: the same answers as the plain one, small, saved, and open to new baits."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.domain.errors import Invalid
from canary.domain.identifiers import BaitValues
from canary.matching.keys import keys_of
from canary.matching.register import MemoryRegister
from canary.matching.scan import scan_text

pytest.importorskip("numba", reason="needs the scan extra")

from canary.matching.packed import Listed, PackedRegister, is_packed, open_packed, pack

ODD = [
    BaitValues(number="EA473128560CN", phone="051265001234-1", name="欧阳静怡"),
    BaitValues(number="007", phone="13800138000-0042", detail="x" * 300),
    BaitValues(name="A"),
    BaitValues(),
]


@pytest.fixture
def packed(first: BaitValues) -> PackedRegister:
    return pack([Listed(3, first, "B3", "S1"), Listed(9, ODD[0])], mark="m")


def test_values_come_back_as_given(packed: PackedRegister, first: BaitValues) -> None:
    assert packed.values([3, 9, 4]) == {3: first, 9: ODD[0]}
    assert (packed.label(3), packed.label(9)) == (("B3", "S1"), ("9", ""))
    assert packed.size == 2


texts = st.text("0123456789ABYT-", max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, texts, st.text(max_size=20)), max_size=6))
def test_any_values_survive_packing(rows: list[tuple[str, str, str]]) -> None:
    baits = {
        at: BaitValues(number=number or None, phone=phone or None, detail=detail)
        for at, (number, phone, detail) in enumerate(rows)
        if detail.isprintable()
    }
    assert pack(Listed(*one) for one in baits.items()).values(baits) == baits


def test_every_key_is_found(first: BaitValues, packed: PackedRegister) -> None:
    found = packed.find(keys_of(first))
    assert all(3 in found[key] for key in keys_of(first))


def test_packed_register_scans_like_the_plain_one(
    packed: PackedRegister, first: BaitValues
) -> None:
    plain = MemoryRegister()
    plain.add(3, first)
    plain.add(9, ODD[0])
    text = "單怡涵 193****1865 苏州 YT2047183659012，歐陽靜怡"
    assert scan_text(text, packed) == scan_text(text, plain) != []


def test_long_text_is_scanned_by_lines_alike(packed: PackedRegister, first: BaitValues) -> None:
    """The sieve cuts a long text; where a match stands must not change."""
    plain = MemoryRegister()
    plain.add(3, first)
    rows = [f"钱某某,1350000{at:04},杭州市文三路{at}号" for at in range(2000)]
    rows[700] = "单怡涵,19340271865,苏州市"
    rows[1999] = "尾行,YT2047183659012"
    text = "\n".join(rows)
    found = scan_text(text, packed)
    assert found == scan_text(text, plain, corpus=2000.0, is_whole=False)
    assert [text[one.start : one.end] for one in found] == [one.surface for one in found]
    assert len(found) >= 4


def test_saved_register_opens_the_same(packed: PackedRegister, tmp_path: Path) -> None:
    path = tmp_path / "register.bin"
    packed.add(12, ODD[3])
    packed.save(path)
    opened = open_packed(path)
    assert is_packed(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(opened.everything()) == list(packed.everything())
    assert opened.mark == "m"


def test_added_bait_is_found_by_the_next_message(packed: PackedRegister, tmp_path: Path) -> None:
    path = tmp_path / "register.bin"
    packed.save(path)
    content = path.read_bytes()
    opened = open_packed(path)
    assert not opened.sieve.may_hold("电话17726503948")
    opened.add(20, BaitValues(phone="17726503948"))
    assert opened.sieve.may_hold("电话17726503948")
    assert [one.bait_id for one in scan_text("电话17726503948", opened)] == [20]
    assert path.read_bytes() == content


@pytest.mark.parametrize("cut", [0, 10, 40, 200, -1])
def test_damaged_register_is_refused(cut: int, packed: PackedRegister, tmp_path: Path) -> None:
    path = tmp_path / "register.bin"
    packed.save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Invalid, match="damaged"):
        open_packed(path)


def test_many_identifiers_take_forty_bytes_each() -> None:
    count = 10_000
    baits = (
        Listed(at, BaitValues(number=f"YT{7 * at:013}", phone=f"13{97 * at:09}"))
        for at in range(count)
    )
    register = pack(baits)
    fixed = register.sieve.starts.nbytes
    assert (register.nbytes - fixed) / (2 * count) < 45  # crowded keys go only at a larger size
