"""The end of baits: retired after their time, burned when a confirmed leak showed them.

Both still match. What takes their place is drafted as a batch of its own, to be made by
`canary seed --batch NAME`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState, can_become
from canary.domain.errors import Invalid
from canary.services.audit import record
from canary.services.baits.orders import PlanRow, SeedOrder
from canary.services.baits.placing import LOCAL, SHEET
from canary.services.baits.seeding import add_batch
from canary.storage.tables import Bait, Batch, Match, Placement, Sighting, Source

CHUNK = 500
EXACT = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """How many baits ended, and the batch drafted to replace them, if any."""

    ended: int
    batch: str | None
    drafted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Baits of one source and batch that were issued and never confirmed."""

    source: str
    batch: str
    issued: int
    handed_over: int
    since: datetime


def retire_older(
    session: Session,
    *,
    days: int,
    replace: bool,
    actor: str,
    now: datetime,
    batch: str | None = None,
) -> Rotation:
    """Retire baits issued more than `days` ago; draft their replacement. Raises Invalid."""
    if days < 1:
        raise Invalid(f"{days} days", field="older_than", mend="give at least 1")
    query = (
        select(Bait.id)
        .where(Bait.issued_at < now - timedelta(days=days))
        .where(Bait.state.in_(_list_states_before(BaitState.RETIRED)))
        .where(Bait.state != BaitState.BURNED)
    )
    if batch is not None:
        query = query.join(Batch, Batch.id == Bait.batch_id).where(Batch.name == batch)
    ids = list(session.scalars(query))
    _end(session, ids, BaitState.RETIRED, now)
    name = f"rotate-{now:%Y%m%d-%H%M%S}"
    drafted = _draft_replacement(session, name, ids, actor, now) if replace else 0
    record(
        session,
        actor,
        "baits.retired",
        f"batch/{batch}" if batch else "baits",
        now,
        older_than_days=days,
        retired=len(ids),
        replacement=name if drafted else None,
    )
    return Rotation(ended=len(ids), batch=name if drafted else None, drafted=drafted)


def burn_baits_of(session: Session, incident_id: int, *, actor: str, now: datetime) -> Rotation:
    """Burn the baits a confirmed incident showed, and draft what replaces them."""
    seen = (
        select(Match.bait_id)
        .join(Sighting, Sighting.id == Match.sighting_id)
        .where(Sighting.incident_id == incident_id)
        .where(or_(Match.level == EXACT, Match.kind == "arrival"))
        .distinct()
    )
    states = _list_states_before(BaitState.BURNED)
    ids = list(
        session.scalars(
            select(Bait.id).where(Bait.id.in_(seen), Bait.state.in_(states)).order_by(Bait.id)
        )
    )
    if not ids:
        return Rotation(ended=0, batch=None, drafted=0)
    _end(session, ids, BaitState.BURNED, now)
    name = _find_free_name(session, f"replace-incident-{incident_id}")
    drafted = _draft_replacement(session, name, ids, actor, now)
    record(
        session,
        actor,
        "baits.burned",
        f"incident/{incident_id}",
        now,
        burned=len(ids),
        replacement=name if drafted else None,
    )
    return Rotation(ended=len(ids), batch=name if drafted else None, drafted=drafted)


def _list_states_before(state: BaitState) -> list[BaitState]:
    return [before for before in BaitState if can_become(before, state)]


def _find_free_name(session: Session, name: str) -> str:
    """Return the name, numbered when an incident was confirmed before."""
    query = select(func.count()).select_from(Batch).where(Batch.name.startswith(name))
    count = session.scalar(query) or 0
    return f"{name}-{count + 1}" if count else name


def _end(session: Session, ids: Sequence[int], state: BaitState, now: datetime) -> None:
    ended_at = "burned_at" if state is BaitState.BURNED else "retired_at"
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        session.execute(
            update(Bait)
            .where(Bait.id.in_(chunk))
            .values({"state": state, ended_at: now})
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(Placement)
            .where(Placement.bait_id.in_(chunk), Placement.ended_at.is_(None))
            .values(ended_at=now)
            .execution_options(synchronize_session=False)
        )


def _draft_replacement(
    session: Session, name: str, ids: Sequence[int], actor: str, now: datetime
) -> int:
    """Draft as many baits for each source and carrier as ended there; return how many.

    What stayed local, or was shown in part, is replaced by the same.
    """
    ended = Counter[tuple[str, str, str, tuple[tuple[str, int], ...]]]()
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(
            select(Source.code, Bait.carrier, Placement.route, Placement.fields)
            .join(Placement, Placement.source_id == Source.id)
            .join(Bait, Bait.id == Placement.bait_id)
            .where(Bait.id.in_(ids[start : start + CHUNK]))
        )
        ended.update(
            (
                row.code,
                row.carrier,
                LOCAL if row.route == LOCAL else SHEET,
                tuple(sorted((row.fields or {}).items())),
            )
            for row in rows
        )
    if not ended:
        return 0
    lines = tuple(
        PlanRow(source=code, count=count, carrier=carrier, route=route, fields=dict(fields) or None)
        for (code, carrier, route, fields), count in sorted(ended.items())
    )
    add_batch(session, SeedOrder(batch=name, rows=lines), "draft", actor, now)
    return sum(ended.values())


def list_gaps(session: Session, batch: str | None = None) -> list[Gap]:
    """List what was issued for sources and never confirmed, oldest first."""
    since = func.min(Bait.issued_at)
    query = (
        select(
            Source.code,
            Batch.name,
            func.count().label("issued"),
            func.count(Placement.handed_over_at).label("handed_over"),
            since.label("since"),
        )
        .select_from(Placement)
        .join(Bait, Bait.id == Placement.bait_id)
        .join(Batch, Batch.id == Bait.batch_id)
        .join(Source, Source.id == Placement.source_id)
        .where(Placement.confirmed_at.is_(None), Placement.ended_at.is_(None))
        .group_by(Source.code, Batch.name)
        .order_by(since, Source.code)
    )
    if batch is not None:
        query = query.where(Batch.name == batch)
    return [
        Gap(
            source=row.code,
            batch=row.name,
            issued=row.issued,
            handed_over=row.handed_over,
            since=row.since,
        )
        for row in session.execute(query)
    ]


def list_drafts(session: Session) -> list[tuple[str, int]]:
    """List the batches drafted and not made yet, with how many baits each is for."""
    drafts = session.scalars(select(Batch).where(Batch.state == "draft").order_by(Batch.id))
    return [(one.name, sum(row["count"] for row in one.plan["rows"])) for one in drafts]
