"""Stand-ins for the ports: a clock that obeys, a sender that remembers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event

from canary.services.alerts.alerting import Route, Sender, Taken
from canary.services.detection.drilling import DrillPost, Poster
from canary.services.monitors.checking import Lookout
from canary.services.monitors.fetching import Fetched, Fetcher, Welcome
from canary.storage.session import Database
from canary.storage.vault import Vault
from webhooks.inbound.rereading import read_again
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


@dataclass
class FakeFetcher(Fetcher):
    """A site on which `pages` stand; `asked` keeps what was sent to it."""

    pages: dict[str, Fetched | Exception] = field(default_factory=dict)
    welcome: Welcome | Exception = field(default_factory=Welcome)
    unwelcome: set[str] = field(default_factory=set)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    while_fetching: Callable[[], None] = lambda: None
    held: dict[str, Event] = field(default_factory=dict)

    def put(self, url: str, body: str | bytes, status: int = 200, **headers: str) -> None:
        """Let this stand at an address."""
        raw = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"content-type": "text/html; charset=utf-8"}
        self.pages[url] = Fetched(url=url, status=status, headers={**kind, **named}, body=raw)

    def check(self, url: str) -> None:
        """Accept any address."""

    def ask(self, url: str, now: datetime) -> Welcome:
        if isinstance(self.welcome, Exception):
            raise self.welcome
        return Welcome(is_given=False) if url in self.unwelcome else self.welcome

    def fetch(self, url: str, headers: Mapping[str, str], judge: Callable[[str], None]) -> Fetched:
        self.asked.append((url, dict(headers)))
        self.while_fetching()
        if url in self.held:
            assert self.held[url].wait(60)
        found = self.pages[url]
        if isinstance(found, Exception):
            raise found
        if found.url != url:
            judge(found.url)
        return found


def make_lookout(
    database: Database,
    vault: Vault,
    clock: Callable[[], datetime],
    site: FakeFetcher | None = None,
    owner: str = "eye",
) -> Lookout:
    """Build what looks at a site that stands in for the world."""
    return Lookout(
        database=database,
        vault=vault,
        fetcher=site or FakeFetcher(),
        read=read_again,
        clock=clock,
        random=Random(3),
        owner=owner,
    )
