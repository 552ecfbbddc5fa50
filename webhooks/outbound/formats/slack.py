"""Slack incoming webhook."""

from datetime import datetime
from typing import Any

from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.outbound.formats.base import (
    JSON_TYPE,
    EndpointConfig,
    Format,
    dump,
    judge_status,
)
from webhooks.outbound.formats.wording import chat_lines, cut, link_of, open_label
from webhooks.outbound.sending import Answer, Request

MOST_HEADER = 150
MOST_SECTION = 3000


class SlackFormat(Format):
    """Sends blocks of plain text and a button; the secret is in the URL."""

    name = "slack"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call."""
        title, *lines = chat_lines(message)
        body = {
            "text": _escaped(cut(title, MOST_SECTION)),
            "blocks": _blocks(message, title, lines),
        }
        return Request(url=config.url, headers={"Content-Type": JSON_TYPE}, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take only 200 with the body `ok`."""
        judge_status(answer, now)
        if answer.body.strip() != b"ok":
            raise DeliveryError("answered something else than ok", answer=answer.excerpt)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(message: Message, title: str, lines: list[str]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(cut(title, MOST_HEADER))}]
    if lines:
        blocks.append({"type": "section", "text": _plain(cut("\n".join(lines), MOST_SECTION))})
    if link := link_of(message):
        button = {"type": "button", "text": _plain(open_label(message)), "url": link}
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
