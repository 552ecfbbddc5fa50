"""Read a table that a person made: CSV, XLSX or JSON, as text cells with row numbers."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from canary.domain.errors import Flaw, Invalid

MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row: its number as a spreadsheet shows it, and its cells by column name."""

    number: int
    cells: Mapping[str, str]


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
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Invalid(f"{name} is neither UTF-8 nor GB18030 text", mend="save the file as CSV UTF-8")


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
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise Invalid(
            f"{name} is not a readable workbook", mend="save it as XLSX or CSV"
        ) from error
    return [[_show(cell) for cell in row] for row in rows]


def _show(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def _read_json(
    content: bytes, name: str, required: Sequence[str], optional: Sequence[str]
) -> list[TableRow]:
    try:
        parsed = json.loads(_decode(content, name))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{name} is not JSON: {error}", mend="check the file") from error
    if not isinstance(parsed, list) or not all(isinstance(item, dict) for item in parsed):
        raise Invalid(f"{name} must be a list of objects", mend="wrap the rows in [ ]")
    _check_columns({key for item in parsed for key in item} | set(), name, required, optional)
    return [
        TableRow(number=index, cells={str(k): _show_json(v) for k, v in item.items()})
        for index, item in enumerate(parsed, start=1)
    ]


def _show_json(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return str(value)


def _name_cells(
    lines: list[list[str]], name: str, required: Sequence[str], optional: Sequence[str]
) -> list[TableRow]:
    if not lines:
        raise Invalid(
            f"{name} is empty", mend=f"the first row names the columns: {_list(required)}"
        )
    header = [cell.strip().lower().lstrip("\ufeff") for cell in lines[0]]
    _check_columns(set(header), name, required, optional)
    doubled = {column for column in header if column and header.count(column) > 1}
    if doubled:
        raise Invalid(f"column {_list(sorted(doubled))} stands twice", row=1, mend="remove one")
    rows: list[TableRow] = []
    for number, line in enumerate(lines[1:], start=2):
        cells = [_undo_spreadsheet(cell) for cell in line]
        if not any(cells):
            continue
        if len(cells) > len(header) and any(cells[len(header) :]):
            raise Invalid(
                f"{len(cells)} cells under {len(header)} columns",
                row=number,
                mend="quote cells that contain a comma",
            )
        padded = cells + [""] * (len(header) - len(cells))
        rows.append(TableRow(number=number, cells=dict(zip(header, padded, strict=False))))
    return rows


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
