"""httpSMS."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.fields import object_at, plain_number, read_time, text_at
from webhooks.inbound.jwts import check_span, read_jwt
from webhooks.inbound.options import zone_of
from webhooks.inbound.proofs import check_path, shown_secret
from webhooks.inbound.reading import JSON_TYPE, Reader, Reply
from webhooks.json_strict import read_object
from webhooks.reports import Grade, Post, Report, ReportKind

_KINDS = {"message.phone.received": ReportKind.SMS, "message.call.missed": ReportKind.CALL}
_ISSUER = "api.httpsms.com"


class HttpSmsReader(Reader):
    """Reads received messages and missed calls; the receiver is the `owner`."""

    name = "httpsms"
    methods = frozenset({"POST"})
    reply = Reply(status=200, content_type=JSON_TYPE, body=b"{}")

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Verify the JWT for our URL; it does not cover the body."""
        check_path(post)
        claims = read_jwt(shown_secret(post), secrets, ("HS256",))
        audience = claims.get("aud")
        ours = post.url.partition("?")[0]
        named = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != _ISSUER or not any(one in (ours, post.url) for one in named):
            raise SignatureError("the JWT is not for this address")
        check_span(claims, now)
        return Grade.WEAK

    def message_id(self, post: Post) -> str | None:
        """Return the CloudEvents id."""
        return text_at(read_object(post.body), "id") or None

    def read(self, post: Post, options: Mapping[str, Any]) -> list[Report]:
        """Return the message or missed call; other notices carry no report."""
        notice = read_object(post.body)
        kind = _KINDS.get(text_at(notice, "type"))
        if kind is None:
            return []
        data = object_at(notice, "data")
        if data.get("encrypted") is True:
            raise PayloadError("the text is encrypted; switch that off in the app")
        text = text_at(data, "content") or ("missed call" if kind is ReportKind.CALL else "")
        if not text:
            raise PayloadError("no content")
        claimed_at, basis = read_time(text_at(data, "timestamp"), zone_of(options))
        return [
            Report(
                kind=kind,
                text=text,
                sender=plain_number(text_at(data, "contact")),
                receiver=plain_number(text_at(data, "owner")),
                slot=text_at(data, "sim"),
                claimed_at=claimed_at,
                time_basis=basis,
            )
        ]
