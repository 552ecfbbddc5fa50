"""Plivo."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks.digests import hmac_base64
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.fields import form_of, pairs_of, plain_number, text_at
from webhooks.inbound.proofs import any_same, check_path
from webhooks.inbound.reading import Reader, Reply
from webhooks.reports import Grade, Post, Report, ReportKind


class PlivoReader(Reader):
    """Reads incoming messages by form; long ones come joined."""

    name = "plivo"
    methods = frozenset({"POST"})
    reply = Reply(status=200)

    def authenticate(self, post: Post, secrets: Sequence[str], _now: datetime) -> Grade:
        """Verify signature V3, which covers the fields; else V2, which does not."""
        v3, v2 = (post.headers.get(f"x-plivo-signature-{one}", "") for one in ("v3", "v2"))
        if v3:
            nonce = post.headers.get("x-plivo-signature-v3-nonce", "")
            _check(v3, [_sign(one, f"{_said_v3(post)}.{nonce}") for one in secrets])
            return Grade.SIGNED
        check_path(post)
        nonce = post.headers.get("x-plivo-signature-v2-nonce", "")
        base = post.url.partition("?")[0]
        _check(v2, [_sign(one, base + nonce) for one in secrets])
        return Grade.WEAK

    def message_id(self, post: Post) -> str | None:
        """Return the message's UUID."""
        return text_at(form_of(post), "MessageUUID") or None

    def read(self, post: Post, _options: Mapping[str, Any]) -> list[Report]:
        """Return the message."""
        fields = form_of(post)
        text = text_at(fields, "Text")
        if not text:
            raise PayloadError("no Text")
        return [
            Report(
                kind=ReportKind.SMS,
                text=text,
                sender=plain_number(text_at(fields, "From")),
                receiver=plain_number(text_at(fields, "To")),
            )
        ]


def _check(header: str, expected: Sequence[str]) -> None:
    given = [one.strip() for one in header.split(",")[:10]]
    if not header or not sum(any_same(one, expected) for one in given):
        raise SignatureError("no secret gives this signature")


def _sign(secret: str, said: str) -> str:
    return hmac_base64(secret, said.encode("utf-8", "replace"))


def _said_v3(post: Post) -> str:
    base, _, query = post.url.partition("?")
    try:
        sorted_query = "&".join(f"{name}={value}" for name, value in sorted(pairs_of(query)))
        fields = "".join(name + value for name, value in sorted(pairs_of(post.body)))
    except PayloadError as error:
        raise SignatureError("no readable form") from error
    if not fields:
        return f"{base}?{sorted_query}" if query else base
    # With fields the question mark stands there even when there is no query.
    return f"{base}?{sorted_query}{'.' if query else ''}{fields}"
