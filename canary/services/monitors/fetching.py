"""The port through which pages are fetched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What an address answered: `url` after redirects, header names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """Whether a site's robots.txt lets us in, and the pause it asks for, in seconds."""

    is_given: bool = True
    pause: float = 0.0


class Fetcher(Protocol):
    """Fetches pages from outside, and nothing from inside."""

    def check(self, url: str) -> None:
        """Refuse an address that may not be called. Raises Invalid."""

    def ask(self, url: str, now: datetime) -> Welcome:
        """Ask the site's robots.txt, perhaps as remembered. Raises DeliveryError."""

    def fetch(self, url: str, headers: Mapping[str, str], judge: Callable[[str], None]) -> Fetched:
        """Return what is there, whatever its status. Raises DeliveryError.

        `judge` is shown where each redirect leads before it is followed; what it raises comes out.
        """
