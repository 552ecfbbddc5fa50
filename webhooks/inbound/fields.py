"""Take single values out of the forms, queries and JSON that senders post."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from webhooks.errors import PayloadError
from webhooks.inbound.reading import JSON_TYPE
from webhooks.json_strict import read_object
from webhooks.reports import Post, TimeBasis

MOST_FIELDS = 1000
SHANGHAI = ZoneInfo("Asia/Shanghai")
FORM_TYPE = "application/x-www-form-urlencoded"

_LOCAL_TIME = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII
)
_EPOCH = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d{1,9})?", re.ASCII)
_CALLING_CODE = re.compile(r"(?:\+|00)?86(?=1\d{10}$|0\d{9,11}$)", re.ASCII)


def pairs_of(encoded: str | bytes) -> list[tuple[str, str]]:
    """Return the fields of a query or form in order; raises PayloadError."""
    try:
        text = encoded.decode("utf-8") if isinstance(encoded, bytes) else encoded
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise PayloadError("not a UTF-8 form of at most 1000 fields") from error


def form_of(post: Post) -> dict[str, str]:
    """Return the fields of the form or, without a body, of the query; the first of a name wins."""
    pairs = pairs_of(post.body) if post.body else pairs_of(post.query)
    return dict(reversed(pairs))


def query_of(post: Post) -> dict[str, str]:
    """Return the fields of the query; the first of a name wins."""
    return dict(reversed(pairs_of(post.query)))


def fields_of(post: Post) -> Mapping[str, Any]:
    """Return the object of a JSON body, else the form's or the query's fields."""
    if is_json(post):
        return read_object(post.body)
    return form_of(post)


def is_json(post: Post) -> bool:
    """Say whether the body is meant as JSON, by its type or by how it begins."""
    kind = post.content_type
    if kind == JSON_TYPE or kind.endswith("+json"):
        return True
    return kind != FORM_TYPE and post.body.lstrip()[:1] in (b"{", b"[")


def find(value: Any, path: str) -> Any:
    """Return what stands at a dotted path (`items.0.text`), or None."""
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 6:
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def text_at(value: Any, *paths: str) -> str:
    """Return the first non-empty string or number at one of the paths, else nothing."""
    for path in paths:
        found = find(value, path)
        if isinstance(found, str) and found:
            return found
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
    return ""


def object_at(value: Any, path: str) -> Mapping[str, Any]:
    """Return the object at a path; raises PayloadError if there is none."""
    found = find(value, path)
    if not isinstance(found, Mapping):
        raise PayloadError(f"no object {path}")
    return found


def read_time(text: str, zone: tzinfo = SHANGHAI) -> tuple[datetime | None, TimeBasis]:
    """Read epoch seconds, epoch milliseconds, ISO 8601 or `2026-11-21 09:30:00`.

    A time without an offset is taken in `zone` and marked as such; what cannot be read is None.
    """
    text = text.strip()[:40]
    try:
        if epoch := _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(epoch[1]), UTC), TimeBasis.STATED
        if local := _LOCAL_TIME.fullmatch(text):
            numbers = [int(part or 0) for part in local.groups()]
            at = datetime(*numbers, tzinfo=zone)  # type: ignore[arg-type,misc]  # six numbers
            return at.astimezone(UTC), TimeBasis.ASSUMED_ZONE
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            return at.replace(tzinfo=zone).astimezone(UTC), TimeBasis.ASSUMED_ZONE
        return at.astimezone(UTC), TimeBasis.STATED
    except (ValueError, OverflowError, OSError):
        return None, TimeBasis.NONE


def plain_number(text: str) -> str:
    """Strip spaces, hyphens and the Chinese calling code; keep short codes and letters."""
    compact = re.sub(r"[\s-]", "", text)
    return _CALLING_CODE.sub("", compact)


def content_key(*parts: str) -> str:
    """Return a key for a sender without ids: equal parts, equal key."""
    joined = "\x00".join(parts).encode("utf-8", "replace")
    return "content:" + hashlib.sha256(joined).hexdigest()


def details_of(fields: Mapping[str, Any], used: Iterable[str], most: int = 40) -> dict[str, str]:
    """Return the remaining scalar fields as strings, cut to a storable size."""
    skipped = set(used)
    scalars = (
        (str(name)[:100], str(value)[:500])
        for name, value in fields.items()
        if name not in skipped and isinstance(value, str | int | float) and value != ""
    )
    return dict(pair for pair, _ in zip(scalars, range(most), strict=False))
