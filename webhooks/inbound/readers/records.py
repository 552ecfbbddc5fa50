"""Internal query logs and public tracking look-ups, as JSON lines or CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webhooks import charsets
from webhooks.errors import PayloadError
from webhooks.inbound.fields import details_of, read_time, text_at
from webhooks.inbound.options import zone_of
from webhooks.inbound.reading import ACCEPTED
from webhooks.inbound.weak import OpenReader
from webhooks.json_strict import read_object
from webhooks.reports import Post, Report, ReportKind

MOST_RECORDS = 5000
_TIMES = ("at", "time", "timestamp", "queried_at")
_ACTORS = ("account", "user", "actor", "ip", "client")
_VENUES = ("system", "venue", "endpoint", "source")
_NUMBERS = ("number", "waybill", "tracking_number", "query", "单号", "运单号")


class RecordsReader(OpenReader):
    """Reads one report a record; its text is the number asked for.

    Option `kind` is `query_log` (the default) or `tracking_lookup`.
    """

    name = "records"
    methods = frozenset({"POST", "PUT"})
    reply = ACCEPTED

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the records; one unreadable record refuses the post."""
        decoded = charsets.decode(post.body, post.headers.get("content-type", ""))
        is_lookup = options.get("kind") == ReportKind.TRACKING_LOOKUP
        kind = ReportKind.TRACKING_LOOKUP if is_lookup else ReportKind.QUERY_LOG
        reports = []
        for row, record in enumerate(_records(decoded.text), start=1):
            if row > MOST_RECORDS:
                raise PayloadError(f"more than {MOST_RECORDS} records")
            reports.append(_report(row, record, kind, options, decoded))
        if not reports:
            raise PayloadError("no record")
        return reports


def _records(text: str) -> Iterator[Mapping[str, Any]]:
    if text.lstrip().startswith("{"):
        for line in text.split("\n"):
            if line.strip():
                yield read_object(line.encode("utf-8", "replace"))
        return
    yield from _rows(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def _rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    try:
        yield from rows
    except csv.Error as error:
        raise PayloadError("not CSV") from error


def _report(
    row: int,
    record: Mapping[str, Any],
    kind: ReportKind,
    options: Mapping[str, Any],
    decoded: charsets.Decoded,
) -> Report:
    number = text_at(record, *_NUMBERS)
    if not number:
        raise PayloadError(f"record {row} has no number")
    claimed_at, basis = read_time(text_at(record, *_TIMES), zone_of(options))
    names = {str(name): value for name, value in record.items() if name}
    return Report(
        kind=kind,
        text=number,
        sender=text_at(record, *_ACTORS),
        venue=text_at(record, *_VENUES),
        claimed_at=claimed_at,
        time_basis=basis,
        charset=decoded.charset,
        charset_rung=decoded.rung,
        message_id=text_at(record, "id"),
        details=details_of(names, (*_NUMBERS, *_TIMES, "id")),
    )
