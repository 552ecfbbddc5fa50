"""SMS Gateway for Android (capcom6)."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks import charsets
from webhooks.digests import hmac_hex
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.fields import object_at, plain_number, read_time, text_at
from webhooks.inbound.options import receiver_of, zone_of
from webhooks.inbound.proofs import any_same, check_age
from webhooks.inbound.reading import JSON_TYPE, Reader, Reply
from webhooks.json_strict import read_object
from webhooks.reports import Grade, Post, Report, ReportKind

_TEXT_KINDS = frozenset({"sms:received", "sms:data-received", "mms:received", "mms:downloaded"})


class SmsGatewayReader(Reader):
    """Reads received messages; other notices, `system:ping` among them, carry no report.

    Option `receivers` maps `deviceId/simNumber` to the own number.
    """

    name = "smsgateway"
    methods = frozenset({"POST"})
    reply = Reply(status=200, content_type=JSON_TYPE, body=b"{}")

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Verify the HMAC over raw body and timestamp."""
        stamp = post.headers.get("x-timestamp", "")
        signed = post.body + stamp.encode("utf-8", "replace")
        expected = [hmac_hex(secret, signed) for secret in secrets]
        if not any_same(post.headers.get("x-signature", "").lower(), expected):
            raise SignatureError("no secret gives this signature")
        check_age(stamp, now)
        return Grade.SIGNED

    def message_id(self, post: Post) -> str | None:
        """Return the id of the notice; `messageId` is a content hash and not unique."""
        return text_at(read_object(post.body), "id") or None

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the message, if it is one."""
        notice = read_object(post.body)
        if text_at(notice, "event") not in _TEXT_KINDS:
            return []
        payload = object_at(notice, "payload")
        device, slot = text_at(notice, "deviceId"), text_at(payload, "simNumber")
        receiver = text_at(payload, "recipient") or receiver_of(options, device, slot)
        claimed_at, basis = read_time(text_at(payload, "receivedAt"), zone_of(options))
        return [
            Report(
                kind=ReportKind.SMS,
                text=_text(payload),
                sender=plain_number(text_at(payload, "sender", "phoneNumber")),
                receiver=plain_number(receiver),
                device=device,
                slot=slot,
                title=text_at(payload, "subject"),
                claimed_at=claimed_at,
                time_basis=basis,
            )
        ]


def _text(payload: Mapping[str, Any]) -> str:
    text = text_at(payload, "message", "body", "subject")
    if text:
        return text
    try:
        data = base64.b64decode(text_at(payload, "data"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PayloadError("data is not base64") from error
    if not data:
        raise PayloadError("no message")
    return charsets.decode(data).text
