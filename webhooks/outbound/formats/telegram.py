"""Telegram bot."""

from datetime import datetime

from webhooks.errors import DeliveryError, PayloadError
from webhooks.json_strict import read_object
from webhooks.messages import Message
from webhooks.outbound.formats.base import (
    JSON_TYPE,
    EndpointConfig,
    Format,
    dump,
    judge_status,
)
from webhooks.outbound.formats.wording import chat_text
from webhooks.outbound.sending import Answer, Request

# 4,096 UTF-16 units; no character takes fewer bytes in UTF-8 than units in UTF-16.
MOST_BYTES = 4096


class TelegramFormat(Format):
    """Sends plain text without a parse mode or a preview.

    The URL is `https://api.telegram.org`, the first secret the bot's; option `chat_id` names the
    chat.
    """

    name = "telegram"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call."""
        chat_id = config.options.get("chat_id")
        if not config.secrets or not chat_id:
            raise DeliveryError("the endpoint has no bot secret or no chat_id", permanent=True)
        body = {
            "chat_id": chat_id,
            "text": chat_text(message, MOST_BYTES),
            "link_preview_options": {"is_disabled": True},
        }
        url = f"{config.url.rstrip('/')}/bot{config.secrets[0]}/sendMessage"
        return Request(url=url, headers={"Content-Type": JSON_TYPE}, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take a 2xx only with `ok`; a 429 says in its body how long to wait."""
        try:
            body = read_object(answer.body)
        except PayloadError:
            body = {}
        parameters = body.get("parameters")
        wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
        if answer.status == 429 and isinstance(wait, int) and wait > 0:
            raise DeliveryError("asked to wait", retry_after=wait, answer=answer.excerpt)
        judge_status(answer, now)
        if body.get("ok") is not True:
            raise DeliveryError("answered without ok", answer=answer.excerpt)
