"""RSS and Atom: each entry is a report of its own."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from webhooks import charsets
from webhooks.errors import PayloadError
from webhooks.inbound.fields import read_time
from webhooks.inbound.options import content_type_of
from webhooks.inbound.reading import ACCEPTED
from webhooks.inbound.weak import OpenReader
from webhooks.reports import Post, Report, ReportKind, TimeBasis

MOST_ENTRIES = 1000
_ROOT = re.compile(r"<(?:[A-Za-z]{1,20}:)?(?:rss|feed|RDF)\b")
_PROLOG = 4000
_TEXTS = ("encoded", "content", "description", "summary")
_TIMES = ("pubDate", "published", "updated", "date")


class FeedReader(OpenReader):
    """Reads RSS 0.9 to 2.0, RDF and Atom in any charset; no document types, no entities."""

    name = "feed"
    methods = frozenset({"POST", "PUT"})
    reply = ACCEPTED

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the entries, in their order; an entry's own id is its message id."""
        decoded = charsets.decode(post.body, content_type_of(post, options))
        venue = str(options.get("venue", ""))
        entries = _entries(decoded.text)
        return [_report(entry, venue, decoded) for entry in entries]


def _entries(text: str) -> list[Any]:
    from lxml import etree

    begins = _ROOT.search(text[:_PROLOG])
    if begins is None or "<!doctype" in text[: begins.start()].lower():
        raise PayloadError("no feed")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, recover=True
    )
    # Its own declaration may name another charset; it is text already.
    try:
        root = etree.fromstring(text[begins.start() :].encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise PayloadError("the feed cannot be read") from error
    if root is None:
        raise PayloadError("the feed cannot be read")
    found = (one for one in root.iter("{*}item", "{*}entry"))
    return [one for one, _ in zip(found, range(MOST_ENTRIES), strict=False)]


def _report(entry: Any, venue: str, decoded: charsets.Decoded) -> Report:
    parts = {_local(child): child for child in reversed(entry) if isinstance(child.tag, str)}
    title = _plain(parts.get("title"))
    said = next((text for name in _TEXTS if (text := _markup(parts.get(name)))), "")
    link = _link(entry)
    claimed_at, basis = _time(_plain(parts.get(name)) for name in _TIMES)
    return Report(
        kind=ReportKind.LISTING,
        text=f"{title}\n{said}".strip("\n"),
        venue=venue,
        title=title[:200],
        url=link[:2000],
        sender=_plain(parts.get("author"))[:200] or _plain(parts.get("creator"))[:200],
        claimed_at=claimed_at,
        time_basis=basis,
        charset=decoded.charset,
        charset_rung=decoded.rung,
        message_id=(_plain(parts.get("guid")) or _plain(parts.get("id")) or link)[:500],
    )


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _plain(element: Any) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _markup(element: Any) -> str:
    """Return the text of an element, which is markup itself; XHTML inside is written out."""
    from lxml import etree

    if element is None:
        return ""
    inner = "".join(
        etree.tostring(child, encoding="unicode") for child in element if isinstance(child.tag, str)
    )
    return (element.text or "").strip() + inner


def _link(entry: Any) -> str:
    for child in entry.iterchildren("{*}link"):
        if child.get("rel", "alternate") == "alternate":
            return str(child.get("href") or "").strip() or _plain(child)
    return ""


def _time(texts: Iterable[str]) -> tuple[datetime | None, TimeBasis]:
    for text in texts:
        with suppress(ValueError, OverflowError, TypeError, IndexError):
            at = parsedate_to_datetime(text)
            if at.tzinfo is not None:
                return at.astimezone(UTC), TimeBasis.STATED
        found = read_time(text)
        if found[0] is not None:
            return found
    return None, TimeBasis.NONE
