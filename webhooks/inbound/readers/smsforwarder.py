"""SmsForwarder on Android: form, JSON, text and GET, messages, calls and notifications."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from webhooks import charsets
from webhooks.digests import hmac_base64
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.envelopes import Envelope, open_display, receiver_in
from webhooks.inbound.fields import (
    FORM_TYPE,
    content_key,
    details_of,
    fields_of,
    is_json,
    plain_number,
    read_time,
    text_at,
)
from webhooks.inbound.options import receiver_of, zone_of
from webhooks.inbound.proofs import (
    any_same,
    check_age,
    check_path,
    prove_weakly,
    shown_secret,
)
from webhooks.inbound.reading import JSON_TYPE, Reader, Reply
from webhooks.reports import Grade, Post, Report, ReportKind

_NAMES = {
    "text": ("org_content", "content", "msg", "sms", "text", "message"),
    "sender": ("from", "sender", "phone"),
    "title": ("title",),
    "slot": ("card_slot", "slot", "sim"),
    "device": ("device_mark", "device_name", "device"),
    "time": ("receive_time", "time"),
    "timestamp": ("timestamp",),
    "sign": ("sign",),
    "call": ("call_type",),
}
_SECRET_NAMES = ("sign", "timestamp")
_PACKAGE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-zA-Z0-9_]+){1,8}")
_CALL = re.compile(
    r"\s{0,9}(?:(?:通话|呼叫|来电)类型\s?[:：]|(?:未接来电|来电挂机|来电提醒|未接通话)\s{0,9}(?:$|\n|[:：]))"
)
_SLOT = re.compile(r"\s{0,9}(?:SIM|卡)?\s?([12])(?![0-9])", re.IGNORECASE)


class SmsForwarderReader(Reader):
    """Reads every mode of the app's webhook channel.

    Options: `fields` maps our names (`text sender title slot device time call`) to paths in the
    user's template; `receivers` maps `device/slot` to the own number; `timezone` is the phone's.
    """

    name = "smsforwarder"
    methods = frozenset({"GET", "POST", "PUT", "PATCH"})
    reply = Reply(status=200, content_type=JSON_TYPE, body=b'{"code":0,"msg":"ok"}')

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Check the app's sign, which proves a moment and not the body: never better than weak."""
        check_path(post)
        try:
            fields = _fields(post)
        except PayloadError:
            fields = {}
        sign, timestamp = text_at(fields, "sign"), text_at(fields, "timestamp")
        if not sign:
            return _without_sign(post, secrets)
        expected = [hmac_base64(secret, f"{timestamp}\n{secret}".encode()) for secret in secrets]
        if not sum(any_same(form, expected) for form in _plain_forms(sign)):
            raise SignatureError("no secret gives this sign")
        check_age(timestamp, now, per_second=1000)
        return Grade.WEAK

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the message, call or notification."""
        if _is_text(post):
            decoded = charsets.decode(post.body, post.headers.get("content-type", ""))
            return [_report({"content": decoded.text}, options, decoded.charset, decoded.rung)]
        return [_report(_fields(post), options, "utf-8", "utf-8")]


def _without_sign(post: Post, secrets: Sequence[str]) -> Grade:
    # A secret path alone must not stand in for the sign of a reporter that has a secret.
    if secrets and not any_same(shown_secret(post), secrets):
        raise SignatureError("the sign is missing")
    return prove_weakly(post, secrets)


def _is_text(post: Post) -> bool:
    return bool(post.body) and post.content_type.startswith("text/") and not is_json(post)


def _fields(post: Post) -> Mapping[str, Any]:
    if post.body and post.content_type not in ("", FORM_TYPE) and not is_json(post):
        raise PayloadError("neither form, JSON nor text", status=415)
    return fields_of(post)


def _plain_forms(sign: str) -> list[str]:
    """Return the sign as sent and with one, two and three layers of percent-encoding removed."""
    forms = [sign[:600]]
    for _ in range(3):
        forms.append(unquote(forms[-1], errors="replace"))
    return [form.replace(" ", "+") for form in forms]


def _report(
    fields: Mapping[str, Any], options: Mapping[str, Any], charset: str, rung: str
) -> Report:
    said = {name: _value(fields, options, name) for name in _NAMES}
    if not said["text"]:
        raise PayloadError("no text; use [org_content] or [content] in the template")
    envelope = open_display(said["text"], {"sender": said["sender"], "device": said["device"]})
    if not envelope.text.strip():
        raise PayloadError("the message has no text")
    sender = said["sender"] or envelope.sender
    time = said["time"] or envelope.time
    zone = zone_of(options)
    claimed_at, basis = read_time(time or said["timestamp"], zone)
    device = said["device"] or envelope.device
    slot = _slot(said["slot"]) or envelope.slot
    return Report(
        kind=_kind(said, envelope),
        text=envelope.text,
        sender=plain_number(sender),
        receiver=_receiver(options, said, envelope, device, slot),
        device=device,
        slot=slot,
        title=said["title"],
        claimed_at=claimed_at,
        time_basis=basis,
        charset=charset,
        charset_rung=rung,
        message_id=content_key(sender, envelope.text, time or said["timestamp"]),
        details=_details(fields, envelope),
    )


def _value(fields: Mapping[str, Any], options: Mapping[str, Any], name: str) -> str:
    mapped = options.get("fields")
    path = mapped.get(name) if isinstance(mapped, Mapping) else None
    return text_at(fields, *((str(path),) if path else _NAMES[name]))


def _slot(text: str) -> str:
    found = _SLOT.match(text)
    return found[1] if found else ""


def _receiver(
    options: Mapping[str, Any], said: Mapping[str, str], envelope: Envelope, device: str, slot: str
) -> str:
    number = receiver_of(options, device, slot) or receiver_in(said["slot"]) or envelope.receiver
    return plain_number(number)


def _kind(said: Mapping[str, str], envelope: Envelope) -> ReportKind:
    if said["call"].strip() not in ("", "0") or _CALL.match(envelope.text):
        return ReportKind.CALL
    if _PACKAGE.fullmatch(said["sender"] or envelope.sender):
        return ReportKind.DOCUMENT
    return ReportKind.SMS


def _details(fields: Mapping[str, Any], envelope: Envelope) -> dict[str, str]:
    texts = {name for names in _NAMES.values() for name in names}
    details = details_of(fields, texts.union(_SECRET_NAMES))
    if envelope.lines:
        details["envelope"] = "\n".join(envelope.lines)
    return details
