"""Planting sheets: a batch as CSV, XLSX or JSON, in the form a partner takes."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from seeds.errors import BadSheet
from seeds.templates import TEMPLATES, Column, Template, Value
from seeds.waybills import Waybill

# The first character that counts, after white space, controls and a byte order mark.
_FORMULA = re.compile(r"[\s\x00-\x1f\x7f\ufeff]*[=+\-@＝＋－＠]|[\t\r\n\x00]")
_LONG_NUMBER = re.compile(r"0?\d{12,}|0\d+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_XLSX_ROWS = 1_048_576


def render_sheet(waybills: Iterable[Waybill], template: str, format: str) -> bytes:  # noqa: A002 - the word the files are asked for by
    """Render waybills as `csv`, `xlsx` or `json` in a template. Raises BadSheet with the row.

    CSV is UTF-8 with BOM and CRLF, every cell quoted, formulas defused, long numbers kept as text.
    """
    form = _get_template(template)
    match format:
        case "csv":
            return _render_csv(_read_rows(waybills, form.printed), form)
        case "xlsx":
            return _render_xlsx(_read_rows(waybills, form.printed), form)
        case "json":
            return _render_json(_read_rows(waybills, form.columns), form)
        case _:
            raise BadSheet(f"no format {format!r}", mend="use csv, xlsx or json", field="format")


def defuse(text: str) -> str:
    """Return a cell that a spreadsheet takes as text: formulas and long numbers get a `'`."""
    if _FORMULA.match(text) or _LONG_NUMBER.fullmatch(text):
        return "'" + text
    return text


def _get_template(code: str) -> Template:
    try:
        return TEMPLATES[code]
    except KeyError:
        raise BadSheet(
            f"no template {code!r}", mend=f"use one of {', '.join(TEMPLATES)}", field="template"
        ) from None


def _read_rows(waybills: Iterable[Waybill], columns: Sequence[Column]) -> Iterator[list[Value]]:
    for number, waybill in enumerate(waybills, start=2):
        try:
            yield [_read_value(waybill, column) for column in columns]
        except BadSheet as error:
            error.row = number
            raise


def _read_value(waybill: Waybill, column: Column) -> Value:
    value = column.read(waybill)
    if not isinstance(value, str):
        return value
    problem = ""
    if column.required and not value:
        problem = "is empty"
    elif len(value) > column.limit:
        problem = f"has {len(value)} characters, {column.limit} are allowed"
    elif refused := set(value) & set(column.refused):
        problem = f"has the characters {' '.join(sorted(refused))}, which the partner refuses"
    if problem:
        raise BadSheet(
            f"{column.heading} of waybill {waybill.number} {problem}",
            mend="choose another template, or replace this bait",
            field=column.heading,
        )
    return value


def _render_csv(rows: Iterable[Sequence[Value]], form: Template) -> bytes:
    lines = io.StringIO()
    lines.write("\ufeff")
    _write_line(lines, [column.heading for column in form.printed])
    for row in rows:
        _write_line(lines, [_to_text(value) for value in row])
    return lines.getvalue().encode()


def _write_line(lines: io.StringIO, cells: Sequence[str]) -> None:
    quoted = (defuse(cell).replace('"', '""') for cell in cells)
    lines.write(",".join(f'"{cell}"' for cell in quoted))
    lines.write("\r\n")


def _to_text(value: Value) -> str:
    return "" if value is None else str(value)


def _render_xlsx(rows: Iterable[Sequence[Value]], form: Template) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(form.name)
    sheet.append([_to_cell(sheet, column.heading) for column in form.printed])
    for number, row in enumerate(rows, start=2):
        if number > _XLSX_ROWS:
            raise BadSheet(
                f"a sheet holds {_XLSX_ROWS} rows", mend="use CSV, or a smaller batch", row=number
            )
        sheet.append([_to_cell(sheet, value) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _to_cell(sheet: Any, value: Value) -> Any:
    if not isinstance(value, str):
        return value
    if defuse(value) == value:
        return _CONTROL.sub("", value)
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=_CONTROL.sub("", value))
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _render_json(rows: Iterable[Sequence[Value]], form: Template) -> bytes:
    paths = [_split_path(column.path) for column in form.columns]
    orders = [_nest(zip(paths, row, strict=True)) for row in rows]
    return json.dumps(orders, ensure_ascii=False, indent=1).encode()


def _split_path(path: str) -> list[str | int]:
    """Cut `a[].b[1]` into `a`, 0, `b`, 1."""
    steps = re.findall(r"[^.\[\]]+|\[\d*\]", path)
    return [int(step[1:-1] or 0) if step[0] == "[" else step for step in steps]


def _nest(pairs: Iterable[tuple[list[str | int], Value]]) -> dict[str, Any]:
    """Put values at their paths; absent ones are left out."""
    order: dict[str, Any] = {}
    for path, value in pairs:
        if value is not None:
            _put(order, path, value)
    return order


def _put(place: Any, path: list[str | int], value: Value) -> None:
    for step, following in pairwise(path):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            _lengthen(place, step, empty)
            place = place[step]
        else:
            place = place.setdefault(step, empty)
    last = path[-1]
    if isinstance(last, int):
        _lengthen(place, last, None)
    place[last] = value


def _lengthen(items: list[Any], place: int, empty: Any) -> None:
    while len(items) <= place:
        items.append(type(empty)())
