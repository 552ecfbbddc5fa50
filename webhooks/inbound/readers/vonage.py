"""Vonage (Nexmo) SMS."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from webhooks.digests import hmac_hex
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.fields import fields_of, plain_number, read_time, text_at
from webhooks.inbound.proofs import any_same, check_age
from webhooks.inbound.reading import Reader, Reply
from webhooks.reports import Grade, Part, Post, Report, ReportKind

_ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
# It sends again for a day, with the first signature.
_TOLERANCE = timedelta(hours=25)


class VonageReader(Reader):
    """Reads incoming messages by GET, form or JSON, whichever the account is set to."""

    name = "vonage"
    methods = frozenset({"GET", "POST"})
    reply = Reply(status=200)

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Verify `sig` over all fields, by the MD5 hash or any of the four HMACs."""
        try:
            fields = fields_of(post)
        except PayloadError as error:
            raise SignatureError("no readable fields") from error
        said = signed_text(fields)
        expected = [digest for secret in secrets for digest in digests(said, secret)]
        if not any_same(text_at(fields, "sig").lower(), expected):
            raise SignatureError("no secret gives this signature")
        check_age(text_at(fields, "timestamp"), now, tolerance=_TOLERANCE)
        return Grade.SIGNED

    def message_id(self, post: Post) -> str | None:
        """Return the message's id; each part of a long one has its own."""
        return text_at(fields_of(post), "messageId") or None

    def read(self, post: Post, _options: Mapping[str, Any]) -> list[Report]:
        """Return the message or the part of one."""
        fields = fields_of(post)
        text = text_at(fields, "text")
        if not text:
            raise PayloadError("no text")
        claimed_at, basis = read_time(text_at(fields, "message-timestamp"), UTC)
        return [
            Report(
                kind=ReportKind.SMS,
                text=text,
                sender=plain_number(text_at(fields, "msisdn")),
                receiver=plain_number(text_at(fields, "to")),
                claimed_at=claimed_at,
                time_basis=basis,
                part=_part(fields),
            )
        ]


def signed_text(fields: Mapping[str, Any]) -> str:
    """Return the text that is signed: sorted `&key=value`, separators in values replaced."""
    names = sorted(name for name in fields if name != "sig")
    values = ((name, str(fields[name]).replace("&", "_").replace("=", "_")) for name in names)
    return "".join(f"&{name}={value}" for name, value in values)


def digests(said: str, secret: str) -> list[str]:
    """Return what each signature kind makes of a text."""
    raw = said.encode("utf-8", "replace")
    # The account's default; Vonage fixed the construction, not we.
    hashed = hashlib.md5(raw + secret.encode(), usedforsecurity=False).hexdigest()
    return [hashed, *(hmac_hex(secret, raw, one) for one in _ALGORITHMS)]


def _part(fields: Mapping[str, Any]) -> Part | None:
    number, total = text_at(fields, "concat-part"), text_at(fields, "concat-total")
    if not all(one.isascii() and one.isdigit() and len(one) < 4 for one in (number, total)):
        return None
    if not 1 <= int(number) <= int(total) <= 255:
        return None
    reference = text_at(fields, "concat-ref")
    return Part(reference=reference, number=int(number), total=int(total))
