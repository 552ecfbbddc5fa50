"""Read a table that a person made: CSV, XLSX or JSON, as text cells with row numbers."""

import codecs
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from canary.domain.errors import Flaw, Invalid
from canary.matching.extras import CannotRead
from canary.matching.workbooks import ask_calamine

MAX_BYTES = 64 * 1024 * 1024
# A spreadsheet keeps 15 digits of a number; longer ones have lost their end.
EXACT_UP_TO = 1e15

# Stands for a list or an object where one text should be; no cell that is let through has a NUL.
NO_TEXT = "\x00[…]"

_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]{1,20})?[eE]\+?[0-9]{1,3}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_ERRORS = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row: its number as a spreadsheet shows it, and its cells by column name."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that cannot be read, as it was, and why."""

    number: int
    cells: Mapping[str, str]
    flaw: Flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with the rows that can be read and those that cannot."""

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    rejects: tuple[Reject, ...]


def read_table(
    path: Path, *, required: Sequence[str], optional: Sequence[str] = ()
) -> list[TableRow]:
    """Read `path` whole. Raises Invalid naming row, field and mend."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}", mend="check the path") from error
    return read_table_bytes(content, path.name, required=required, optional=optional)


def read_table_bytes(
    content: bytes, name: str, *, required: Sequence[str], optional: Sequence[str] = ()
) -> list[TableRow]:
    """Read a table from bytes; `name` tells the format by its ending. Raises Invalid."""
    table = sift_table(content, name, required=required, optional=optional)
    if table.rejects:
        raise Invalid(flaws=[reject.flaw for reject in table.rejects])
    return list(table.rows)


def sift_table(
    content: bytes, name: str, *, required: Sequence[str], optional: Sequence[str] = ()
) -> Table:
    """Read a table and put the rows aside that cannot be read.

    Raises Invalid for a table that cannot be read at all.
    """
    if len(content) > MAX_BYTES:
        raise Invalid(f"{name} is larger than {MAX_BYTES >> 20} MiB", mend="split the file")
    ending = name.lower().rpartition(".")[2]
    if ending in {"xlsx", "xls", "ods"}:
        lines = _read_workbook(content, name)
    elif ending == "json":
        return _read_json(content, name, required, optional)
    else:
        lines = _read_csv(content, name)
    return _name_cells(lines, name, required, optional)


def _decode(content: bytes, name: str) -> str:
    broken = UnicodeDecodeError("utf-8", b"\x00", 0, 1, "NUL")
    for encoding in _list_encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            broken = error
        else:
            if "\x00" not in text:
                return text
            broken = UnicodeDecodeError(encoding, content, content.index(b"\x00"), 1, "NUL")
    raise Invalid(
        f"{name} is neither UTF-8, GB18030 nor marked UTF-16 text",
        row=broken.object[: broken.start].count(b"\n") + 1,
        field="encoding",
        mend="save the file as CSV UTF-8",
    ) from broken


def _list_encodings(content: bytes) -> tuple[str, ...]:
    """List what to try: a mark at the front decides; spreadsheets save "Unicode text" as UTF-16."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    return ("utf-8-sig",) if _is_meant_as_utf8(content) else ("utf-8-sig", "gb18030")


def _is_meant_as_utf8(content: bytes) -> bool:
    """Whether this is UTF-8, if need be with a few broken bytes: GB18030 would read most of it."""
    if content.startswith(codecs.BOM_UTF8):
        return True
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return sum(not char.isascii() for char in text) > 2 * broken


def _read_csv(content: bytes, name: str) -> list[list[str]]:
    text = _decode(content, name)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[list[str]] = []
    try:
        lines.extend(reader)
    except csv.Error as error:
        raise Invalid(
            f"{name} is not a CSV table: {error}",
            row=reader.line_num,
            mend="check the quotes in this row",
        ) from error
    return lines


def _read_workbook(content: bytes, name: str) -> list[list[str]]:
    from python_calamine import CalamineWorkbook

    try:
        book = ask_calamine(lambda: CalamineWorkbook.from_filelike(io.BytesIO(content)))
        sheet = ask_calamine(lambda: book.get_sheet_by_index(0))
        rows = ask_calamine(lambda: sheet.to_python(skip_empty_area=False))
    except (CannotRead, OSError, ValueError, IndexError) as error:
        raise Invalid(
            f"{name} is not a readable workbook", mend="save it as XLSX or CSV"
        ) from error
    return [[_show(cell) for cell in row] for row in rows]


def _show(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT_UP_TO:
        return str(int(cell))
    return "" if cell is None else str(cell)


def _read_json(
    content: bytes, name: str, required: Sequence[str], optional: Sequence[str]
) -> Table:
    try:
        parsed = json.loads(_decode(content, name))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{name} is not JSON: {error}", mend="check the file") from error
    if not isinstance(parsed, list) or not all(isinstance(item, dict) for item in parsed):
        raise Invalid(f"{name} must be a list of objects", mend="wrap the rows in [ ]")
    rows = [{key.strip().lower(): value for key, value in item.items()} for item in parsed]
    columns = dict.fromkeys(key for item in rows for key in item)
    _check_columns(set(columns), name, required, optional)
    return _sift(
        tuple(columns),
        [
            (index, [_show_json(item.get(column)) for column in columns])
            for index, item in enumerate(rows, start=1)
        ],
    )


def _show_json(value: object) -> str:
    parts = value if isinstance(value, list) else [value]
    if any(isinstance(part, list | dict) for part in parts):
        return NO_TEXT
    return " ".join("" if part is None else str(part) for part in parts)


def _name_cells(
    lines: list[list[str]], name: str, required: Sequence[str], optional: Sequence[str]
) -> Table:
    if not lines:
        raise Invalid(
            f"{name} is empty", mend=f"the first row names the columns: {_list(required)}"
        )
    header = [cell.strip().lower().lstrip("\ufeff") for cell in lines[0]]
    _check_columns(set(header), name, required, optional)
    doubled = {column for column in header if column and header.count(column) > 1}
    if doubled:
        raise Invalid(f"column {_list(sorted(doubled))} stands twice", row=1, mend="remove one")
    cells = [
        (number, [_undo_spreadsheet(cell) for cell in line])
        for number, line in enumerate(lines[1:], start=2)
    ]
    return _sift(tuple(header), [(number, line) for number, line in cells if any(line)])


def _sift(columns: tuple[str, ...], lines: Sequence[tuple[int, list[str]]]) -> Table:
    rows: list[TableRow] = []
    rejects: list[Reject] = []
    for number, line in lines:
        padded = line + [""] * (len(columns) - len(line))
        cells = dict(zip(columns, padded, strict=False))
        try:
            _check_width(number, line, columns)
            rows.append(_make_row(number, cells))
        except Invalid as error:
            rejects.append(Reject(number=number, cells=cells, flaw=error.flaws[0]))
    return Table(columns=columns, rows=tuple(rows), rejects=tuple(rejects))


def _check_width(number: int, line: Sequence[str], columns: Sequence[str]) -> None:
    if len(line) > len(columns) and any(line[len(columns) :]):
        raise Invalid(
            f"{len(line)} cells under {len(columns)} columns",
            row=number,
            mend="quote cells that contain a comma",
        )


def _make_row(number: int, cells: Mapping[str, str]) -> TableRow:
    """Refuse what a spreadsheet or a program has spoilt."""
    for column, cell in cells.items():
        spoilt = _find_damage(cell)
        if spoilt:
            problem, mend = spoilt
            raise Invalid(problem, row=number, field=column[:80], mend=mend)
    return TableRow(number=number, cells=cells)


def _find_damage(cell: str) -> tuple[str, str] | None:
    if cell == NO_TEXT:
        return "this is no single value", "give one text"
    if cell.startswith("=") or cell in _ERRORS:
        return f"{cell[:40]!r} is a formula, not a value", "paste the values instead"
    if _SCIENTIFIC.fullmatch(cell):
        return (
            f"{cell} lost its digits in a spreadsheet",
            "format the column as text and type again",
        )
    if _CONTROL.search(cell):
        return "this holds a control character", "type the text again"
    return None


def _undo_spreadsheet(cell: str) -> str:
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1].strip()
    if len(cell) > 1 and cell[0] == "'":
        return cell[1:].strip()
    return cell


def _check_columns(
    found: set[str], name: str, required: Sequence[str], optional: Sequence[str]
) -> None:
    flaws = [
        Flaw(
            problem=f"{name} has no column {column}",
            row=1,
            field=column,
            mend=f"add it; the columns are {_list([*required, *optional])}",
        )
        for column in required
        if column not in found
    ]
    if flaws:
        raise Invalid(flaws=flaws)


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)
