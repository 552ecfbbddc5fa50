"""The jasmin SMS gateway."""

import binascii
from collections.abc import Mapping
from typing import Any

from webhooks.errors import PayloadError
from webhooks.inbound.fields import MOST_FIELDS, pairs_of, plain_number, text_at
from webhooks.inbound.reading import Reply
from webhooks.inbound.weak import WeakReader
from webhooks.reports import Post, Report, ReportKind

_CODECS = {"0": "latin-1", "1": "ascii", "3": "latin-1", "8": "utf-16-be"}


class JasminReader(WeakReader):
    """Reads messages from `binary`: `content` of Chinese ones is no text in any charset of ours."""

    name = "jasmin"
    methods = frozenset({"GET", "POST"})
    reply = Reply(status=200, body=b"ACK/Jasmin")

    def message_id(self, post: Post) -> str | None:
        """Return the message's id."""
        return text_at(_fields(post), "id") or None

    def read(self, post: Post, _options: Mapping[str, Any]) -> list[Report]:
        """Return the message."""
        fields = _fields(post)
        text, charset = _text(fields)
        if not text:
            raise PayloadError("neither binary nor content")
        return [
            Report(
                kind=ReportKind.SMS,
                text=text,
                sender=plain_number(text_at(fields, "from")),
                receiver=plain_number(text_at(fields, "to")),
                device=text_at(fields, "origin-connector"),
                charset=charset,
                charset_rung="header",
            )
        ]


def _fields(post: Post) -> dict[str, str]:
    raw = post.body.decode("latin-1") if post.body else post.query
    if raw.count("&") > MOST_FIELDS:
        raise PayloadError("more than 1000 fields")
    # Chinese content is raw UTF-16 and must not spoil the other fields.
    kept = "&".join(part for part in raw.split("&") if not part.startswith("content="))
    content = [part for part in raw.split("&") if part.startswith("content=")]
    fields = dict(reversed(pairs_of(kept)))
    try:
        return fields | dict(pairs_of("&".join(content)))
    except PayloadError:
        return fields


def _text(fields: Mapping[str, str]) -> tuple[str, str]:
    charset = _CODECS.get(fields.get("coding", "0"), "latin-1")
    if not fields.get("binary"):
        return fields.get("content", ""), "utf-8"
    try:
        return binascii.unhexlify(fields["binary"]).decode(charset, "replace"), charset
    except (binascii.Error, ValueError) as error:
        raise PayloadError("binary is not hex") from error
