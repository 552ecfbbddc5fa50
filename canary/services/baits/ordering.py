"""Batches from the dashboard: try a plan, draft it, have it made by the jobs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from canary.domain.errors import CanaryError, Conflict, Invalid, NotFound
from canary.services.audit import record
from canary.services.baits.custody import tell_levels
from canary.services.baits.orders import PlanRow, SeedOrder
from canary.services.baits.placing import LOCAL, SHEET
from canary.services.baits.seeding import Nursery, SeedResult, add_batch, check_name, seed_batch
from canary.services.viewing import is_in_place
from canary.storage.session import Database
from canary.storage.tables import Bait, Batch, Placement, Source

ORDERED = "ordered"
MAKE_EVERY = timedelta(seconds=2)
STOPPED = "batch.stopped"

log = structlog.get_logger(__name__)


def try_order(nursery: Nursery, order: SeedOrder) -> SeedResult:
    """Say what would be made. Raises Invalid, NotFound, Conflict."""
    with nursery.database.read() as session:
        _check_free(session, order.batch)
    return seed_batch(nursery, order, dry_run=True)


def draft_order(database: Database, order: SeedOrder, *, actor: str, now: datetime) -> int:
    """Keep a plan under its name, to be made later; return its batch. Raises Invalid, Conflict."""
    check_name(order.batch)
    with database.write() as session:
        _check_free(session, order.batch)
        add_batch(session, order, "draft", actor, now)
        return session.scalars(select(Batch.id).where(Batch.name == order.batch)).one()


def start_making(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Have a drafted or interrupted batch made. Raises Conflict, NotFound."""
    batch = _lock(session, name)
    if batch.state not in {"draft", "making"}:
        msg = "this batch is made, or is waiting to be made"
        raise Conflict(msg)
    batch.state = ORDERED
    record(session, actor, "batch.ordered", f"batch/{name}", now)


def make_ordered(nursery: Nursery) -> None:
    """Make every batch that was ordered. One that fails is a draft again, and says why."""
    with nursery.database.read() as session:
        names = session.scalars(
            select(Batch.name).where(Batch.state == ORDERED).order_by(Batch.id)
        ).all()
    for name in names:
        _make(nursery, name)


def list_uncovered(session: Session) -> list[str]:
    """List the sources without a bait in place, by code."""
    covered = (
        select(Placement.id)
        .join(Bait, Placement.bait_id == Bait.id)
        .where(Placement.source_id == Source.id, is_in_place())
        .exists()
    )
    return list(session.scalars(select(Source.code).where(~covered).order_by(Source.code)))


def list_plan(session: Session, order: SeedOrder) -> list[dict[str, object]]:
    """Return an order as the rows of plan.csv that would ask for the same baits."""
    if order.rows:
        return [_tell_row(row, order) for row in order.rows]
    chosen = set(order.sources)
    return [
        _tell_row(PlanRow(source=source.code, count=count, route=route), order)
        for source in session.execute(select(Source.code, Source.parent_id).order_by(Source.code))
        if not chosen or source.code in chosen
        for route, count in _split_routes(order, is_below=source.parent_id is not None)
        if count
    ]


def _split_routes(order: SeedOrder, *, is_below: bool) -> tuple[tuple[str, int], ...]:
    local = order.local if is_below else 0
    return (SHEET, order.per_source - local), (LOCAL, local)


def _tell_row(row: PlanRow, order: SeedOrder) -> dict[str, object]:
    return {
        "source": row.source,
        "count": row.count,
        "carrier": row.carrier or order.carrier,
        "origin": row.origin,
        "destination": row.destination,
        "fields": tell_levels(row.fields) if row.fields else None,
        "route": row.route,
    }


def read_codes(text: str) -> tuple[str, ...]:
    """Read codes separated by blanks, commas or lines."""
    for mark in ",;，；、":
        text = text.replace(mark, " ")
    return tuple(dict.fromkeys(text.split()))


def check_codes(session: Session, codes: Sequence[str]) -> None:
    """Raise Invalid when one of the codes is no source."""
    known: set[str] = set()
    for start in range(0, len(codes), 500):
        known.update(
            session.scalars(select(Source.code).where(Source.code.in_(codes[start : start + 500])))
        )
    missing = [code for code in codes if code not in known]
    if missing:
        raise Invalid("there is no such source", field="sources", mend=", ".join(missing[:5]))


def _check_free(session: Session, name: str) -> None:
    if session.scalar(select(Batch.id).where(Batch.name == name)) is not None:
        msg = "there is a batch of this name already"
        raise Conflict(msg)


def _lock(session: Session, name: str) -> Batch:
    """Return a batch in whatever state, locked."""
    batch = session.scalar(select(Batch).where(Batch.name == name).with_for_update())
    if batch is None:
        msg = f"there is no batch {name!r}"
        raise NotFound(msg)
    return batch


def _make(nursery: Nursery, name: str) -> None:
    with nursery.database.write() as session:
        # The row count says which of two workers has it.
        won = session.execute(
            update(Batch)
            .where(Batch.name == name, Batch.state == ORDERED)
            .values(state="making")
            .returning(Batch.created_by)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    if won is None:
        return
    try:
        seed_batch(replace(nursery, actor=won.created_by), SeedOrder(batch=name, resume=True))
    except CanaryError as error:
        log.warning("batch.stopped", batch=name, reason=str(error))
        _note_stop(nursery, name, str(error))


def _note_stop(nursery: Nursery, name: str, problem: str) -> None:
    with nursery.database.write() as session:
        batch = _lock(session, name)
        begun = select(func.count()).select_from(Bait).where(Bait.batch_id == batch.id)
        batch.state = "making" if session.scalar(begun) else "draft"
        record(
            session,
            nursery.actor,
            STOPPED,
            f"batch/{name}",
            nursery.clock(),
            reason=problem[:500],
        )
