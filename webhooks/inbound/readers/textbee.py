"""textbee."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks.digests import hmac_hex
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.fields import plain_number, read_time, text_at
from webhooks.inbound.options import receiver_of, zone_of
from webhooks.inbound.proofs import any_same
from webhooks.inbound.reading import JSON_TYPE, Reader, Reply
from webhooks.json_strict import read_object
from webhooks.reports import Grade, Post, Report, ReportKind


class TextbeeReader(Reader):
    """Reads received messages; option `receivers` maps `deviceId` to the own number."""

    name = "textbee"
    methods = frozenset({"POST"})
    reply = Reply(status=200, content_type=JSON_TYPE, body=b"{}")

    def authenticate(self, post: Post, secrets: Sequence[str], _now: datetime) -> Grade:
        """Verify the HMAC over the raw body; there is no time in it, repeats are harmless."""
        expected = [hmac_hex(secret, post.body) for secret in secrets]
        given = post.headers.get("x-signature", "").lower().removeprefix("sha256=")
        if not any_same(given, expected):
            raise SignatureError("no secret gives this signature")
        return Grade.SIGNED

    def message_id(self, post: Post) -> str | None:
        """Return the idempotency key, kept by the sender for a month of retries."""
        return text_at(read_object(post.body), "idempotencyKey", "smsId") or None

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the message; other notices carry no report."""
        notice = read_object(post.body)
        if text_at(notice, "webhookEvent") != "MESSAGE_RECEIVED":
            return []
        text = text_at(notice, "message")
        if not text:
            raise PayloadError("no message")
        device = text_at(notice, "deviceId")
        claimed_at, basis = read_time(text_at(notice, "receivedAt"), zone_of(options))
        return [
            Report(
                kind=ReportKind.SMS,
                text=text,
                sender=plain_number(text_at(notice, "sender")),
                receiver=plain_number(receiver_of(options, device, "")),
                device=device,
                claimed_at=claimed_at,
                time_basis=basis,
            )
        ]
