"""Feishu and Lark custom bot."""

from datetime import datetime
from typing import Any

from webhooks.digests import feishu_sign
from webhooks.messages import Message
from webhooks.outbound.formats.base import (
    JSON_TYPE,
    EndpointConfig,
    Format,
    dump,
    judge_code,
)
from webhooks.outbound.formats.wording import chat_lines, cut_bytes, link_of, open_label
from webhooks.outbound.sending import Answer, Request

MOST_BYTES = 12_000
_COLOURS = {"critical": "red", "error": "orange", "warning": "yellow", "info": "blue"}
# Bad body, wrong sign, keyword or address missing on their list, bot gone.
_PERMANENT = frozenset({9499, 19001, 19002, 19021, 19022, 19024})
# Too often: a hundred a minute are taken.
_WAITS = {11232: 60.0}


class FeishuFormat(Format):
    """Sends a card of plain text, so that nothing in it is read as a mention or a link.

    The first secret signs, if there is one.
    """

    name = "feishu"

    def render(self, message: Message, config: EndpointConfig, now: datetime) -> Request:
        """Return the call, signed in its body at the time of the attempt."""
        body: dict[str, Any] = {"msg_type": "interactive", "card": _card(message)}
        if config.secrets:
            stamp = str(int(now.timestamp()))
            body = {"timestamp": stamp, "sign": feishu_sign(config.secrets[0], stamp), **body}
        return Request(url=config.url, headers={"Content-Type": JSON_TYPE}, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take a 2xx only with code 0."""
        judge_code(answer, now, ("code", "StatusCode"), _PERMANENT, _WAITS)


def _card(message: Message) -> dict[str, Any]:
    title, *lines = chat_lines(message)
    colour = _COLOURS.get(str(message.data.get("severity")), "blue")
    elements: list[dict[str, Any]] = []
    if lines:
        content = cut_bytes("\n".join(lines), MOST_BYTES)
        elements.append({"tag": "div", "text": {"tag": "plain_text", "content": content}})
    if link := link_of(message):
        label = {"tag": "plain_text", "content": open_label(message)}
        button = {"tag": "button", "type": "primary", "text": label, "url": link}
        elements.append({"tag": "action", "actions": [button]})
    header = {"template": colour, "title": {"tag": "plain_text", "content": cut_bytes(title, 600)}}
    return {"config": {"wide_screen_mode": True}, "header": header, "elements": elements}
