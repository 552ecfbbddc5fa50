"""Standard Webhooks 1.0 with CloudEvents headers beside."""

from datetime import UTC, datetime

from webhooks import signing
from webhooks.errors import DeliveryError, SignatureError
from webhooks.messages import Message
from webhooks.outbound.formats.base import (
    JSON_TYPE,
    EndpointConfig,
    Format,
    dump,
    judge_status,
)
from webhooks.outbound.sending import Answer, Request


class StandardFormat(Format):
    """Signs `{"type", "timestamp", "data"}` with every live secret.

    Options: `cloud_source` adds CloudEvents 1.0 headers (binary mode) with that source.
    """

    name = "standard"

    def render(self, message: Message, config: EndpointConfig, now: datetime) -> Request:
        """Return the signed call; the id is the message's over all attempts."""
        occurred = message.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        body = dump({"type": message.type, "timestamp": occurred, "data": dict(message.data)})
        if not config.secrets:
            raise DeliveryError("the endpoint has no secret to sign with", permanent=True)
        try:
            signed = signing.headers(config.secrets, message.id, now, body)
        except SignatureError as error:
            raise DeliveryError("the endpoint's secret is unusable", permanent=True) from error
        headers = {"Content-Type": JSON_TYPE, **signed, **_cloud(message, config, occurred)}
        return Request(url=config.url, headers=headers, body=body)

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take any 2xx; a redirect is a failure, 410 an end."""
        judge_status(answer, now)


def _cloud(message: Message, config: EndpointConfig, occurred: str) -> dict[str, str]:
    source = config.options.get("cloud_source")
    if not source:
        return {}
    return {
        "ce-specversion": "1.0",
        "ce-id": message.id,
        "ce-source": str(source),
        "ce-type": message.type,
        "ce-time": occurred,
    }
