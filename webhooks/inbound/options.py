"""Read a reporter's options, which an operator wrote and may have got wrong."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from webhooks.inbound.fields import SHANGHAI
from webhooks.reports import Post


def zone_of(options: Mapping[str, Any]) -> tzinfo:
    """Return the zone for times without an offset: `timezone`, else Asia/Shanghai."""
    name = options.get("timezone")
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else SHANGHAI
    except (KeyError, ValueError, OSError):
        return SHANGHAI


def receiver_of(options: Mapping[str, Any], device: str, slot: str) -> str:
    """Return the own number of a device's slot from `receivers`.

    Keys are `device/slot`, `device` for a phone with one SIM, or `/slot` whatever the device.
    """
    receivers = options.get("receivers")
    if not isinstance(receivers, Mapping):
        return ""
    keys = (f"{device}/{slot}", device, f"/{slot}")
    return next((str(receivers[key]) for key in keys if key and receivers.get(key)), "")


def content_type_of(post: Post, options: Mapping[str, Any]) -> str:
    """Return the content type to believe: a charset among the options wins over the sender's."""
    charset = options.get("charset")
    if isinstance(charset, str) and charset:
        return f"text/html; charset={charset}"
    return post.headers.get("content-type", "")
