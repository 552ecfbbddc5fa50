"""Bird, and MessageBird as it was."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks.digests import hmac_base64
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.fields import (
    fields_of,
    is_json,
    object_at,
    plain_number,
    read_time,
    text_at,
)
from webhooks.inbound.jwts import check_span, read_jwt
from webhooks.inbound.options import receiver_of, zone_of
from webhooks.inbound.proofs import any_same, check_age, same
from webhooks.inbound.reading import Reader, Reply
from webhooks.reports import Grade, Post, Report, ReportKind

_JWT_HEADER = "messagebird-signature-jwt"


class MessageBirdReader(Reader):
    """Reads Bird's notices and the older form posts.

    Option `receivers` maps Bird's `channelId` to the own number.
    """

    name = "messagebird"
    methods = frozenset({"POST"})
    reply = Reply(status=200)

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Verify Bird's signature, or the older JWT with the digests of URL and body."""
        if _JWT_HEADER in post.headers:
            _check_jwt(post, secrets, now)
            return Grade.SIGNED
        stamp = post.headers.get("messagebird-request-timestamp", "")
        body_digest = hashlib.sha256(post.body).digest()
        said = f"{stamp}\n{post.url}\n".encode("utf-8", "replace") + body_digest
        expected = [hmac_base64(secret, said) for secret in secrets]
        if not any_same(post.headers.get("messagebird-signature", ""), expected):
            raise SignatureError("no secret gives this signature")
        check_age(stamp, now)
        return Grade.SIGNED

    def message_id(self, post: Post) -> str | None:
        """Return the message's id."""
        return text_at(fields_of(post), "payload.id", "id") or None

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the message; Bird's other notices carry no report."""
        fields = fields_of(post)
        if not is_json(post):
            return [_classic(fields, options)]
        if text_at(fields, "event") != "sms.inbound":
            return []
        payload = object_at(fields, "payload")
        channel = text_at(payload, "channelId")
        claimed_at, basis = read_time(text_at(payload, "createdAt"), zone_of(options))
        return [
            Report(
                kind=ReportKind.SMS,
                text=_given(text_at(payload, "body.text.text")),
                sender=plain_number(text_at(payload, "sender.contact.identifierValue")),
                receiver=plain_number(receiver_of(options, channel, "")),
                device=channel,
                claimed_at=claimed_at,
                time_basis=basis,
            )
        ]


def _classic(fields: Mapping[str, Any], options: Mapping[str, Any]) -> Report:
    claimed_at, basis = read_time(text_at(fields, "createdDatetime"), zone_of(options))
    return Report(
        kind=ReportKind.SMS,
        text=_given(text_at(fields, "body")),
        sender=plain_number(text_at(fields, "originator")),
        receiver=plain_number(text_at(fields, "recipient")),
        claimed_at=claimed_at,
        time_basis=basis,
    )


def _given(text: str) -> str:
    if not text:
        raise PayloadError("no text")
    return text


def _check_jwt(post: Post, secrets: Sequence[str], now: datetime) -> None:
    claims = read_jwt(post.headers[_JWT_HEADER], secrets, ("HS256", "HS384", "HS512"))
    url_digest = hashlib.sha256(post.url.encode("utf-8", "replace")).hexdigest()
    body_digest = hashlib.sha256(post.body).hexdigest()
    if claims.get("iss") != "MessageBird" or not same(str(claims.get("url_hash")), url_digest):
        raise SignatureError("the JWT is not for this address")
    if post.body and not same(str(claims.get("payload_hash")), body_digest):
        raise SignatureError("the JWT is not for this body")
    check_span(claims, now)
