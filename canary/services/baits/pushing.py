"""Push a batch to a partner's HTTP interface, one order a bait.

The exposure opens before the order leaves: whatever the answer, the partner may have read it. An
order the partner takes confirms the planting. What was not taken is pushed again the next time,
under the same idempotency key.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.services.audit import record
from canary.services.baits.connectors import Connector
from canary.services.baits.placing import LOCAL, PUSH, SHEET, confirm_placements, hand_over
from canary.services.baits.planting import GONE, Gardener, get_batch, waybill_of
from canary.storage.tables import Bait, Placement, Source
from webhooks.errors import DeliveryError

ATTEMPTS = 4
WAITS = (1.0, 5.0, 20.0)
LONGEST_WAIT = 60.0
MOST_FAILURES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as it leaves; everything in it is secret."""

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """What the partner answered."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float | None = None


class OrderSender(Protocol):
    """Brings one order to a partner."""

    def check(self, url: str) -> None:
        """Refuse an address that may never be called. Raises Invalid."""

    def send(self, order: Order) -> OrderAnswer:
        """Send once. Raises DeliveryError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did: orders taken, refused for good, given up; what stands first in its way."""

    orders: int
    taken: int
    failed: int
    already: int
    problems: tuple[str, ...] = ()


Progress = Callable[[int, int], None]


def push_batch(
    gardener: Gardener,
    batch_name: str,
    connector: Connector,
    sender: OrderSender,
    *,
    sources: tuple[str, ...] = (),
    pause: Callable[[float], None],
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Pushed:
    """Push what is not confirmed yet, and confirm what is taken. Raises Invalid, NotFound.

    Baits that are to stay local are left out: a partner's interface is a system others can query.
    A dry run renders every order and sends none. After several failures in a row the push ends.
    """
    with gardener.database.read() as session:
        batch = get_batch(session, batch_name)
        waiting = _list_waiting(session, batch.id, sources, confirmed=False)
        already = len(_list_waiting(session, batch.id, sources, confirmed=True))
    sender.check(connector.url)
    taken, failed, in_a_row = 0, 0, 0
    problems: list[str] = []
    for place, bait in enumerate(waiting, start=1):
        order = _make_order(gardener, connector, bait)
        if not dry_run:
            problem = _push(gardener, bait, order, connector, sender, pause)
            taken, failed = taken + (problem is None), failed + (problem is not None)
            in_a_row = 0 if problem is None else in_a_row + 1
            if problem is not None:
                problems.append(f"{bait.ref}: {problem}")
            if in_a_row == MOST_FAILURES:
                problems.append(f"ended after {MOST_FAILURES} failures in a row")
                break
        if progress is not None:
            progress(place, len(waiting))
    if not dry_run:
        _note_push(gardener, batch_name, taken=taken, failed=failed)
    return Pushed(
        orders=len(waiting), taken=taken, failed=failed, already=already, problems=tuple(problems)
    )


def _list_waiting(
    session: Session, batch_id: int, sources: tuple[str, ...], *, confirmed: bool
) -> list[Bait]:
    done = Placement.confirmed_at
    query = (
        select(Bait)
        .join(Placement, Placement.bait_id == Bait.id)
        .join(Source, Source.id == Placement.source_id)
        .where(Bait.batch_id == batch_id, Bait.state.not_in(GONE), Placement.route != LOCAL)
        .where(done.is_not(None) if confirmed else done.is_(None))
        .order_by(Bait.id)
    )
    if sources:
        query = query.where(Source.code.in_(sources))
    return list(session.scalars(query))


def _make_order(gardener: Gardener, connector: Connector, bait: Bait) -> Order:
    waybill = waybill_of(gardener.vault, bait)
    return Order(
        method=connector.method,
        url=connector.render_url(waybill),
        headers={**connector.headers, "Idempotency-Key": bait.ref},
        body=connector.render(waybill),
    )


def _push(
    gardener: Gardener,
    bait: Bait,
    order: Order,
    connector: Connector,
    sender: OrderSender,
    pause: Callable[[float], None],
) -> str | None:
    """Push one order; return why it was not taken."""
    with gardener.database.write() as session:
        session.execute(
            update(Placement)
            .where(Placement.bait_id == bait.id, Placement.route == SHEET)
            .values(route=PUSH)
        )
        hand_over(session, [bait.id], gardener.clock())
    problem = _send(order, connector, sender, pause)
    if problem is None:
        with gardener.database.write() as session:
            placement = session.scalars(select(Placement).where(Placement.bait_id == bait.id)).one()
            if placement.confirmed_at is None:
                confirm_placements(session, [placement], "partner's answer", gardener.clock())
    return problem


def _send(
    order: Order, connector: Connector, sender: OrderSender, pause: Callable[[float], None]
) -> str | None:
    problem = "not sent"
    for wait in _list_waits():
        later: float | None = None
        try:
            answer = sender.send(order)
        except DeliveryError as error:
            if error.permanent:
                return str(error)
            problem, later = str(error), error.retry_after
        else:
            if connector.success.accepts(answer.status, answer.body):
                return None
            problem, later = f"answered {answer.status}, not as success", answer.retry_after
            if answer.status < 500 and answer.status not in (408, 425, 429):
                return problem
        if wait is None:
            break
        pause(min(LONGEST_WAIT, max(wait, later or 0)))
    return f"{problem} ({ATTEMPTS} attempts)"


def _list_waits() -> Iterator[float | None]:
    """Yield how long to wait after each attempt; None after the last."""
    yield from WAITS
    yield None


def _note_push(gardener: Gardener, batch_name: str, *, taken: int, failed: int) -> None:
    with gardener.database.write() as session:
        record(
            session,
            gardener.actor,
            "batch.pushed",
            f"batch/{batch_name}",
            gardener.clock(),
            taken=taken,
            failed=failed,
        )
