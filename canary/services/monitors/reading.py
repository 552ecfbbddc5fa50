"""From what an address answered to what is new on it.

Only what was not there the last time is read as text: a number that still stands there is no
second leak, and one that has vanished is none at all.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from canary.domain.monitors import BLOCKING, MonitorState
from canary.matching.listing import ListingRow, cut_rows, hidden_on, join_rows, pick_fresh
from canary.matching.selecting import select_rows
from canary.services.monitors.fetching import Fetched
from canary.storage.vault import Vault, sha256
from webhooks.errors import PayloadError
from webhooks.reports import Post, Report

KEY_BYTES = 8
# A page that comes instead of a listing, to keep robots out, is short.
SHORT_PAGE = 2000
MANY_ROWS = 20
_SECRET_ANSWERS = frozenset({"set-cookie", "www-authenticate", "authorization"})
_CAPTCHA = re.compile(
    r"captcha|验证码|滑动验证|安全验证|人机验证|访问过于频繁|异常访问|just a moment",
    re.IGNORECASE,
)
BLOCKED_PAGE = "a short page came in place of the listing, as when robots are kept out"
NO_PART = "the selector finds nothing any more: the page may have been redesigned"
NO_ROWS = "there is nothing to read on the page"
NO_FEED = "what came is no feed any more"

# A format, a post and a reader's options in; reports out; raises PayloadError.
Read = Callable[[str, Post, Mapping[str, Any]], list[Report]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A monitor as a look at it needs it; `known` are the keys of what was there last time."""

    id: int
    reporter_id: int
    name: str
    kind: str
    url: str
    headers: Mapping[str, str]
    selector: str | None
    charset: str | None
    venue: str
    basis: str
    obeys_robots: bool
    etag: str | None
    last_modified: str | None
    content_key: bytes | None
    known: frozenset[bytes]
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What became of one look. `keys` are None when nothing is to be remembered.

    `reports` hold what is new, `post` the answer as received.
    """

    state: MonitorState
    status: int | None = None
    size: int = 0
    added: int = 0
    removed: int = 0
    problem: str | None = None
    retry_after: float | None = None
    pause: float = 0.0
    keys: Sequence[bytes] | None = None
    content_key: bytes | None = None
    etag: str | None = None
    last_modified: str | None = None
    reports: tuple[Report, ...] = ()
    post: Post | None = None


def read_answer(vault: Vault, read: Read, seen: Watched, fetched: Fetched, now: datetime) -> Sight:
    """Judge an answer and tell what is new in it."""
    status = fetched.status
    if status == 304:
        return Sight(state=MonitorState.FINE, status=status)
    if status in BLOCKING or not 200 <= status < 300:
        blocked = status in BLOCKING
        return Sight(
            state=MonitorState.BLOCKED if blocked else MonitorState.UNREACHABLE,
            status=status,
            size=len(fetched.body),
            problem=f"it answered {status}",
            retry_after=_read_wait(fetched.headers.get("retry-after", ""), now),
        )
    sight = _read_body(vault, read, seen, fetched, now)
    return replace(
        sight,
        status=status,
        size=len(fetched.body),
        etag=_short(fetched.headers.get("etag"), 200),
        last_modified=_short(fetched.headers.get("last-modified"), 80),
    )


def _read_body(vault: Vault, read: Read, seen: Watched, fetched: Fetched, now: datetime) -> Sight:
    content_key = vault.digest(f"monitor content:{sha256(fetched.body).hex()}")
    if content_key == seen.content_key:
        return Sight(state=MonitorState.FINE, content_key=content_key)
    post = Post(
        method="GET",
        url=fetched.url,
        headers={name: value for name, value in fetched.headers.items() if _may_keep(name)},
        body=fetched.body,
        remote_address="",
        received_at=now,
    )
    options = {"charset": seen.charset or "", "venue": seen.venue}
    try:
        # What stands behind the question mark is the site's own, in whatever charset.
        reports = read(seen.kind, replace(post, url=_public(post.url)), options)
    except PayloadError as error:
        if len(fetched.body) < SHORT_PAGE and fetched.body.lstrip()[:1] == b"<":
            return Sight(state=MonitorState.BLOCKED, problem=BLOCKED_PAGE)
        problem = NO_FEED if seen.kind == "feed" else str(error)
        return Sight(state=MonitorState.LOST, problem=problem[:200])
    if seen.kind == "feed":
        return _compare_entries(vault, seen, reports, post, content_key)
    return _compare_rows(vault, seen, reports[0], post, content_key)


def _compare_rows(
    vault: Vault, seen: Watched, page: Report, post: Post, content_key: bytes
) -> Sight:
    hidden = hidden_on(page.text)
    if seen.selector:
        rows = select_rows(page.text, seen.selector, hidden)
    else:
        rows = cut_rows(page.text, hidden)
    keys = [_key(vault, f"monitor row:{row.key}") for row in rows or ()]
    if not rows or _looks_blocked(page.text, rows, keys, seen.known):
        return _without_rows(page.text, seen, rows)
    is_known = [key in seen.known for key in keys]
    fresh = pick_fresh(rows, is_known)
    added, removed = is_known.count(False), len(seen.known.difference(keys))
    report = replace(
        page,
        text=join_rows(fresh, hidden),
        venue=seen.venue,
        url=_public(post.url),
        details=_details(seen, added, removed),
    )
    return Sight(
        state=MonitorState.CHANGED if added or removed else MonitorState.FINE,
        added=added,
        removed=removed,
        keys=keys,
        content_key=content_key,
        reports=(report,) if added else (),
        post=post,
    )


def _compare_entries(
    vault: Vault, seen: Watched, entries: Sequence[Report], post: Post, content_key: bytes
) -> Sight:
    keys = [_key(vault, f"monitor entry:{one.message_id}\0{one.text}") for one in entries]
    fresh = [one for one, key in zip(entries, keys, strict=True) if key not in seen.known]
    removed = len(seen.known.difference(keys))
    details = _details(seen, len(fresh), removed)
    return Sight(
        # Old entries drop out of every feed: that is no change.
        state=MonitorState.CHANGED if fresh else MonitorState.FINE,
        added=len(fresh),
        removed=removed,
        keys=keys,
        content_key=content_key,
        reports=tuple(replace(one, venue=seen.venue, details=details) for one in fresh),
        post=post,
    )


def _without_rows(text: str, seen: Watched, rows: Sequence[ListingRow] | None) -> Sight:
    if rows or len(text) < SHORT_PAGE:
        return Sight(state=MonitorState.BLOCKED, problem=BLOCKED_PAGE)
    return Sight(state=MonitorState.LOST, problem=NO_PART if seen.selector else NO_ROWS)


def _looks_blocked(
    text: str, rows: Sequence[ListingRow], keys: Sequence[bytes], known: frozenset[bytes]
) -> bool:
    """Tell whether this is a note to robots: short, nothing of last time, no identifier in it."""
    if len(text) >= SHORT_PAGE or not known.isdisjoint(keys):
        return False
    if not all(row.is_context for row in rows):
        return False
    return len(known) >= MANY_ROWS or _CAPTCHA.search(text) is not None


def _details(seen: Watched, added: int, removed: int) -> dict[str, str]:
    return {
        "basis": seen.basis,
        "monitor": seen.name,
        "added": str(added),
        "removed": str(removed),
    }


def _may_keep(header: str) -> bool:
    """Tell whether an answer's header is no secret, and none by which senders speak to us."""
    return header not in _SECRET_ANSWERS and not header.startswith("x-canary-")


def _public(url: str) -> str:
    """Return an address without what may be a session in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _key(vault: Vault, text: str) -> bytes:
    return vault.digest(text)[:KEY_BYTES]


def _short(text: str | None, most: int) -> str | None:
    return text if text and len(text) <= most and text.isprintable() and text.isascii() else None


def _read_wait(text: str, now: datetime) -> float | None:
    """Read `Retry-After`: seconds, or a date."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 8:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        return (at - now).total_seconds() if at.tzinfo else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
