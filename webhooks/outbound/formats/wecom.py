"""WeCom group robot."""

from datetime import datetime

from webhooks.messages import Message
from webhooks.outbound.formats.base import (
    JSON_TYPE,
    EndpointConfig,
    Format,
    dump,
    judge_code,
)
from webhooks.outbound.formats.wording import chat_text
from webhooks.outbound.sending import Answer, Request

MOST_BYTES = 2048
# Too long, wrong key, robot gone or forbidden.
_PERMANENT = frozenset({40008, 40058, 44004, 93000, 93004, 93008, 301025})
# Too often: twenty a minute are taken.
_WAITS = {45009: 60.0}


class WeComFormat(Format):
    """Sends plain text, at most 2,048 bytes; the key is in the URL."""

    name = "wecom"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call."""
        body = {"msgtype": "text", "text": {"content": chat_text(message, MOST_BYTES)}}
        return Request(url=config.url, headers={"Content-Type": JSON_TYPE}, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take a 2xx only with errcode 0."""
        judge_code(answer, now, ("errcode",), _PERMANENT, _WAITS)
