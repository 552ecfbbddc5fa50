"""PagerDuty Events API v2."""

from datetime import UTC, datetime
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
from webhooks.outbound.formats.wording import (
    chat_lines,
    cut,
    group_of,
    link_of,
    open_label,
    text_in,
)
from webhooks.outbound.sending import Answer, Request

MOST_SUMMARY = 1024
MOST_KEY = 255
_SEVERITIES = frozenset({"critical", "error", "warning", "info"})


class PagerDutyFormat(Format):
    """Triggers and resolves under the incident's id, so that repeats group.

    The URL is `https://events.pagerduty.com/v2/enqueue`, the first secret the routing key.
    """

    name = "pagerduty"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call."""
        if not config.secrets:
            raise DeliveryError("the endpoint has no routing key", permanent=True)
        is_closed = message.data.get("closed") is True
        body: dict[str, Any] = {
            "routing_key": config.secrets[0],
            "event_action": "resolve" if is_closed else "trigger",
            "dedup_key": cut(group_of(message), MOST_KEY),
        }
        if not is_closed:
            body["payload"] = _payload(message)
        if link := link_of(message):
            body["links"] = [{"href": link, "text": open_label(message)}]
        return Request(url=config.url, headers={"Content-Type": JSON_TYPE}, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take 202; 400 is permanent, 429 is not."""
        judge_status(answer, now)


def _payload(message: Message) -> dict[str, Any]:
    severity = str(message.data.get("severity"))
    title, *lines = chat_lines(message)
    return {
        "summary": cut(title, MOST_SUMMARY),
        "source": text_in(message.data, "venue") or "waybill-canary",
        "severity": severity if severity in _SEVERITIES else "warning",
        "timestamp": message.occurred_at.astimezone(UTC).isoformat(),
        "class": message.type,
        "custom_details": {"lines": lines},
    }
