"""What is sent and what comes back, whatever carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to an endpoint. The scheme of `url` says which sender carries it.

    For mail, `headers` hold the envelope (`from`, `to`) and `credentials` user and password.
    """

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    credentials: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the endpoint answered; header names in lower case, the body capped."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def excerpt(self) -> str:
        """Return the beginning of the body for people, without control characters."""
        text = self.body[:2000].decode("utf-8", "replace")
        return "".join(char if char.isprintable() else " " for char in text)[:500]


class Sender(Protocol):
    """Brings one request to its endpoint."""

    def check(self, url: str) -> None:
        """Refuse a URL that may never be called; raises AddressRefused."""

    def send(self, request: Request) -> Answer:
        """Send once and return the answer; raises DeliveryError, AddressRefused among them."""
