"""Splunk HTTP Event Collector."""

from datetime import datetime
from typing import Any

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
from webhooks.outbound.sending import Answer, Request

PATH = "/services/collector/event"
# The collector says "server busy", "shutting down" or "queue full" under these numbers.
_BUSY = frozenset({9, 23, 26, 27})


class SplunkFormat(Format):
    """Sends the message's data as one event.

    The first secret is the collector's. Options: `index`, `sourcetype`, `host`, `source`,
    `channel`. A URL without a path gets the collector's own.
    """

    name = "splunk"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call; its time is when the message happened."""
        if not config.secrets:
            raise DeliveryError("the endpoint has no collector secret", permanent=True)
        options = config.options
        body: dict[str, Any] = {
            "time": round(message.occurred_at.timestamp(), 3),
            "host": str(options.get("host", "waybill-canary")),
            "source": str(options.get("source", "waybill-canary")),
            "sourcetype": str(options.get("sourcetype", "canary:alert")),
            "event": {"id": message.id, "type": message.type, **message.data},
        }
        if options.get("index"):
            body["index"] = str(options["index"])
        headers = {"Content-Type": JSON_TYPE, "Authorization": f"Splunk {config.secrets[0]}"}
        if options.get("channel"):
            headers["X-Splunk-Request-Channel"] = str(options["channel"])
        return Request(url=_with_path(config.url), headers=headers, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take a 2xx with code 0; a busy collector is worth another try whatever the status."""
        code = _code(answer)
        if code in _BUSY:
            raise DeliveryError(f"refused with code {code}", answer=answer.excerpt)
        judge_status(answer, now)
        if code != 0:
            raise DeliveryError("answered without code 0", answer=answer.excerpt)


def _code(answer: Answer) -> int | None:
    try:
        code = read_object(answer.body).get("code")
    except PayloadError:
        return None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _with_path(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return url if "/" in rest.rstrip("/") else f"{scheme}{separator}{rest.rstrip('/')}{PATH}"
