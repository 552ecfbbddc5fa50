"""changedetection.io, by its own posts or by Apprise's JSON."""

from collections.abc import Mapping
from typing import Any

from webhooks import charsets
from webhooks.errors import PayloadError
from webhooks.inbound.fields import find, is_json, read_time, text_at
from webhooks.inbound.markup import Difference, read_difference
from webhooks.inbound.options import zone_of
from webhooks.inbound.reading import ACCEPTED
from webhooks.inbound.weak import WeakReader
from webhooks.json_strict import read_object
from webhooks.reports import Post, Report, ReportKind

_TEXTS = ("message", "body", "diff", "text")


class ChangeDetectionReader(WeakReader):
    """Reads the recommended template, Apprise's JSON and raw bodies without a type.

    `diff_added` is believed as it is; else added and removed lines are told apart by their marks.
    """

    name = "changedetection"
    methods = frozenset({"POST", "PUT"})
    reply = ACCEPTED

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the change as one report."""
        if not is_json(post):
            decoded = charsets.decode(post.body, post.headers.get("content-type", ""))
            return [_report({}, read_difference(decoded.text), options, decoded)]
        fields = read_object(post.body)
        return [_report(fields, _difference(fields), options, None)]


def _difference(fields: Mapping[str, Any]) -> Difference:
    added = text_at(fields, "diff_added", "current_snapshot", "triggered_text")
    if added:
        return Difference(text=added, removed_text=text_at(fields, "diff_removed"))
    return read_difference(text_at(fields, *_TEXTS))


def _report(
    fields: Mapping[str, Any],
    difference: Difference,
    options: Mapping[str, Any],
    decoded: charsets.Decoded | None,
) -> Report:
    if not difference.text.strip() and not difference.removed_text.strip():
        raise PayloadError("no text")
    claimed_at, basis = read_time(text_at(fields, "change_datetime", "timestamp"), zone_of(options))
    attached = find(fields, "attachments")
    count = len(attached) if isinstance(attached, list) else 0
    return Report(
        kind=ReportKind.LISTING,
        text=difference.text,
        removed_text=difference.removed_text,
        url=text_at(fields, "watch_url", "url"),
        venue=text_at(fields, "watch_title") or str(options.get("venue", "")),
        title=text_at(fields, "title"),
        device=text_at(fields, "watch_uuid"),
        claimed_at=claimed_at,
        time_basis=basis,
        charset=decoded.charset if decoded else "utf-8",
        charset_rung=decoded.rung if decoded else "utf-8",
        details={"attachments": str(count)} if count else {},
    )
