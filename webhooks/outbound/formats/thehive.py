"""TheHive 5 alerts."""

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
from webhooks.outbound.formats.wording import (
    chat_lines,
    cut,
    group_of,
    link_of,
    text_in,
)
from webhooks.outbound.sending import Answer, Request

_SEVERITIES = {"critical": 4, "error": 3, "warning": 2, "info": 1}
_FIRST = "incident.opened"


class TheHiveFormat(Format):
    """Creates an alert; `sourceRef` is the incident for its first message.

    TheHive refuses a second alert under one reference, so later messages add their own id and
    carry the incident as a tag. The first secret is the API key. Options: `tlp` and `pap`, 0 to 4.
    """

    name = "thehive"

    def render(self, message: Message, config: EndpointConfig, _now: datetime) -> Request:
        """Return the call."""
        if not config.secrets:
            raise DeliveryError("the endpoint has no API key", permanent=True)
        incident = group_of(message)
        reference = incident if message.type == _FIRST else f"{incident}:{message.id}"
        body = {
            "type": message.type,
            "source": "waybill-canary",
            "sourceRef": cut(reference, 120),
            "title": cut(chat_lines(message)[0], 500),
            "description": _description(message),
            "severity": _SEVERITIES.get(str(message.data.get("severity")), 2),
            "date": int(message.occurred_at.timestamp() * 1000),
            "tlp": int(config.options.get("tlp", 2)),
            "pap": int(config.options.get("pap", 2)),
            "tags": ["waybill-canary", f"incident:{incident}"],
            "observables": _observables(message),
        }
        headers = {"Content-Type": JSON_TYPE, "Authorization": f"Bearer {config.secrets[0]}"}
        url = f"{config.url.rstrip('/')}/api/v1/alert"
        return Request(url=url, headers=headers, body=dump(body))

    def judge(self, answer: Answer, now: datetime) -> None:
        """Take a 2xx, and a refusal because an earlier attempt got through."""
        if answer.status in (400, 409) and b"already exist" in answer.body.lower():
            return
        judge_status(answer, now)


def _description(message: Message) -> str:
    # Four spaces make it a code block, where TheHive's markdown does nothing.
    lines = chat_lines(message)[1:]
    link = link_of(message)
    quoted = "\n".join(f"    {line}" for line in lines)
    return f"{quoted}\n\n<{link}>" if link else quoted


def _observables(message: Message) -> list[dict[str, Any]]:
    url = text_in(message.data, "url", 1000)
    return [{"dataType": "url", "data": url}] if url else []
