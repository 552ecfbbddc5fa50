"""Mailgun routes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from webhooks.digests import hmac_hex
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.fields import form_of, read_time, text_at
from webhooks.inbound.multipart import is_multipart, parts_of
from webhooks.inbound.proofs import any_same, check_age, check_path
from webhooks.inbound.reading import Reader, Reply
from webhooks.reports import Grade, Post, Report, ReportKind

# It tries for four hours, and the random part is the id that makes replays harmless.
_TOLERANCE = timedelta(hours=8)


class MailgunReader(Reader):
    """Reads a mail as a document; attachments are counted, not read."""

    name = "mailgun"
    methods = frozenset({"POST"})
    reply = Reply(status=200)

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Verify the signature over time and random part; it does not cover the mail."""
        check_path(post)
        try:
            fields = _fields(post)
        except PayloadError as error:
            raise SignatureError("no readable form") from error
        stamp = text_at(fields, "timestamp")
        said = (stamp + text_at(fields, "token")).encode("utf-8", "replace")
        if not any_same(text_at(fields, "signature"), [hmac_hex(one, said) for one in secrets]):
            raise SignatureError("no secret gives this signature")
        check_age(stamp, now, tolerance=_TOLERANCE)
        return Grade.WEAK

    def message_id(self, post: Post) -> str | None:
        """Return the random part: one signature serves one mail."""
        return text_at(_fields(post), "token") or None

    def read(self, post: Post, _options: Mapping[str, Any]) -> list[Report]:
        """Return the mail."""
        fields = _fields(post)
        text = text_at(fields, "body-plain", "stripped-text", "body-html")
        if not text:
            raise PayloadError("the mail has no text")
        claimed_at, basis = read_time(text_at(fields, "timestamp"))
        return [
            Report(
                kind=ReportKind.DOCUMENT,
                text=text,
                sender=text_at(fields, "from", "sender"),
                receiver=text_at(fields, "recipient"),
                title=text_at(fields, "subject"),
                claimed_at=claimed_at,
                time_basis=basis,
                details={"attachments": text_at(fields, "attachment-count")},
            )
        ]


def _fields(post: Post) -> Mapping[str, str]:
    if not is_multipart(post):
        return form_of(post)
    parts = reversed(parts_of(post))
    return {one.name: one.body.decode("utf-8", "replace") for one in parts if not one.filename}
