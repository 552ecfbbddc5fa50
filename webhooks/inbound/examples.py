"""One post as each sender makes it, proven: for set-up pages, tests of a reporter, and drills."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from webhooks import signing
from webhooks.digests import hmac_base64, hmac_hex
from webhooks.inbound.fields import FORM_TYPE, SHANGHAI
from webhooks.inbound.readers.vonage import signed_text
from webhooks.inbound.reading import JSON_TYPE

SENDER = "10690000000"
OWN = "+8613800000000"
TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What the example shall say, where it goes and what proves it; `secret` may be empty."""

    text: str
    url: str
    secret: str
    message_id: str
    now: datetime
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stamp(self) -> int:
        """Return the time in whole seconds since 1970."""
        return int(self.now.timestamp())

    def local(self, zone: ZoneInfo = SHANGHAI) -> str:
        """Return the time as phones in China write it."""
        return f"{self.now.astimezone(zone):%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One request."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"


Make = Callable[[Ask], Example]


def make_example(shape: str, ask: Ask) -> Example:
    """Return the post a sender of this format makes. Raises KeyError for an unknown format."""
    return EXAMPLES[shape](ask)


def _bearer(ask: Ask) -> dict[str, str]:
    return {"Authorization": f"Bearer {ask.secret}"} if ask.secret else {}


def _json(ask: Ask, value: object, headers: Mapping[str, str] | None = None) -> Example:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Example(url=ask.url, body=body, headers={"Content-Type": JSON_TYPE, **(headers or {})})


def _form(ask: Ask, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Example:
    body = urlencode(fields).encode()
    return Example(url=ask.url, body=body, headers={"Content-Type": FORM_TYPE, **(headers or {})})


def _signed(ask: Ask, body: bytes, kind: str) -> Example:
    """Sign by Standard Webhooks where there is a secret; else the path has to prove it."""
    signs = signing.headers([ask.secret], ask.message_id, ask.now, body) if ask.secret else {}
    return Example(url=ask.url, body=body, headers={"Content-Type": kind, **signs})


def _standard(ask: Ask) -> Example:
    data = {"kind": "listing", "text": ask.text, "venue": "example", "claimed_at": ask.stamp}
    body = json.dumps({"type": "report", "data": data}, ensure_ascii=False).encode()
    return _signed(ask, body, JSON_TYPE)


def _smsforwarder(ask: Ask) -> Example:
    stamp = str(ask.stamp * 1000)
    fields = {"from": SENDER, "content": ask.text, "timestamp": stamp}
    if ask.secret:
        fields["sign"] = hmac_base64(ask.secret, f"{stamp}\n{ask.secret}".encode())
    return _form(ask, fields)


def _module(ask: Ask) -> Example:
    text = f"{ask.text}\n\n发件号码: {SENDER}\n发件时间: {ask.local()}\n#SMS"
    example = _json(ask, {"msgtype": "text", "text": {"content": text}})
    if not ask.secret:
        return example
    stamp = str(ask.stamp * 1000)
    sign = hmac_base64(ask.secret, f"{stamp}\n{ask.secret}".encode())
    url = f"{ask.url}?{urlencode({'timestamp': stamp, 'sign': sign})}"
    return Example(url=url, body=example.body, headers=example.headers)


def _smsgateway(ask: Ask) -> Example:
    payload = {
        "messageId": ask.message_id,
        "sender": SENDER,
        "simNumber": 1,
        "message": ask.text,
        "receivedAt": ask.now.isoformat(),
    }
    notice = {
        "id": ask.message_id,
        "webhookId": "example",
        "event": "sms:received",
        "deviceId": "example",
        "payload": payload,
    }
    example = _json(ask, notice)
    sign = hmac_hex(ask.secret, example.body + str(ask.stamp).encode())
    more = {"X-Timestamp": str(ask.stamp), "X-Signature": sign}
    return Example(url=ask.url, body=example.body, headers={**example.headers, **more})


def _httpsms(ask: Ask) -> Example:
    claims = {
        "iss": "api.httpsms.com",
        "aud": ask.url,
        "nbf": ask.stamp - 60,
        "exp": ask.stamp + 600,
    }
    event = {
        "specversion": "1.0",
        "id": ask.message_id,
        "source": "/v1/messages/receive",
        "type": "message.phone.received",
        "time": ask.now.isoformat(),
        "data": {
            "contact": SENDER,
            "content": ask.text,
            "sim": "SIM1",
            "timestamp": ask.now.isoformat(),
        },
    }
    return _json(ask, event, {"Authorization": f"Bearer {_jwt(claims, ask.secret)}"})


def _textbee(ask: Ask) -> Example:
    notice = {
        "webhookEvent": "MESSAGE_RECEIVED",
        "smsId": ask.message_id,
        "idempotencyKey": ask.message_id,
        "deviceId": "example",
        "sender": SENDER,
        "message": ask.text,
        "receivedAt": ask.now.isoformat(),
    }
    example = _json(ask, notice)
    sign = {"X-Signature": hmac_hex(ask.secret, example.body)}
    return Example(url=ask.url, body=example.body, headers={**example.headers, **sign})


def _smstourl(ask: Ask) -> Example:
    said = {
        "from": SENDER,
        "text": ask.text,
        "sentStamp": ask.stamp * 1000,
        "receivedStamp": ask.stamp * 1000,
        "sim": "SIM1",
    }
    return _json(ask, said, _bearer(ask))


def _twilio(ask: Ask) -> Example:
    fields = {
        "MessageSid": ask.message_id,
        "From": "+8613900000000",
        "To": "+18005551212",
        "Body": ask.text,
        "NumMedia": "0",
    }
    said = ask.url + "".join(name + fields[name] for name in sorted(fields))
    return _form(
        ask, fields, {"X-Twilio-Signature": hmac_base64(ask.secret, said.encode(), "sha1")}
    )


def _vonage(ask: Ask) -> Example:
    fields = {
        "msisdn": "8613900000000",
        "to": "447700900000",
        "messageId": ask.message_id,
        "text": ask.text,
        "type": "unicode",
        "message-timestamp": ask.local(ZoneInfo("UTC")),
        "timestamp": str(ask.stamp),
        "nonce": ask.message_id,
    }
    fields["sig"] = hmac_hex(ask.secret, signed_text(fields).encode())
    return _json(ask, fields)


def _plivo(ask: Ask) -> Example:
    fields = {
        "From": "8613900000000",
        "To": "14155550100",
        "Text": ask.text,
        "Type": "sms",
        "MessageUUID": ask.message_id,
    }
    joined = "".join(name + fields[name] for name in sorted(fields))
    sign = hmac_base64(ask.secret, f"{ask.url}?{joined}.{ask.message_id}".encode())
    headers = {"X-Plivo-Signature-V3": sign, "X-Plivo-Signature-V3-Nonce": ask.message_id}
    return _form(ask, fields, headers)


def _messagebird(ask: Ask) -> Example:
    payload = {
        "id": ask.message_id,
        "channelId": "example",
        "sender": {"contact": {"identifierValue": "+8613900000000"}},
        "body": {"type": "text", "text": {"text": ask.text}},
        "createdAt": ask.now.isoformat(),
    }
    example = _json(ask, {"service": "channels", "event": "sms.inbound", "payload": payload})
    said = f"{ask.stamp}\n{ask.url}\n".encode() + hashlib.sha256(example.body).digest()
    more = {
        "MessageBird-Request-Timestamp": str(ask.stamp),
        "MessageBird-Signature": hmac_base64(ask.secret, said),
    }
    return Example(url=ask.url, body=example.body, headers={**example.headers, **more})


def _uplink(**names: str) -> Make:
    """Make the example of a cloud's reply channel; `names` are its own for ours."""

    def make(ask: Ask) -> Example:
        values = {"text": ask.text, "sender": SENDER, "time": ask.local(), "id": ask.message_id}
        return _json(ask, [{names[name]: values[name] for name in names}], _bearer(ask))

    return make


def _jasmin(ask: Ask) -> Example:
    fields = {
        "id": ask.message_id,
        "from": SENDER,
        "to": OWN,
        "origin-connector": "example",
        "coding": "8",
        "binary": ask.text.encode("utf-16-be").hex(),
    }
    return _form(ask, fields, _bearer(ask))


def _page(ask: Ask) -> Example:
    return _signed(
        ask, f"<html><body>{ask.text}</body></html>".encode(), "text/html; charset=utf-8"
    )


def _feed(ask: Ask) -> Example:
    entry = f"<item><guid>{ask.message_id}</guid><title>{escape(ask.text)}</title></item>"
    body = f'<rss version="2.0"><channel>{entry}</channel></rss>'.encode()
    return _signed(ask, body, "application/rss+xml; charset=utf-8")


def _changedetection(ask: Ask) -> Example:
    said = {
        "watch_title": "example",
        "watch_url": "https://site.example/list",
        "watch_uuid": ask.message_id,
        "diff_added": ask.text,
        "diff_removed": "",
    }
    return _json(ask, said, _bearer(ask))


def _urlwatch(ask: Ask) -> Example:
    return _json(
        ask, {"text": f"CHANGED: https://site.example\n@@ -1 +1 @@\n+{ask.text}"}, _bearer(ask)
    )


def _telegram(ask: Ask) -> Example:
    message = {
        "message_id": 1,
        "date": ask.stamp,
        "chat": {"id": -100, "type": "channel", "title": "example"},
        "text": ask.text,
    }
    said = {"update_id": int(ask.message_id[-12:], 16), "channel_post": message}
    return _json(ask, said, {"X-Telegram-Bot-Api-Secret-Token": ask.secret})


def _ail(ask: Ask) -> Example:
    said = {
        "type": "tracker:match",
        "tracker": {"uuid": ask.message_id, "tracker": "example"},
        "obj": {"type": "item", "id": "example", "url": "https://ail.example/item"},
        "matches": [[0, len(ask.text), ask.text]],
    }
    return _json(ask, said, _bearer(ask))


def _mapped(ask: Ask) -> Example:
    fields = ask.options.get("fields")
    path = str(fields.get("text", "text")) if isinstance(fields, Mapping) else "text"
    value: object = ask.text
    for step in reversed(path.split(".")):
        value = [value] if step.isdigit() else {step: value}
    items = ask.options.get("items")
    if isinstance(items, str) and items:
        value = [value]
        for step in reversed(items.split(".")):
            value = {step: value}
    body = json.dumps(value, ensure_ascii=False).encode()
    return _signed(ask, body, JSON_TYPE)


def _records(ask: Ask) -> Example:
    record = {
        "number": ask.text,
        "at": ask.now.isoformat(),
        "account": "example",
        "system": "query",
    }
    return _signed(ask, json.dumps(record, ensure_ascii=False).encode(), "application/x-ndjson")


def _mailgun(ask: Ask) -> Example:
    fields = {
        "timestamp": str(ask.stamp),
        "token": hashlib.sha256(ask.message_id.encode()).hexdigest()[:50],
        "from": "example@mail.example",
        "recipient": "canary@mail.example",
        "subject": "example",
        "body-plain": ask.text,
    }
    fields["signature"] = hmac_hex(ask.secret, (fields["timestamp"] + fields["token"]).encode())
    return _form(ask, fields)


def _sendgrid(ask: Ask) -> Example:
    fields = {
        "from": "example@mail.example",
        "to": "canary@mail.example",
        "subject": "example",
        "text": ask.text,
        "charsets": '{"text": "utf-8"}',
    }
    seam = f"canary{hashlib.sha256(ask.message_id.encode()).hexdigest()[:24]}"
    parts = [
        f'--{seam}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = ("".join(parts) + f"--{seam}--\r\n").encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={seam}"}
    return Example(url=ask.url, body=body, headers={**kind, **_bearer(ask)})


def _jwt(claims: Mapping[str, Any], secret: str) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    said = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    sign = hmac.new(secret.encode(), said.encode(), "sha256").digest()
    return f"{said}.{_base64url(sign)}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


EXAMPLES: Mapping[str, Make] = {
    "standard": _standard,
    "smsforwarder": _smsforwarder,
    "page": _page,
    "feed": _feed,
    "module": _module,
    "smsgateway": _smsgateway,
    "httpsms": _httpsms,
    "textbee": _textbee,
    "smstourl": _smstourl,
    "twilio": _twilio,
    "vonage": _vonage,
    "plivo": _plivo,
    "messagebird": _messagebird,
    "aliyun": _uplink(text="content", sender="phone_number", time="send_time", id="sequence_id"),
    "tencent": _uplink(text="text", sender="mobile", time="time"),
    "volcengine": _uplink(text="content", sender="mobile", time="recv_time"),
    "qiniu": _uplink(text="content", sender="mobile", time="time"),
    "baidu": _uplink(text="content", sender="mobile", time="receiveTime"),
    "jasmin": _jasmin,
    "changedetection": _changedetection,
    "urlwatch": _urlwatch,
    "telegram": _telegram,
    "ail": _ail,
    "mapped": _mapped,
    "records": _records,
    "mailgun": _mailgun,
    "sendgrid": _sendgrid,
}
