"""Choose the sender by the scheme of the URL."""

from collections.abc import Mapping
from dataclasses import dataclass

from webhooks.errors import AddressRefused
from webhooks.outbound.sending import Answer, Request, Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingSender(Sender):
    """Hands each request to the sender of its scheme."""

    senders: Mapping[str, Sender]

    def check(self, url: str) -> None:
        """Let the scheme's sender check the URL."""
        self._of(url).check(url)

    def send(self, request: Request) -> Answer:
        """Let the scheme's sender send."""
        return self._of(request.url).send(request)

    def _of(self, url: str) -> Sender:
        sender = self.senders.get(url.partition(":")[0].lower())
        if sender is None:
            raise AddressRefused("nothing sends to that kind of address")
        return sender
