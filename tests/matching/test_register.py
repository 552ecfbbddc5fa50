"""Keys, the register in memory, and a register read from a file."""

from pathlib import Path

import pytest

from canary.domain.errors import Invalid
from canary.domain.identifiers import BaitValues
from canary.matching.keys import FANOUT, keys_of
from canary.matching.names import name_chance, reading_of
from canary.matching.register import MemoryRegister, read_rows, register_of

HEADING = "bait,source,number,phone,name,province,city,district,address\n"


def test_bait_has_twelve_keys(first: BaitValues) -> None:
    keys = keys_of(first)
    assert len(keys) == len(set(keys)) == 12
    assert {"n:2047183659012", "p:19340271865", "p34:193:1865", "m:单怡涵", "a:人民路88"} <= set(
        keys
    )


def test_shared_host_has_key_for_both() -> None:
    keys = keys_of(BaitValues(phone="19340271865-8462"))
    assert {"p:19340271865", "p:19340271865-8462"} <= set(keys)


def test_empty_bait_has_no_keys() -> None:
    assert keys_of(BaitValues()) == []


def test_added_bait_is_found_at_once(register: MemoryRegister) -> None:
    register.add(9, BaitValues(number="SF1350917264803"))
    assert register.find(["n:1350917264803"]) == {"n:1350917264803": [9]}


def test_replaced_bait_loses_old_keys(register: MemoryRegister) -> None:
    register.add(1, BaitValues(number="SF1350917264803"))
    assert register.find(["n:2047183659012"]) == {}
    assert register.size == 2


def test_crowded_key_is_left_out() -> None:
    register = register_of((i, BaitValues(phone=f"193{i:04}1865")) for i in range(FANOUT + 1))
    assert register.find(["p34:193:1865"]) == {}


def test_register_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    row = "B1,S1,'YT2047183659012,+86 19340271865,单怡涵,江苏省,苏州市,姑苏区,人民路88号\n"
    path.write_text(HEADING + row, encoding="utf-8-sig")
    (row,) = read_rows(path)
    assert (row.bait_id, row.code, row.source) == (1, "B1", "S1")
    assert (row.values.number, row.values.phone) == ("YT2047183659012", "19340271865")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"number,phone\n1,2\n", "misses columns"),
        (b"", "misses columns"),
        (HEADING.encode() + b"B1,,YT1,,,,,,\nB1,,YT2,,,,,,\n", "row 3, field bait: B1 stands here"),
        (HEADING.encode() + b",,YT1,,,,,,\n", "row 2, field bait: empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (HEADING.encode() + b'"B1,"x', "not a CSV"),
    ],
)
def test_bad_register_is_refused_whole(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=told):
        list(read_rows(path))


def test_surname_keeps_its_own_reading() -> None:
    assert reading_of("单怡涵") == "shanyihan"
    assert reading_of("张□") is None


def test_common_name_is_likelier_than_rare() -> None:
    assert name_chance("张伟") > 100 * name_chance("单怡涵")
