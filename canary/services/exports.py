"""Tables for spreadsheets: UTF-8 with BOM, CRLF, every cell quoted, formulas defused."""

import csv
import io
from collections.abc import Mapping, Sequence

from seeds.sheets import defuse


def write_csv(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return a CSV table that a spreadsheet shows as it is, and runs nothing of."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([defuse(str(row[column])) for column in columns])
    return out.getvalue().encode("utf-8-sig")
