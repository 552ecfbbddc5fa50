"""Telegram bot updates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks.errors import SignatureError
from webhooks.inbound.fields import find, read_time, text_at
from webhooks.inbound.proofs import any_same, check_path
from webhooks.inbound.reading import Reader, Reply
from webhooks.json_strict import read_object
from webhooks.reports import Grade, Post, Report, ReportKind

_MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post")


class TelegramReader(Reader):
    """Reads messages and posts; media without words carry no report."""

    name = "telegram"
    methods = frozenset({"POST"})
    reply = Reply(status=200)

    def authenticate(self, post: Post, secrets: Sequence[str], _now: datetime) -> Grade:
        """Compare the bot's secret header; it does not cover the body."""
        check_path(post)
        given = post.headers.get("x-telegram-bot-api-secret-token", "")
        if not any_same(given, secrets):
            raise SignatureError("not the bot's secret")
        return Grade.WEAK

    def message_id(self, post: Post) -> str | None:
        """Return the update's id."""
        return text_at(read_object(post.body), "update_id") or None

    def read(self, post: Post, _options: Mapping[str, Any]) -> list[Report]:
        """Return the message's text or caption."""
        update = read_object(post.body)
        found = (find(update, name) for name in _MESSAGES)
        message = next((one for one in found if isinstance(one, Mapping)), {})
        text = text_at(message, "text", "caption")
        if not text:
            return []
        claimed_at, basis = read_time(text_at(message, "date"))
        username = text_at(message, "chat.username")
        number = text_at(message, "message_id")
        forwarded = text_at(
            message, "forward_origin.chat.title", "forward_origin.sender_user.username"
        )
        return [
            Report(
                kind=ReportKind.LISTING,
                text=text,
                sender=text_at(message, "from.username", "from.id", "sender_chat.username"),
                venue=text_at(message, "chat.title", "chat.username", "chat.id"),
                url=f"https://t.me/{username}/{number}" if username and number else "",
                claimed_at=claimed_at,
                time_basis=basis,
                details={"forwarded_from": forwarded} if forwarded else {},
            )
        ]
