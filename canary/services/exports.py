"""Tables for spreadsheets and programs: CSV, XLSX, JSON; formulas are text in all of them."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seeds.sheets import defuse

# What neither XML 1.0 nor a spreadsheet can hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 32_767


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Return a CSV table (UTF-8 with BOM, CRLF) that a spreadsheet shows as it is.

    Every cell is quoted and formulas are defused.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([defuse(_to_text(row[column])) for column in columns])
    return out.getvalue().encode("utf-8-sig", "replace")


def write_xlsx(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Return a workbook with one sheet; texts are text cells, whatever they begin with."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("canary")
    sheet.append([*columns])
    for row in rows:
        sheet.append([_to_cell(sheet, row[column]) for column in columns])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def write_json(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Return an array of objects."""
    picked = [{column: row[column] for column in columns} for row in rows]
    return json.dumps(picked, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _to_text(value: object) -> str:
    return "" if value is None else str(value)


def _to_cell(sheet: Any, value: object) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=_CONTROL.sub("", str(value))[:_LONGEST])
    cell.data_type = "s"
    return cell
