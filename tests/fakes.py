"""Stand-ins for the ports: a clock that obeys, a sender that remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from canary.services.alerts.alerting import Route, Sender, Taken
from canary.services.detection.drilling import DrillPost, Poster
from webhooks.messages import Message

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, step: timedelta) -> None:
        self.now += step


@dataclass
class FakeSender(Sender):
    """Takes every message, after raising the failures it was given, one a call."""

    failures: list[Exception] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    while_sending: Callable[[], None] = lambda: None

    def check(self, route: Route) -> None:
        """Accept any route."""

    def send(self, message: Message, route: Route, now: datetime) -> Taken:
        self.sent.append(message)
        self.while_sending()
        if self.failures:
            raise self.failures.pop(0)
        return Taken(status=204, answer="")


@dataclass
class FakePoster(Poster):
    """Answers every drill with one status; `posted` keeps them."""

    status: int = 202
    posted: list[DrillPost] = field(default_factory=list)

    def post(self, wanted: DrillPost, now: datetime) -> int:
        self.posted.append(wanted)
        return self.status

    def is_good(self, shape: str, status: int) -> bool:
        return status < 400
