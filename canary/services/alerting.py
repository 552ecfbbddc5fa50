"""Alerts: put into the outbox with what they tell of, delivered later, never lost.

An alert is told again under the same id until its receiver takes it or the schedule is used up;
then it is a dead letter that people see.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.alerts import AlertType
from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.audit import record
from canary.services.claims import claim_one, holds
from canary.services.refs import make_ref
from canary.storage.session import Database
from canary.storage.tables import Alert, Delivery, Endpoint
from canary.storage.vault import Vault
from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.retry import next_attempt

ANSWER_KEPT = 500
NAME_LENGTH = 80

log = structlog.get_logger(__name__)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """What delivering needs: the rows, the keys, a way out, a clock."""

    database: Database
    vault: Vault
    sender: Sender
    clock: Callable[[], datetime]
    random: Random


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


def list_endpoints(session: Session) -> list[Endpoint]:
    """List the endpoints by name."""
    return list(session.scalars(select(Endpoint).order_by(Endpoint.name)))


def get_route(session: Session, vault: Vault, name: str) -> Route:
    """Return how an endpoint is told. Raises NotFound."""
    endpoint = session.scalar(select(Endpoint).where(Endpoint.name == name))
    if endpoint is None:
        msg = f"there is no endpoint {name!r}"
        raise NotFound(msg)
    return _open_route(vault, endpoint)


def _open_route(vault: Vault, endpoint: Endpoint) -> Route:
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
) -> Alert:
    """Add an alert and a delivery for each active endpoint to this transaction."""
    alert = Alert(
        ref=make_ref("msg"),
        type=kind,
        incident_id=incident_id,
        revision=revision,
        data=dict(data),
        created_at=now,
    )
    session.add(alert)
    session.flush()
    for endpoint_id in session.scalars(select(Endpoint.id).where(Endpoint.is_active)):
        session.add(
            Delivery(alert_id=alert.id, endpoint_id=endpoint_id, state="waiting", due_at=now)
        )
    return alert


def list_due_by_endpoint(
    session: Session, now: datetime, *, limit: int = 500
) -> dict[int, list[int]]:
    """List deliveries that may be tried now, oldest first, by endpoint."""
    due = session.execute(
        select(Delivery.endpoint_id, Delivery.id)
        .where(Delivery.state == "waiting", Delivery.due_at <= now)
        .where((Delivery.lease_until.is_(None)) | (Delivery.lease_until < now))
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
    )
    lines: dict[int, list[int]] = {}
    for endpoint_id, delivery_id in due:
        lines.setdefault(endpoint_id, []).append(delivery_id)
    return lines


def deliver(outbox: Outbox, delivery_id: int, owner: str) -> bool:
    """Try one delivery; tell whether this caller had the claim and tried."""
    now = outbox.clock()
    with outbox.database.write() as session:
        if not claim_one(session, Delivery, delivery_id, owner=owner, now=now):
            return False
    with outbox.database.read() as session:
        row = session.get_one(Delivery, delivery_id)
        route = _open_route(outbox.vault, row.endpoint)
        message = _make_message(row.alert, row.endpoint.lang)
    try:
        taken = outbox.sender.send(message, route, now)
    except DeliveryError as failure:
        _note_failure(outbox, delivery_id, owner, failure)
    except Exception as error:
        # A fault of ours is tried again like any other, and ends as a dead letter people see.
        log.exception("delivery.broke", delivery=delivery_id)
        broken = DeliveryError(f"{type(error).__name__} while sending")
        _note_failure(outbox, delivery_id, owner, broken)
    else:
        _note_taken(outbox, delivery_id, owner, taken)
    return True


def _make_message(alert: Alert, lang: str) -> Message:
    spoken = alert.data.get("by_lang", {}).get(lang, {})
    common = {key: value for key, value in alert.data.items() if key != "by_lang"}
    return Message(
        id=alert.ref,
        type=alert.type,
        occurred_at=alert.created_at,
        data={**common, **spoken},
        lang=lang,
    )


def _note_taken(outbox: Outbox, delivery_id: int, owner: str, taken: Taken) -> None:
    with outbox.database.write() as session:
        if not holds(session, Delivery, delivery_id, owner):
            return
        row = session.get_one(Delivery, delivery_id)
        row.state, row.finished_at = "done", outbox.clock()
        row.last_status, row.last_answer = taken.status, taken.answer[:ANSWER_KEPT]
        row.lease_until = row.lease_owner = None


def _note_failure(outbox: Outbox, delivery_id: int, owner: str, failure: DeliveryError) -> None:
    now = outbox.clock()
    with outbox.database.write() as session:
        if not holds(session, Delivery, delivery_id, owner):
            return
        row = session.get_one(Delivery, delivery_id)
        row.last_answer = f"{failure}: {failure.answer}"[:ANSWER_KEPT]
        row.lease_until = row.lease_owner = None
        due = None
        if not failure.permanent:
            due = next_attempt(row.attempts, now, failure.retry_after, random=outbox.random)
        if due is None:
            row.state, row.finished_at = "dead", now
        else:
            row.due_at = due
        log.warning(
            "delivery.failed", endpoint=row.endpoint.name, attempts=row.attempts, state=row.state
        )


def redeliver(session: Session, delivery_id: int, *, actor: str, now: datetime) -> None:
    """Give a dead letter a new row of attempts. Raises NotFound, Invalid."""
    row = session.get(Delivery, delivery_id)
    if row is None:
        msg = "there is no such delivery"
        raise NotFound(msg)
    if row.state == "waiting":
        raise Invalid("this delivery is waiting already", mend="let it run")
    row.state, row.attempts, row.due_at, row.finished_at = "waiting", 0, now, None
    record(session, actor, "delivery.repeated", f"delivery/{delivery_id}", now)
