"""SendGrid Inbound Parse."""

from collections.abc import Mapping
from typing import Any

from webhooks import charsets
from webhooks.errors import PayloadError
from webhooks.inbound.multipart import FormPart, parts_of
from webhooks.inbound.reading import Reply
from webhooks.inbound.weak import WeakReader
from webhooks.json_strict import read_object
from webhooks.reports import Post, Report, ReportKind


class SendGridReader(WeakReader):
    """Reads a mail as a document, each field in the charset its sender named."""

    name = "sendgrid"
    methods = frozenset({"POST"})
    reply = Reply(status=200)

    def read(self, post: Post, _options: Mapping[str, Any]) -> list[Report]:
        """Return the mail."""
        parts = {part.name: part for part in reversed(parts_of(post)) if not part.filename}
        named = _charsets(parts.get("charsets"))
        decoded = {name: _decode(part, named.get(name)) for name, part in parts.items()}
        body = decoded.get("text")
        if body is None or not body.text.strip():
            body = decoded.get("html")
        if body is None or not body.text.strip():
            raise PayloadError("the mail has no text")
        said = {name: one.text.strip() for name, one in decoded.items()}
        return [
            Report(
                kind=ReportKind.DOCUMENT,
                text=body.text,
                sender=said.get("from", ""),
                receiver=said.get("to", ""),
                title=said.get("subject", ""),
                charset=body.charset,
                charset_rung=body.rung,
                details={
                    name: said[name][:500]
                    for name in ("SPF", "dkim", "attachments")
                    if said.get(name)
                },
            )
        ]


def _charsets(part: FormPart | None) -> Mapping[str, Any]:
    try:
        return read_object(part.body) if part else {}
    except PayloadError:
        return {}


def _decode(part: FormPart, label: Any) -> charsets.Decoded:
    header = f"text/plain; charset={label}" if isinstance(label, str) else ""
    return charsets.decode(part.body, header)
