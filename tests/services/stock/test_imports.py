"""Tables made by people: read whole, or refused with row, field and mend."""

import codecs
import datetime as dt
import io
import json
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.domain.errors import Invalid
from canary.services.exports import write_csv
from canary.services.stock.imports import read_table_bytes

REQUIRED = ("code", "name")


def read(content: bytes | str, name: str = "t.csv") -> list[dict[str, str]]:
    raw = content.encode() if isinstance(content, str) else content
    rows = read_table_bytes(raw, name, required=REQUIRED, optional=("note",))
    return [dict(row.cells) for row in rows]


def refuse(content: bytes | str, name: str = "t.csv") -> Invalid:
    with pytest.raises(Invalid) as refusal:
        read(content, name)
    assert all(flaw.mend for flaw in refusal.value.flaws)
    return refusal.value


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PLAIN = "code,name\nA,滨江网点\n"
WANTED = [{"code": "A", "name": "滨江网点"}]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("gbk"),
        PLAIN.encode("gb18030"),
        PLAIN.replace(",", "\t").encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace("code", " Code ").encode(),
        (PLAIN + "\n , \n\n").encode(),
        '"code","name"\n"A","=""滨江网点"""\n'.encode(),
        "code,name\n'A,'滨江网点\n".encode(),
    ],
    ids=[
        "utf8",
        "bom",
        "gbk",
        "gb18030",
        "utf16le",
        "utf16be",
        "crlf",
        "semicolon",
        "tab",
        "case",
        "blank",
        "eq",
        "'",
    ],
)
def test_same_table_in_many_dresses(content: bytes) -> None:
    assert read(content) == WANTED


@pytest.mark.parametrize(
    ("content", "row", "field"),
    [
        ("", None, None),
        ("name\nx\n", 1, "code"),
        ("code,name,code\nA,x,B\n", 1, None),
        ("code,name\nA,x,y\n", 2, None),
        ('code,name\nA,x\nB,"y\n', 3, None),
        ("code,name\nA,x\n=B1&C1,y\n", 3, "code"),
        ("code,name\nA,=cmd|' /C calc'!A0\n", 2, "name"),
        ("code,name\nA,#REF!\n", 2, "name"),
        ("code,name\n1.93403E+10,x\n", 2, "code"),
        ("code,name\n7.73E14,x\n", 2, "code"),
        ("code,name\n7E+14,x\n", 2, "code"),
        ("code,name\nA,x\x1b[31m\n", 2, "name"),
        (b"code,name\nA,x\nB,\xff\xff\xff\n", 3, "encoding"),
        ("code,name\nA,滨江网点\nB,鄞州网点\n".encode()[:-3] + b"\n", 3, "encoding"),
        ("code,name\nA,滨江\n".encode("utf-8-sig").replace(b"\xe6", b"\xff"), 2, "encoding"),
        ("code,name\nA,x\n".encode("utf-16-le"), 1, "encoding"),
        ("code,name\nA,\x00\n", 2, "encoding"),
    ],
)
def test_flaw_is_told_with_its_place(content: bytes | str, row: int, field: str) -> None:
    flaw = refuse(content).flaws[0]
    assert (flaw.row, flaw.field) == (row, field)


def test_every_missing_column_is_named() -> None:
    assert [flaw.field for flaw in refuse("note\nx\n").flaws] == ["code", "name"]


def test_broken_utf8_is_not_read_as_gbk() -> None:
    """GB18030 would read nearly all of it, as other characters."""
    text = "code,name\n" + "".join(f"S{i},广州白云石井网点{i}\n" for i in range(50))
    broken = text.encode().replace("石".encode(), b"\xe7\x9f", 1)
    assert refuse(broken).flaws[0].row == 2


def test_workbook_reads_like_text() -> None:
    rows = read(workbook(["code", "name"], ["A", "滨江网点"], [None, None]), "t.xlsx")
    assert rows == WANTED


def test_workbook_numbers_stay_whole() -> None:
    content = workbook(["code", "name", "note"], [19340271865, 3.5, dt.date(2026, 3, 1)])
    assert read(content, "t.xlsx") == [{"code": "19340271865", "name": "3.5", "note": "2026-03-01"}]


def test_workbook_number_too_long_is_refused() -> None:
    """A spreadsheet keeps fifteen digits; a waybill number with more has lost its end."""
    flaw = refuse(workbook(["code", "name"], [773012345678901234, "x"]), "t.xlsx").flaws[0]
    assert (flaw.row, flaw.field) == (2, "code")
    assert "digits" in flaw.problem


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\xd0\xcf\x11\xe0 no xls", PLAIN])
@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_damaged_workbook_is_refused(content: bytes | str, ending: str) -> None:
    refuse(content, f"t.{ending}")


def test_json_reads_like_text() -> None:
    content = json.dumps([{"Code": "A", "name": "滨江网点"}], ensure_ascii=False)
    assert read(content, "t.json") == WANTED


def test_json_lists_become_words() -> None:
    content = '[{"code": "A", "name": ["YTO", "ZTO"], "note": null}]'
    assert read(content, "t.json") == [{"code": "A", "name": "YTO ZTO", "note": ""}]


def test_json_row_may_leave_fields_out() -> None:
    content = '[{"code": "A", "name": "x"}, {"name": "y"}]'
    assert read(content, "t.json")[1] == {"code": "", "name": "y"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "7",
        "null",
        "[1]",
        '[{"name": "x"}]',
        '[{"code": {"a": 1}, "name": "x"}]',
        '[{"code": [["A"]], "name": "x"}]',
        r'[{"code": "\ud800", "name": "x"}]',
        r'[{"code": "\u0000", "name": "x"}]',
        '[{"code": %s, "name": "x"}]' % ("9" * 5000),
        "[" * 50_000,
        '[{"code": "A"',
    ],
)
def test_unusable_json_is_refused(content: str) -> None:
    refuse(content, "t.json")


@given(st.binary(max_size=200), st.sampled_from(["t.csv", "t.json", "t.xlsx", "t"]))
def test_no_bytes_break_the_reader(content: bytes, name: str) -> None:
    try:
        rows = read_table_bytes(b"code,name\n" + content, name, required=REQUIRED)
    except Invalid:
        return
    for row in rows:
        assert all("\x00" not in cell for cell in row.cells.values())
        "".join(row.cells.values()).encode()


HARMLESS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="'=\ufeff"),
    min_size=1,
    max_size=12,
)


@given(st.lists(st.tuples(HARMLESS, HARMLESS), min_size=1, max_size=5))
def test_what_we_write_reads_back(pairs: list[tuple[str, str]]) -> None:
    rows = [{"code": f"c{code}", "name": f"n{name}"} for code, name in pairs]
    assert read(write_csv(REQUIRED, rows)) == rows


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_written_cells_run_nothing(cell: str) -> None:
    written = write_csv(["code"], [{"code": cell}]).decode("utf-8-sig").split("\r\n", 1)[1]
    assert written[1] not in "=+-@\t\r"


def test_written_table_is_for_spreadsheets() -> None:
    written = write_csv(["code"], [{"code": "773012345678901"}])
    assert written.startswith(b"\xef\xbb\xbf")
    assert written.endswith(b"\r\n")
