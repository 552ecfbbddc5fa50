"""Twilio Messaging."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from webhooks.digests import hmac_base64
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.fields import is_json, pairs_of, plain_number, query_of, text_at
from webhooks.inbound.proofs import any_same, same
from webhooks.inbound.reading import Reader, Reply
from webhooks.json_strict import read_object
from webhooks.reports import Grade, Post, Report, ReportKind

_ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORT = re.compile(r":\d{1,5}$")


class TwilioReader(Reader):
    """Reads incoming messages by form or GET."""

    name = "twilio"
    methods = frozenset({"GET", "POST"})
    reply = Reply(
        status=200,
        content_type="text/xml; charset=utf-8",
        body=b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
    )

    def authenticate(self, post: Post, secrets: Sequence[str], _now: datetime) -> Grade:
        """Verify the HMAC over the public URL, with and without its port, and the fields.

        SHA-1 under the account's secret, or what the settings header names under a shared key.
        """
        algorithm = _algorithm(post.headers.get("x-twilio-webhooks-signature-settings", ""))
        try:
            said = _said(post)
        except PayloadError as error:
            raise SignatureError("no readable form") from error
        expected = [
            hmac_base64(secret, (url + said).encode("utf-8", "replace"), algorithm)
            for secret in secrets
            for url in _spellings(post.url)
        ]
        if not any_same(post.headers.get("x-twilio-signature", ""), expected):
            raise SignatureError("no secret gives this signature")
        return Grade.SIGNED

    def message_id(self, post: Post) -> str | None:
        """Return the message's SID."""
        return text_at(_fields(post), "MessageSid", "SmsSid", "SmsMessageSid") or None

    def read(self, post: Post, _options: Mapping[str, Any]) -> list[Report]:
        """Return the message; a message of media alone has their addresses as text."""
        fields = _fields(post)
        media = [text for n in range(10) if (text := text_at(fields, f"MediaUrl{n}"))]
        text = text_at(fields, "Body") or "\n".join(media)
        if not text:
            raise PayloadError("no Body")
        return [
            Report(
                kind=ReportKind.SMS,
                text=text,
                sender=plain_number(text_at(fields, "From")),
                receiver=plain_number(text_at(fields, "To")),
                details={"media": "\n".join(media)} if media else {},
            )
        ]


def _algorithm(settings: str) -> str:
    pairs = (part.partition("=") for part in settings[:500].split(","))
    named = {name.strip(): value.strip() for name, _, value in pairs}
    found = _ALGORITHMS.get(named.get("algorithm") or "HMAC_SHA1")
    if found is None:
        raise SignatureError("unknown signature algorithm")
    return found


def _fields(post: Post) -> Mapping[str, Any]:
    if is_json(post):
        return read_object(post.body)
    return dict(pairs_of(post.body)) if post.body else query_of(post)


def _said(post: Post) -> str:
    if not is_json(post):
        pairs = sorted(set(pairs_of(post.body)))
        return "".join(name + value for name, value in pairs)
    digest = hashlib.sha256(post.body).hexdigest()
    if not same(query_of(post).get("bodySHA256", ""), digest):
        raise SignatureError("the body's digest is not in the URL")
    return ""


def _spellings(url: str) -> list[str]:
    parts = urlsplit(url)
    bare = _PORT.sub("", parts.netloc)
    port = 443 if parts.scheme == "https" else 80
    hosts = dict.fromkeys((parts.netloc, bare, f"{bare}:{port}"))
    rest = url.partition("://")[2][len(parts.netloc) :]
    return [f"{parts.scheme}://{host}{rest}" for host in hosts]
