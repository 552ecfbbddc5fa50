"""Any page or text, as raw bytes in any charset."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from webhooks import charsets
from webhooks.errors import PayloadError
from webhooks.inbound.fields import query_of
from webhooks.inbound.options import content_type_of
from webhooks.inbound.reading import ACCEPTED
from webhooks.inbound.weak import OpenReader
from webhooks.reports import Post, Report, ReportKind

_BINARY = ("image/", "audio/", "video/", "font/", "multipart/")
_BINARY_TYPES = frozenset({"application/pdf", "application/zip", "application/gzip"})


class PageReader(OpenReader):
    """Keeps the decoded source text; matching reads through its tags.

    Venue and address come from `X-Canary-Venue`, `X-Canary-Url` and `X-Canary-Title`, or from
    `venue`, `url` and `title` in the query; header values may be percent-encoded UTF-8.
    """

    name = "page"
    methods = frozenset({"POST", "PUT"})
    reply = ACCEPTED

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the page as one report."""
        if post.content_type.startswith(_BINARY) or post.content_type in _BINARY_TYPES:
            raise PayloadError("not a text", status=415)
        if not post.body.strip():
            raise PayloadError("the body is empty")
        decoded = charsets.decode(post.body, content_type_of(post, options))
        query = query_of(post)
        return [
            Report(
                kind=ReportKind.LISTING,
                text=decoded.text,
                venue=_named(post, query, "venue") or str(options.get("venue", "")),
                url=_named(post, query, "url"),
                title=_named(post, query, "title"),
                charset=decoded.charset,
                charset_rung=decoded.rung,
            )
        ]


def _named(post: Post, query: Mapping[str, str], name: str) -> str:
    header = post.headers.get(f"x-canary-{name}", "")
    return unquote(header, errors="replace") or query.get(name, "")
