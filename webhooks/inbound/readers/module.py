"""4G modules (Air780E family) that speak to chat robots, with us as the robot."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks.digests import feishu_sign, hmac_base64
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.envelopes import open_labelled
from webhooks.inbound.fields import (
    content_key,
    fields_of,
    plain_number,
    query_of,
    read_time,
    text_at,
)
from webhooks.inbound.options import receiver_of, zone_of
from webhooks.inbound.proofs import any_same, check_age, check_path, prove_weakly
from webhooks.inbound.reading import JSON_TYPE, Reader, Reply
from webhooks.reports import Grade, Post, Report, ReportKind

# DingTalk, WeCom and Feishu, Slack, Discord and Telegram, ServerChan, Gotify; last the templates
# users write themselves.
_TEXTS = (
    "text.content",
    "content.text",
    "markdown.content",
    "markdown.text",
    "text",
    "content",
    "desp",
    "message",
    "msg",
    "body",
)


class ModuleReader(Reader):
    """Reads every robot's shape; the reply satisfies all of them.

    Options: `fields` maps `text sender receiver time` to paths; `receivers` maps the module's
    `device` (query field) to its number.
    """

    name = "module"
    methods = frozenset({"GET", "POST", "PUT"})
    reply = Reply(
        status=200,
        content_type=JSON_TYPE,
        body=b'{"errcode":0,"errmsg":"ok","code":0,"msg":"success"}',
    )

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Check DingTalk's sign in the query or Feishu's in the body, else the secret path."""
        check_path(post)
        try:
            query, fields = query_of(post), fields_of(post)
        except PayloadError:
            return prove_weakly(post, secrets)
        if "sign" in query:
            stamp = query.get("timestamp", "")
            expected = [hmac_base64(one, f"{stamp}\n{one}".encode()) for one in secrets]
            return _checked(query["sign"], expected, stamp, now, per_second=1000)
        if text_at(fields, "sign") and text_at(fields, "timestamp"):
            stamp = text_at(fields, "timestamp")
            expected = [feishu_sign(one, stamp) for one in secrets]
            return _checked(text_at(fields, "sign"), expected, stamp, now, per_second=1)
        return prove_weakly(post, secrets)

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the message with the module's own lines lifted out."""
        fields, query = fields_of(post), query_of(post)
        mapped = options.get("fields")
        paths = mapped if isinstance(mapped, Mapping) else {}
        said = text_at(fields, *((str(paths["text"]),) if paths.get("text") else _TEXTS))
        envelope = open_labelled(said)
        if not envelope.text.strip():
            raise PayloadError("no text in any robot's place")
        device = query.get("device", "") or envelope.device
        receiver = text_at(fields, str(paths.get("receiver", "to"))) or envelope.receiver
        time = text_at(fields, str(paths.get("time", "time"))) or envelope.time
        claimed_at, basis = read_time(time, zone_of(options))
        sender = text_at(fields, str(paths.get("sender", "from"))) or envelope.sender
        return [
            Report(
                kind=ReportKind.SMS,
                text=envelope.text,
                sender=plain_number(sender),
                receiver=plain_number(receiver or receiver_of(options, device, envelope.slot)),
                device=device,
                slot=envelope.slot,
                title=text_at(fields, "title"),
                claimed_at=claimed_at,
                time_basis=basis,
                # Modules send again after a power cut, with other lines below the same text.
                message_id=content_key(sender, envelope.text, time) if time else "",
                details={"envelope": "\n".join(envelope.lines)} if envelope.lines else {},
            )
        ]


def _checked(
    given: str, expected: Sequence[str], stamp: str, now: datetime, *, per_second: int
) -> Grade:
    if not any_same(given.replace(" ", "+"), expected):
        raise SignatureError("no secret gives this sign")
    check_age(stamp, now, per_second=per_second)
    return Grade.WEAK
