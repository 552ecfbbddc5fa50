"""MISP events, and sightings for what was reviewed."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

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
    clean,
    cut,
    group_of,
    lines_of,
    link_of,
    text_in,
    title_of,
)
from webhooks.outbound.sending import Answer, Request

_LEVELS = {"critical": "1", "error": "2", "warning": "3", "info": "4"}


class MispFormat(Format):
    """Adds an event with a `paste` object; a closed incident adds a sighting instead.

    Bait values never go to a sharing community. The first secret is the API key. Options:
    `distribution` 0 to 3 (0, this organisation only, unless said otherwise).
    """

    name = "misp"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call."""
        if not config.secrets:
            raise DeliveryError("the endpoint has no API key", permanent=True)
        if message.data.get("closed") is True:
            path, body = "/sightings/add", _sighting(message)
        else:
            path, body = "/events/add", _event(message, config)
        headers = {
            "Content-Type": JSON_TYPE,
            "Accept": "application/json",
            "Authorization": config.secrets[0],
        }
        return Request(url=config.url.rstrip("/") + path, headers=headers, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take a 2xx, and a refusal because an earlier attempt got through."""
        if answer.status in (403, 409) and b"already exists" in answer.body.lower():
            return
        judge_status(answer, now)


def _event(message: Message, config: EndpointConfig) -> dict[str, Any]:
    return {
        "Event": {
            "uuid": str(uuid5(NAMESPACE_URL, f"waybill-canary:{message.id}")),
            "info": cut(title_of(message), 500),
            "date": message.occurred_at.astimezone(UTC).date().isoformat(),
            "distribution": str(int(config.options.get("distribution", 0))),
            "threat_level_id": _LEVELS.get(str(message.data.get("severity")), "4"),
            "analysis": "0",
            "Tag": [{"name": f"waybill-canary:incident={group_of(message)}"}],
            "Object": [_paste(message)],
        }
    }


def _paste(message: Message) -> dict[str, Any]:
    said = cut("\n".join(clean(line) for line in lines_of(message)), 10_000)
    values = (
        ("origin", "text", text_in(message.data, "venue")),
        ("url", "url", text_in(message.data, "url", 1000)),
        ("paste", "text", said),
        ("first-seen", "datetime", text_in(message.data, "first_seen")),
        ("link", "link", link_of(message)),
    )
    attributes = [
        {"object_relation": relation, "type": kind, "value": value, "to_ids": False}
        for relation, kind, value in values
        if value
    ]
    return {"name": "paste", "meta-category": "misc", "Attribute": attributes}


def _sighting(message: Message) -> dict[str, Any]:
    is_false = message.data.get("dismissed") is True
    return {
        "value": text_in(message.data, "url", 1000) or group_of(message),
        "type": "1" if is_false else "0",
        "source": "waybill-canary",
        "timestamp": int(message.occurred_at.timestamp()),
    }
