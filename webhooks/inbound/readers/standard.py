"""Our own format: JSON under a Standard Webhooks signature."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks import signing
from webhooks.errors import PayloadError
from webhooks.inbound.fields import details_of, find, read_time, text_at
from webhooks.inbound.options import receiver_of, zone_of
from webhooks.inbound.reading import ACCEPTED, Reader
from webhooks.json_strict import read_object
from webhooks.reports import Grade, Part, Post, Report, ReportKind

MOST_REPORTS = 1000

_STRINGS = (
    "removed_text",
    "sender",
    "receiver",
    "device",
    "slot",
    "venue",
    "url",
    "title",
    "message_id",
)
_USED = (*_STRINGS, "kind", "text", "claimed_at", "part")


class StandardReader(Reader):
    """Reads `{"type": "report", "data": {...}}`; `data` may be a list of such objects.

    Option `receivers` maps `device/slot` to the own number where a report names none.
    """

    name = "standard"
    methods = frozenset({"POST", "PUT"})
    reply = ACCEPTED

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Demand a valid signature over id, time and body."""
        signing.verify(secrets, post.headers, post.body, now)
        return Grade.SIGNED

    def message_id(self, post: Post) -> str | None:
        """Return the signed id."""
        return post.headers.get(signing.ID_HEADER)

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the reports of the message."""
        message = read_object(post.body)
        if message.get("type") != "report":
            raise PayloadError('type is not "report"')
        data = message.get("data")
        entries = data if isinstance(data, list) else [data]
        if not 1 <= len(entries) <= MOST_REPORTS:
            raise PayloadError(f"data holds none or more than {MOST_REPORTS} reports")
        return [_report(entry, options) for entry in entries]


def _report(entry: Any, options: Mapping[str, Any]) -> Report:
    if not isinstance(entry, Mapping):
        raise PayloadError("a report is not an object")
    text = entry.get("text")
    if not isinstance(text, str) or not text.strip():
        raise PayloadError("a report has no text")
    claimed_at, basis = read_time(text_at(entry, "claimed_at"), zone_of(options))
    strings = {name: text_at(entry, name) for name in _STRINGS}
    strings["receiver"] = strings["receiver"] or receiver_of(
        options, strings["device"], strings["slot"]
    )
    return Report(
        kind=_kind(entry),
        text=text,
        claimed_at=claimed_at,
        time_basis=basis,
        part=_part(entry.get("part")),
        details=details_of(entry, _USED),
        **strings,
    )


def _kind(entry: Mapping[str, Any]) -> ReportKind:
    try:
        return ReportKind(entry.get("kind", ""))
    except ValueError as error:
        known = ", ".join(ReportKind)
        raise PayloadError(f"kind is none of {known}") from error


def _part(value: Any) -> Part | None:
    if value is None:
        return None
    number, total = find(value, "number"), find(value, "total")
    if not isinstance(number, int) or not isinstance(total, int) or not 1 <= number <= total <= 255:
        raise PayloadError("part has no number and total within 1 to 255")
    return Part(reference=text_at(value, "reference"), number=number, total=total)
