"""The application's side of its two doors: posts come in, messages go out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from canary.domain.errors import Invalid, Unavailable
from canary.services.alerts.alerting import Route, Taken
from canary.services.alerts.alerting import Sender as AlertSender
from canary.services.baits.pushing import Order, OrderAnswer, OrderSender
from canary.services.detection.drilling import DrillPost, Poster
from canary.services.inbox.accepting import Acceptor
from canary.services.inbox.intake import KnownReporter, Parcel, find_reporter, keep_dead_post
from canary.services.monitors.fetching import Fetched, Fetcher, Welcome
from canary.storage.session import Database
from canary.storage.vault import Vault
from webhooks.errors import DeliveryError, InboxBusy
from webhooks.inbound.arrivals import Arrival, Inbox, ReporterAccess
from webhooks.inbound.examples import Ask, make_example
from webhooks.inbound.proofs import path_secret_digest
from webhooks.inbound.registry import READERS
from webhooks.messages import Message
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.carriers import make_sender
from webhooks.outbound.fetcher import HttpFetcher
from webhooks.outbound.formats.base import EndpointConfig
from webhooks.outbound.registry import FORMATS
from webhooks.outbound.robots import Robots
from webhooks.outbound.sender import HttpSender
from webhooks.outbound.sending import Request
from webhooks.reports import Grade, Post

# Written once when an endpoint is saved, to find out what its configuration lacks.
_TRIAL = Message(id="msg_trial", type="endpoint.test", occurred_at=datetime(2026, 1, 1, tzinfo=UTC))


class DatabaseInbox(Inbox):
    """Keeps arrivals in the database's inbox.

    Reporters are remembered with what they were known by, which is compared again in the
    transaction that stores a post: a change counts from its commit on, in every process.
    """

    def __init__(self, *, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._acceptor = Acceptor(database, vault)
        self._remembered: dict[str, ReporterAccess] = {}

    def find_reporter(self, name: str) -> ReporterAccess | None:
        remembered = self._remembered.get(name)
        if remembered is not None:
            return remembered
        try:
            with self._database.read() as session:
                known = find_reporter(session, self._vault, name)
        except Unavailable as error:
            raise InboxBusy(str(error), retry_after=error.retry_after) from error
        if known is None:
            return None
        access = self._remembered[name] = _access_of(known)
        return access

    def forget(self, name: str) -> bool:
        return self._remembered.pop(name, None) is not None

    def accept(self, arrival: Arrival) -> None:
        parcel = Parcel(
            reporter_id=int(arrival.reporter_id),
            key=arrival.key,
            digest=arrival.digest,
            post=arrival.post,
            reports=arrival.reports,
            grade=arrival.grade,
            proof=arrival.stamp or None,
        )
        self._acceptor.accept(parcel)

    def keep_dead(self, reporter: ReporterAccess, post: Post, reason: str, grade: Grade) -> None:
        keep_dead_post(
            self._database,
            self._vault,
            int(reporter.id),
            post,
            reason,
            grade=grade.value,
            proof=reporter.stamp or None,
        )


def _access_of(known: KnownReporter) -> ReporterAccess:
    path = known.secrets.path
    return ReporterAccess(
        id=str(known.id),
        name=known.name,
        format=known.format,
        secrets=known.secrets.signing,
        path_secret_digest=path_secret_digest(path) if path else None,
        options=known.secrets.options,
        allowed_addresses=tuple(known.secrets.options.get("allowed_addresses", ())),
        active=known.is_active,
        stamp=known.proof,
    )


def _require_open(check: Callable[[str], None], url: str) -> None:
    """Raise Invalid for an address that may not be called."""
    try:
        check(url)
    except DeliveryError as error:
        raise Invalid(
            f"this address may not be called: {error}",
            field="url",
            mend="use a public https address, or open an inside one by CANARY_OUTBOUND_ALLOW",
        ) from error


class WebhookSender(AlertSender):
    """Brings messages to endpoints in their formats."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._out = make_sender(AddressPolicy(allowed=tuple(allowed)))

    def check(self, route: Route) -> None:
        if route.format not in FORMATS:
            raise Invalid(
                f"unknown format {route.format!r}",
                field="format",
                mend=f"use one of {', '.join(FORMATS)}",
            )
        _require_open(self._out.check, _config_of(route).url)
        try:
            FORMATS[route.format].render(_TRIAL, _config_of(route), _TRIAL.occurred_at)
        except DeliveryError as error:
            raise Invalid(
                f"this format cannot be written: {error}",
                field="options",
                mend="give the secret and the options this format needs",
            ) from error

    def send(self, message: Message, route: Route, now: datetime) -> Taken:
        shape, config = FORMATS[route.format], _config_of(route)
        answer = self._out.send(shape.render(message, config, now))
        shape.judge(answer, now)
        return Taken(status=answer.status, answer=answer.excerpt)


def _config_of(route: Route) -> EndpointConfig:
    config = route.config
    return EndpointConfig(
        url=str(config.get("url", "")),
        secrets=tuple(config.get("secrets", ())),
        options=dict(config.get("options", {})),
    )


class PartnerSender(OrderSender):
    """Brings orders to partners by HTTP."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._http = HttpSender(policy=AddressPolicy(allowed=tuple(allowed)))

    def check(self, url: str) -> None:
        _require_open(self._http.check, url)

    def send(self, order: Order) -> OrderAnswer:
        answer = self._http.send(
            Request(url=order.url, body=order.body, headers=order.headers, method=order.method)
        )
        return OrderAnswer(
            status=answer.status,
            body=answer.body,
            retry_after=_read_wait(answer.headers.get("retry-after", "")),
        )


def _read_wait(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


class PageFetcher(Fetcher):
    """Fetches pages and feeds from outside, as its sites want it."""

    def __init__(self, allowed: Sequence[str], agent: str) -> None:
        sender = HttpSender(policy=AddressPolicy(allowed=tuple(allowed)))
        self._http = HttpFetcher(sender=sender, agent=agent)
        self._robots = Robots(self._http)

    def check(self, url: str) -> None:
        _require_open(self._http.check, url)

    def ask(self, url: str, now: datetime) -> Welcome:
        said = self._robots.ask(url, now)
        return Welcome(is_given=said.is_given, pause=said.pause)

    def fetch(self, url: str, headers: Mapping[str, str], judge: Callable[[str], None]) -> Fetched:
        page = self._http.fetch(url, headers, judge)
        return Fetched(url=page.url, status=page.status, headers=page.headers, body=page.body)


class OwnPoster(Poster):
    """Posts to our own public address as a reporter's sender does."""

    def __init__(self, public_url: str, allowed: Sequence[str]) -> None:
        self._public_url = public_url
        # Our own address may be an inside one; nothing else is opened by that.
        own = urlsplit(public_url).netloc
        self._http = HttpSender(policy=AddressPolicy(allowed=(*allowed, own)))

    def post(self, wanted: DrillPost, now: datetime) -> int:
        example = make_example(
            wanted.format,
            Ask(
                text=wanted.text,
                url=f"{self._public_url}/hooks/{wanted.path}",
                secret=wanted.secret,
                message_id=wanted.message_id,
                now=now,
                options=wanted.options,
            ),
        )
        request = Request(
            url=example.url, body=example.body, headers=example.headers, method=example.method
        )
        try:
            return self._http.send(request).status
        except DeliveryError as error:
            raise Unavailable(str(error)) from error

    def is_good(self, shape: str, status: int) -> bool:
        return shape in READERS and READERS[shape].reply.status == status
