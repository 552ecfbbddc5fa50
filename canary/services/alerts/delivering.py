"""Deliver what waits in the outbox: tried until it is taken, never lost.

An alert is told again under the same id until its receiver takes it or the schedule is used up;
then it is a dead letter that people see.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Invalid, NotFound, Unavailable
from canary.services.alerts.alerting import Route, Sender, Taken, make_message, open_route
from canary.services.alerts.bundling import PACES, bundle, is_bundled
from canary.services.audit import record
from canary.services.claims import LEASE, claim_one, holds
from canary.storage.session import Database
from canary.storage.tables import Delivery, Endpoint
from canary.storage.vault import Vault
from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.retry import next_attempt

ANSWER_KEPT = 500
LINE_LENGTH = 200
FIRST_REST = timedelta(seconds=5)
LONGEST_REST = timedelta(minutes=5)
LONGEST_WISH = timedelta(hours=24)
NOTE_TRIES = 6
# What one send may take, with some room: a claim must not end meanwhile.
SEND_AT_MOST = timedelta(seconds=25)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """What delivering needs: the rows, the keys, a way out, a clock."""

    database: Database
    vault: Vault
    sender: Sender
    clock: Callable[[], datetime]
    random: Random


def list_due_by_endpoint(
    session: Session, now: datetime, *, limit: int = LINE_LENGTH
) -> dict[int, list[int]]:
    """List deliveries that may be tried now by endpoint, `limit` of each, oldest alert first.

    Each endpoint is asked for by itself, so that one with a long line hides no other; one that
    rests after a failure is left out.
    """
    is_due = (
        (Delivery.state == "waiting")
        & (Delivery.due_at <= now)
        & (Delivery.lease_until.is_(None) | (Delivery.lease_until < now))
    )
    endpoints = session.scalars(
        select(Endpoint.id)
        .where(Endpoint.rests_until.is_(None) | (Endpoint.rests_until <= now))
        .where(select(Delivery.id).where(Delivery.endpoint_id == Endpoint.id, is_due).exists())
        .order_by(Endpoint.id)
    ).all()
    return {
        endpoint_id: list(
            session.scalars(
                select(Delivery.id)
                .where(Delivery.endpoint_id == endpoint_id, is_due)
                .order_by(Delivery.alert_id)
                .limit(limit)
            )
        )
        for endpoint_id in endpoints
    }


def list_troubled(session: Session) -> frozenset[int]:
    """List the endpoints whose last attempt failed."""
    return frozenset(session.scalars(select(Endpoint.id).where(Endpoint.failures > 0)))


def deliver(outbox: Outbox, delivery_id: int, owner: str) -> bool:
    """Try one delivery; tell whether this caller had the claim and tried."""
    return deliver_line(outbox, [delivery_id], owner) == 1


def deliver_line(outbox: Outbox, delivery_ids: Sequence[int], owner: str) -> int:
    """Try deliveries of one endpoint in turn, until one fails; return how many were tried.

    All are claimed in one transaction and noted in another: on SQLite commits are what costs.
    A chat robot gets many as one message, and rests after each.
    """
    now = outbox.clock()
    with outbox.database.read() as session:
        if not delivery_ids or _rests(session, delivery_ids[0], now):
            return 0
    with outbox.database.write() as session:
        claimed = [
            one for one in delivery_ids if claim_one(session, Delivery, one, owner=owner, now=now)
        ]
    with outbox.database.read() as session:
        rows = [session.get_one(Delivery, one) for one in claimed]
        route = open_route(outbox.vault, rows[0].endpoint) if rows else None
        calls = _list_calls(rows)
    if route is None:
        return 0
    outcomes: dict[int, Taken | DeliveryError] = {}
    for sent, (ids, message) in enumerate(calls):
        if sent and outbox.clock() - now > LEASE - SEND_AT_MOST:
            break
        outcome = _send(outbox, ids[0], message, route)
        outcomes |= dict.fromkeys(ids, _say_bundled(outcome, len(ids)))
        if isinstance(outcome, DeliveryError) and not outcome.permanent:
            break
    rest = PACES.get(route.format, timedelta(0)) * len(calls)
    _insist(lambda: _note(outbox, claimed, outcomes, owner, rest))
    return len(outcomes)


def cut_lines(
    database: Database, endpoint_id: int, delivery_ids: Sequence[int], length: int
) -> list[Sequence[int]]:
    """Cut what is due at an endpoint into lines; what may become one message stays together."""
    with database.read() as session:
        shape = session.scalar(select(Endpoint.format).where(Endpoint.id == endpoint_id))
    if shape is not None and is_bundled(shape, len(delivery_ids)):
        return [delivery_ids]
    return [delivery_ids[start : start + length] for start in range(0, len(delivery_ids), length)]


def _list_calls(rows: Sequence[Delivery]) -> list[tuple[list[int], Message]]:
    """List what to send: the deliveries and the message that tells them."""
    told = [(row.id, _message_of(row)) for row in rows]
    if told and is_bundled(rows[0].endpoint.format, len(told)):
        return [([one for one, _ in told], bundle([message for _, message in told]))]
    return [([one], message) for one, message in told]


def _say_bundled(outcome: Taken | DeliveryError, count: int) -> Taken | DeliveryError:
    if count > 1 and isinstance(outcome, Taken):
        return Taken(status=outcome.status, answer=f"{count} in one message: {outcome.answer}")
    return outcome


def _message_of(row: Delivery) -> Message:
    return make_message(row.alert, row.lang or row.endpoint.lang)


def _send(
    outbox: Outbox, delivery_id: int, message: Message, route: Route
) -> Taken | DeliveryError:
    try:
        return outbox.sender.send(message, route, outbox.clock())
    except DeliveryError as failure:
        return failure
    except Exception as error:
        # A fault of ours is tried again like any other, and ends as a dead letter people see.
        log.exception("delivery.broke", delivery=delivery_id)
        return DeliveryError(f"{type(error).__name__} while sending")


def _note(
    outbox: Outbox,
    claimed: Sequence[int],
    outcomes: Mapping[int, Taken | DeliveryError],
    owner: str,
    rest: timedelta,
) -> None:
    """Write down every outcome, give back what was not tried, let the endpoint rest."""
    failures = [one for one in outcomes.values() if isinstance(one, DeliveryError)]
    passing = next((one for one in failures if not one.permanent), None)
    endpoint_id = None
    with outbox.database.write() as session:
        for delivery_id in claimed:
            if not holds(session, Delivery, delivery_id, owner):
                continue
            row = session.get_one(Delivery, delivery_id)
            row.lease_until = row.lease_owner = None
            endpoint_id = row.endpoint_id
            outcome = outcomes.get(delivery_id)
            if outcome is None:
                row.attempts -= 1
            elif isinstance(outcome, Taken):
                _note_taken(row, outcome, outbox.clock())
            else:
                _note_failure(outbox, row, outcome)
        if endpoint_id is not None and passing is not None:
            _let_rest(session, endpoint_id, passing, outbox.clock(), outbox.random)
        elif endpoint_id is not None and rest:
            until = outbox.clock() + rest
            session.get_one(Endpoint, endpoint_id).rests_until = until


def _rests(session: Session, delivery_id: int, now: datetime) -> bool:
    until = session.scalar(
        select(Endpoint.rests_until)
        .join(Delivery, Delivery.endpoint_id == Endpoint.id)
        .where(Delivery.id == delivery_id)
    )
    return until is not None and until > now


def _insist(step: Callable[[], None]) -> None:
    """Write down what the receiver answered, also when the database is busy for a while.

    Whoever gives up here has the alert sent again when the claim ends.
    """
    for left in reversed(range(NOTE_TRIES)):
        try:
            step()
        except Unavailable:
            if not left:
                raise
        else:
            return


def _note_taken(row: Delivery, taken: Taken, now: datetime) -> None:
    row.state, row.finished_at = "done", now
    row.last_status, row.last_answer = taken.status, taken.answer[:ANSWER_KEPT]
    if row.endpoint.failures:
        row.endpoint.failures = 0
        row.endpoint.failing_since = row.endpoint.rests_until = None


def _note_failure(outbox: Outbox, row: Delivery, failure: DeliveryError) -> None:
    now = outbox.clock()
    row.last_answer = f"{failure}: {failure.answer}"[:ANSWER_KEPT]
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


def _let_rest(
    session: Session, endpoint_id: int, failure: DeliveryError, now: datetime, random: Random
) -> None:
    """Leave an endpoint alone for a while: its other deliveries wait and lose no attempt."""
    endpoint = session.get_one(Endpoint, endpoint_id, with_for_update=True)
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    rest = min(FIRST_REST * 2 ** min(endpoint.failures - 1, 10), LONGEST_REST)
    rest *= random.uniform(0.8, 1.2)
    if failure.retry_after is not None and failure.retry_after > 0:
        rest = max(rest, min(timedelta(seconds=min(failure.retry_after, 1e9)), LONGEST_WISH))
    endpoint.rests_until = now + rest


def redeliver(session: Session, delivery_id: int, *, actor: str, now: datetime) -> None:
    """Give a delivery a new row of attempts. Raises NotFound, Invalid."""
    row = session.get(Delivery, delivery_id)
    if row is None:
        msg = "there is no such delivery"
        raise NotFound(msg)
    if row.state == "waiting":
        raise Invalid("this delivery is waiting already", mend="let it run")
    row.state, row.attempts, row.due_at, row.finished_at = "waiting", 0, now, None
    row.endpoint.rests_until = None
    record(session, actor, "delivery.repeated", f"delivery/{delivery_id}", now)


def redeliver_dead(
    session: Session, endpoint: str | None = None, *, actor: str, now: datetime
) -> int:
    """Give every dead letter, of one endpoint or of all, a new row of attempts; return how many.

    Raises NotFound for an endpoint that is not there.
    """
    chosen = select(Endpoint.id)
    if endpoint is not None:
        chosen = chosen.where(Endpoint.name == endpoint)
        if session.scalar(chosen) is None:
            msg = f"there is no endpoint {endpoint!r}"
            raise NotFound(msg)
    again = session.scalars(
        update(Delivery)
        .where(Delivery.state == "dead", Delivery.endpoint_id.in_(chosen))
        .values(state="waiting", attempts=0, due_at=now, finished_at=None)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(update(Endpoint).where(Endpoint.id.in_(chosen)).values(rests_until=None))
    subject = f"endpoint/{endpoint}" if endpoint else "endpoints"
    record(session, actor, "delivery.repeated", subject, now, count=len(again))
    return len(again)
