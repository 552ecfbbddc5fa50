"""What the web needs from outside; the bootstrap puts it together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, cast

from flask import current_app

from canary.services.access import Role
from canary.services.alerts.alerting import Sender
from canary.services.detection.drilling import Poster
from canary.services.detection.live import LiveRegister
from canary.services.monitors.checking import Lookout
from canary.storage.session import Database
from canary.storage.vault import Vault
from webhooks.inbound.arrivals import Inbox

EXTENSION = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Everything the pages and the receiving routes use.

    `max_body` in bytes; `trusted_proxies` counts the proxies in front; `clock` gives aware UTC;
    `alive` names each part that must run and tells whether it does. Whoever asks from a network of
    `metrics_allow` needs no key for the gauges; people of `factor_roles` must have a second factor.
    """

    database: Database
    vault: Vault
    clock: Callable[[], datetime]
    inbox: Inbox
    sender: Sender
    poster: Poster
    lookout: Lookout
    live: LiveRegister
    session_key: bytes
    public_url: str
    default_lang: Literal["zh", "en"]
    timezone: str
    max_body: int
    trusted_proxies: int
    alive: Callable[[], Mapping[str, bool]]
    metrics_allow: tuple[IPv4Network | IPv6Network, ...] = ()
    factor_roles: frozenset[Role] = frozenset()

    @property
    def is_https(self) -> bool:
        """Tell whether browsers reach us over TLS."""
        return self.public_url.startswith("https://")


def get_parts() -> WebParts:
    """Return the parts of the application that answers now."""
    return cast(WebParts, current_app.extensions[EXTENSION])
