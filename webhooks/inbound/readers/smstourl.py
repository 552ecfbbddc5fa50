"""Incoming SMS to URL (bogkonstantin)."""

from collections.abc import Mapping
from typing import Any

from webhooks.errors import PayloadError
from webhooks.inbound.fields import content_key, plain_number, read_time, text_at
from webhooks.inbound.options import receiver_of
from webhooks.inbound.reading import JSON_TYPE, Reply
from webhooks.inbound.weak import WeakReader
from webhooks.json_strict import read_object
from webhooks.reports import Post, Report, ReportKind


class SmsToUrlReader(WeakReader):
    """Reads the app's default template; option `receivers` maps `/sim` to the own number."""

    name = "smstourl"
    methods = frozenset({"POST"})
    reply = Reply(status=200, content_type=JSON_TYPE, body=b"{}")

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the message."""
        fields = read_object(post.body)
        text, sender = text_at(fields, "text"), text_at(fields, "from")
        if not text:
            raise PayloadError("no text")
        stamp = text_at(fields, "sentStamp", "receivedStamp")
        claimed_at, basis = read_time(stamp)
        slot = text_at(fields, "sim")
        return [
            Report(
                kind=ReportKind.SMS,
                text=text,
                sender=plain_number(sender),
                receiver=plain_number(receiver_of(options, "", slot)),
                slot=slot,
                claimed_at=claimed_at,
                time_basis=basis,
                message_id=content_key(sender, text, stamp) if stamp else "",
            )
        ]
