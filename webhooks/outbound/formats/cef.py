"""CEF in a syslog message of RFC 5424."""

import re
from datetime import UTC, datetime

from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.outbound.formats.base import EndpointConfig, Format
from webhooks.outbound.formats.wording import (
    clean,
    cut,
    group_of,
    lines_of,
    link_of,
    one_line,
    text_in,
    title_of,
)
from webhooks.outbound.sending import Answer, Request

# Facility 13 is "log audit".
_FACILITY = 13
_SYSLOG_SEVERITY = {"critical": 2, "error": 3, "warning": 4, "info": 6}
_CEF_SEVERITY = {"critical": 10, "error": 8, "warning": 5, "info": 3}
_NAME = re.compile(r"[!-~]{1,48}")
_MOST = 2000


class CefFormat(Format):
    """Sends one line; the URL's scheme is `syslog+udp`, `syslog+tcp` or `syslog+tls`.

    Options: `host` and `vendor` as they shall stand in the line.
    """

    name = "cef"

    def render(self, message: Message, config: EndpointConfig, now: datetime) -> Request:
        """Return the line with its time of sending in front."""
        severity = str(message.data.get("severity"))
        priority = _FACILITY * 8 + _SYSLOG_SEVERITY.get(severity, 5)
        at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        host = str(config.options.get("host", "waybill-canary"))
        if not _NAME.fullmatch(host):
            raise DeliveryError("option host is no syslog host name", permanent=True)
        vendor = str(config.options.get("vendor", "WaybillCanary"))
        line = f"<{priority}>1 {at} {host} canary - {_message_id(message)} - \ufeff"
        body = line + cef_line(message, vendor)
        return Request(url=config.url, body=body.encode("utf-8", "replace"))

    def judge(self, _answer: Answer, _now: datetime) -> None:
        """Syslog answers nothing: what could be sent counts as taken."""


def cef_line(message: Message, vendor: str) -> str:
    """Return the CEF line of a message; its time in epoch milliseconds."""
    severity = _CEF_SEVERITY.get(str(message.data.get("severity")), 5)
    head = (vendor, "WaybillCanary", "1.0", message.type, cut(title_of(message), 500))
    header = "|".join(_header(part) for part in head)
    extension = {
        "rt": str(int(message.occurred_at.timestamp() * 1000)),
        "externalId": group_of(message),
        "request": text_in(message.data, "url", 1000),
        "cs1Label": "leak_source" if message.data.get("source") else "",
        "cs1": text_in(message.data, "source"),
        "cs2Label": "venue" if message.data.get("venue") else "",
        "cs2": text_in(message.data, "venue"),
        "cs3Label": "incident_link" if link_of(message) else "",
        "cs3": link_of(message),
        "cnt": text_in(message.data, "count"),
        "msg": cut("\n".join(clean(line) for line in lines_of(message)), _MOST),
    }
    pairs = " ".join(f"{name}={_value(value)}" for name, value in extension.items() if value)
    return f"CEF:0|{header}|{severity}|{pairs}"


def _header(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n")


def _message_id(message: Message) -> str:
    return re.sub(r"[^!-~]", "_", message.type)[:32] or "-"
