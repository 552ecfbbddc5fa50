"""Any form or JSON, by a field map: Huginn, n8n, Zapier, Make, Distill and home-made scripts."""

from collections.abc import Mapping
from typing import Any

from webhooks.errors import PayloadError
from webhooks.inbound.fields import (
    details_of,
    find,
    form_of,
    is_json,
    plain_number,
    read_time,
    text_at,
)
from webhooks.inbound.markup import read_difference
from webhooks.inbound.options import zone_of
from webhooks.inbound.reading import ACCEPTED
from webhooks.inbound.weak import OpenReader
from webhooks.json_strict import read_json
from webhooks.reports import Post, Report, ReportKind

MOST_ENTRIES = 1000
_PATHS = {
    "text": ("text", "content", "message", "body", "selection", "data.text", "data__text"),
    "removed_text": ("removed_text", "removed"),
    "sender": ("sender", "from", "author"),
    "receiver": ("receiver", "to"),
    "venue": ("venue", "site", "source", "monitor"),
    "url": ("url", "link", "uri"),
    "title": ("title", "subject", "name"),
    "claimed_at": ("claimed_at", "captured_at", "timestamp", "time", "date"),
    "message_id": ("message_id", "id", "guid"),
}


class MappedReader(OpenReader):
    """Reads what the reporter's options say.

    Options: `fields` maps our names to dotted paths, `items` is the path of a list of entries,
    `kind` the kind of report, `html` true when the text is marked up.
    """

    name = "mapped"
    methods = frozenset({"GET", "POST", "PUT"})
    reply = ACCEPTED

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return a report for each entry."""
        entries = _entries(post, options)
        if not 1 <= len(entries) <= MOST_ENTRIES:
            raise PayloadError(f"no entry or more than {MOST_ENTRIES}")
        return [_report(entry, options) for entry in entries]


def _entries(post: Post, options: Mapping[str, Any]) -> list[Any]:
    value = read_json(post.body) if is_json(post) else form_of(post)
    path = options.get("items")
    found = find(value, path) if isinstance(path, str) and path else value
    return found if isinstance(found, list) else [found]


def _report(entry: Any, options: Mapping[str, Any]) -> Report:
    said = {name: _value(entry, options, name) for name in _PATHS}
    if not said["text"].strip():
        raise PayloadError("no text where the map says")
    claimed_at, basis = read_time(said["claimed_at"], zone_of(options))
    text, removed = said["text"], said["removed_text"]
    if options.get("html") is True:
        difference = read_difference(text)
        text, removed = difference.text, removed or difference.removed_text
    used = {path for paths in _PATHS.values() for path in paths}
    return Report(
        kind=_kind(options),
        text=text,
        removed_text=removed,
        claimed_at=claimed_at,
        time_basis=basis,
        sender=plain_number(said["sender"]),
        receiver=plain_number(said["receiver"]),
        venue=said["venue"],
        url=said["url"],
        title=said["title"],
        message_id=said["message_id"],
        details=details_of(entry, used) if isinstance(entry, Mapping) else {},
    )


def _value(entry: Any, options: Mapping[str, Any], name: str) -> str:
    mapped = options.get("fields")
    path = mapped.get(name) if isinstance(mapped, Mapping) else None
    return text_at(entry, *((str(path),) if path else _PATHS[name]))


def _kind(options: Mapping[str, Any]) -> ReportKind:
    try:
        return ReportKind(str(options.get("kind", ReportKind.LISTING)))
    except ValueError:
        return ReportKind.LISTING
