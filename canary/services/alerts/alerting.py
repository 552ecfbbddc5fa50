"""Alerts: put into the outbox with what they tell of, for every endpoint that is to hear it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.alerts import AlertType
from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.alerts.routing import choose, collect_facts
from canary.services.audit import record
from canary.services.refs import make_ref
from canary.storage.tables import Alert, Delivery, Endpoint
from canary.storage.vault import Vault
from webhooks.messages import Message

NAME_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where and how one endpoint is told: its format, address and secrets."""

    name: str
    format: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a receiver answered when it took a message."""

    status: int
    answer: str


class Sender(Protocol):
    """Brings one message to one endpoint."""

    def check(self, route: Route) -> None:
        """Refuse a route that can never be called. Raises Invalid."""

    def send(self, message: Message, route: Route, now: datetime) -> Taken:
        """Send once. Raises DeliveryError."""


def place_of(name: str) -> str:
    """Name the sealed place of an endpoint's configuration."""
    return f"endpoints.sealed_config|{name}"


def add_endpoint(
    session: Session,
    vault: Vault,
    sender: Sender,
    route: Route,
    *,
    lang: str,
    actor: str,
    now: datetime,
) -> None:
    """Add an endpoint. Raises Invalid for an address that may not be called, Conflict."""
    if not (route.name.strip() and route.name.isprintable() and len(route.name) <= NAME_LENGTH):
        raise Invalid(
            f"{route.name[:NAME_LENGTH]!r} is not a name",
            field="name",
            mend=f"use up to {NAME_LENGTH} printable characters",
        )
    sender.check(route)
    if session.scalar(select(Endpoint.id).where(Endpoint.name == route.name)) is not None:
        msg = f"there is an endpoint {route.name!r} already"
        raise Conflict(msg)
    sealed = vault.seal(place_of(route.name), json.dumps(dict(route.config)).encode())
    session.add(
        Endpoint(
            name=route.name, format=route.format, sealed_config=sealed, lang=lang, created_at=now
        )
    )
    record(session, actor, "endpoint.added", f"endpoint/{route.name}", now, format=route.format)


def get_route(session: Session, vault: Vault, name: str) -> Route:
    """Return how an endpoint is told. Raises NotFound."""
    endpoint = session.scalar(select(Endpoint).where(Endpoint.name == name))
    if endpoint is None:
        msg = f"there is no endpoint {name!r}"
        raise NotFound(msg)
    return open_route(vault, endpoint)


def open_route(vault: Vault, endpoint: Endpoint) -> Route:
    """Open how an endpoint is told."""
    config = json.loads(vault.unseal(place_of(endpoint.name), endpoint.sealed_config))
    return Route(name=endpoint.name, format=endpoint.format, config=config)


def put_alert(
    session: Session,
    kind: AlertType,
    *,
    incident_id: int | None,
    revision: int,
    data: Mapping[str, Any],
    now: datetime,
    only: Collection[int] | None = None,
) -> Alert:
    """Add an alert and its deliveries to this transaction.

    About an incident it goes where the rules say, otherwise to every active endpoint; `only`
    names the endpoints instead.
    """
    facts = collect_facts(session, incident_id) if incident_id is not None else None
    alert = Alert(
        ref=make_ref("msg"),
        type=kind,
        incident_id=incident_id,
        revision=revision,
        data=dict(data),
        facts=facts.to_json() if facts else {},
        created_at=now,
    )
    session.add(alert)
    session.flush()
    if only is None:
        for one in choose(session, facts, now=now):
            add_delivery(session, alert.id, one.endpoint_id, due_at=one.due_at, lang=one.lang)
    else:
        for endpoint_id in only:
            add_delivery(session, alert.id, endpoint_id, due_at=now)
    return alert


def add_delivery(
    session: Session, alert_id: int, endpoint_id: int, *, due_at: datetime, lang: str | None = None
) -> None:
    """Add the bringing of one alert to one endpoint to this transaction."""
    session.add(
        Delivery(
            alert_id=alert_id, endpoint_id=endpoint_id, state="waiting", due_at=due_at, lang=lang
        )
    )


def make_message(alert: Alert, lang: str) -> Message:
    """Make what one endpoint is told of an alert, in its language."""
    spoken = alert.data.get("by_lang", {}).get(lang, {})
    common = {key: value for key, value in alert.data.items() if key != "by_lang"}
    data = {**common, **spoken}
    if isinstance(data.get("lines"), list):
        data["lines"] = [*data["lines"], mark_of(alert.ref, lang)]
    return Message(
        id=alert.ref, type=alert.type, occurred_at=alert.created_at, data=data, lang=lang
    )


def mark_of(ref: str, lang: str) -> str:
    """Return the line by which our own text is known when it comes back in."""
    return f"告警编号 {ref}" if lang == "zh" else f"Alert {ref}"
