"""Apprise, for receivers without a format of their own."""

from datetime import datetime

from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.outbound.formats.base import EndpointConfig, Format, dump, judge_status
from webhooks.outbound.formats.wording import chat_lines, cut, link_of
from webhooks.outbound.sending import Answer, Request

MOST_TITLE = 200
MOST_TEXT = 3000


class AppriseFormat(Format):
    """Hands title and text to Apprise; the URL is `apprise:`, the first secret Apprise's own URL.

    Apprise answers yes or no: not what the receiver said, and for some receivers always yes.
    """

    name = "apprise"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call."""
        if not config.secrets:
            raise DeliveryError("the endpoint has no Apprise URL", permanent=True)
        title, *lines = chat_lines(message)
        text = "\n".join(filter(None, [cut("\n".join(lines), MOST_TEXT), link_of(message)]))
        body = {"url": config.secrets[0], "title": cut(title, MOST_TITLE), "body": text or title}
        return Request(url="apprise:", body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take Apprise's yes for what it is."""
        judge_status(answer, now)
