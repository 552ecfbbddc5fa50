"""What every reader of a sender's format offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from webhooks.reports import Grade, Post, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the sender expects to hear when its post was taken."""

    status: int = 202
    content_type: str = "text/plain; charset=utf-8"
    body: bytes = b""


ACCEPTED = Reply()
JSON_TYPE = "application/json"


class Reader(Protocol):
    """One sender's format: is it proven, what does it say, what does it want to hear."""

    name: str
    methods: frozenset[str]
    reply: Reply

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime, /) -> Grade:
        """Return how well the post is proven; raises SignatureError if it is not."""

    def message_id(self, post: Post) -> str | None:  # noqa: ARG002  # most senders have none
        """Return the sender's own id of the post, or None; raises PayloadError."""
        return None

    def read(self, post: Post, options: Mapping[str, Any], /) -> list[Report]:
        """Return the reports in the post, perhaps none; raises PayloadError."""
