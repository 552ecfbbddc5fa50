"""DingTalk group robot."""

from datetime import datetime
from urllib.parse import quote_plus

from webhooks.digests import hmac_base64
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

MOST_BYTES = 18_000
# Bad robot, wrong sign or keyword or address, bad parameters: none of them heals by itself.
_PERMANENT = frozenset({300001, 300005, 310000, 400101, 400102, 400106, 430101, 430102})
# Too fast: the robot takes nothing for ten minutes.
_WAITS = {130101: 600.0}


class DingTalkFormat(Format):
    """Sends plain text, which the robot does not interpret.

    The first secret signs, if there is one. Options: `keyword` is put in front when the robot
    demands one; `at_mobiles` lists whom to call.
    """

    name = "dingtalk"

    def render(self, message: Message, config: EndpointConfig, now: datetime) -> Request:
        """Return the call, signed in its query at the time of the attempt."""
        text = chat_text(message, MOST_BYTES)
        keyword = str(config.options.get("keyword", ""))
        if keyword and keyword not in text:
            text = f"{keyword}\n{text}"
        mobiles = [str(one) for one in config.options.get("at_mobiles", ())]
        body = {
            "msgtype": "text",
            "text": {"content": text},
            "at": {"atMobiles": mobiles, "isAtAll": False},
        }
        url = _signed(config, now)
        return Request(url=url, headers={"Content-Type": JSON_TYPE}, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take a 2xx only with errcode 0."""
        judge_code(answer, now, ("errcode",), _PERMANENT, _WAITS)


def _signed(config: EndpointConfig, now: datetime) -> str:
    if not config.secrets:
        return config.url
    stamp = str(int(now.timestamp() * 1000))
    sign = hmac_base64(config.secrets[0], f"{stamp}\n{config.secrets[0]}".encode())
    joint = "&" if "?" in config.url else "?"
    return f"{config.url}{joint}timestamp={stamp}&sign={quote_plus(sign)}"
