"""Plan, make and adopt baits, a batch at a time.

A batch is written in chunks, one transaction each, and its order is stored first: an interrupted
batch goes on where it stopped, and a finished one makes nothing new.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.audit import record
from canary.services.baits.adopting import Adopter, Bed, Placing, TakenValues, find_midnight
from canary.services.baits.bedding import Overtaken, Submit, find_newest, open_writer
from canary.services.baits.dealing import Deal, Pool, deal_phones, keep_controls, load_pool
from canary.services.baits.orders import PlanRow, SeedOrder, restore_order
from canary.services.baits.placing import LOCAL, SHEET
from canary.services.baits.planning import list_pool_warnings, plan_order, require_reserved
from canary.services.stock.ranges import KnownRange, RangeUse, load_ranges
from canary.storage.session import Database
from canary.storage.tables import Bait, Batch, Placement, Source
from canary.storage.vault import Vault
from seeds.draws import Draws, RandomSource
from seeds.errors import SeedError
from seeds.make import Made, make_waybills
from seeds.people import ForbiddenNames
from seeds.plan import Plan
from seeds.ranges import NumberRanges, ReservedNumbers
from seeds.recipes import Recipe

__all__ = ["Nursery", "SeedOrder", "SeedResult", "seed_batch"]

CHUNK = 5000
LARGEST_CHUNK = 10_000
NAME_LENGTH = 120
REDRAWS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResult:
    """What was made, or would be."""

    batch: str
    sources: int
    baits: int
    controls: int
    with_phone: int
    created: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nursery:
    """What making baits needs: rows, keys, chance, a clock.

    A batch of `apart_from` baits or more is written by a process of its own.
    """

    database: Database
    vault: Vault
    random: RandomSource
    clock: Callable[[], datetime]
    actor: str
    apart_from: int = 20_000


Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A batch as it stands before making: what is planned, what was made before."""

    order: SeedOrder
    plan: Plan
    deal: Deal
    ranges: list[KnownRange]
    done: Counter[str | None]
    newest: int | None
    is_begun: bool
    warnings: tuple[str, ...]

    @property
    def left(self) -> int:
        """How many waybills are still to be made."""
        return self.plan.total - sum(self.done.values())


class _StoppedAt(Exception):
    """Another batch took one of the drawn numbers first; so many baits were made before."""

    def __init__(self, created: int) -> None:
        super().__init__(created)
        self.created = created


def seed_batch(
    nursery: Nursery,
    order: SeedOrder,
    *,
    forbidden: ForbiddenNames | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SeedResult:
    """Make the baits of a batch, none with a forbidden name. Raises Invalid, NotFound, Conflict."""
    check_name(order.batch)
    order = replace(order, forbids=forbidden is not None)
    created = 0
    for _ in range(REDRAWS):
        try:
            made = _seed_once(nursery, order, forbidden, dry_run=dry_run, progress=progress)
        except _StoppedAt as refused:
            created += refused.created
        else:
            return replace(made, created=made.created + created)
    msg = (
        f"other batches keep taking the same numbers; run `canary seed --batch {order.batch}` again"
    )
    raise Conflict(msg)


def check_name(name: str) -> None:
    """Raise Invalid for what is no name for a batch."""
    if not (name.strip() and name.isprintable() and len(name) <= NAME_LENGTH):
        raise Invalid(
            f"{name[:40]!r} is not a name for a batch",
            field="batch",
            mend=f"use up to {NAME_LENGTH} printable characters",
        )


def _seed_once(
    nursery: Nursery,
    order: SeedOrder,
    forbidden: ForbiddenNames | None,
    *,
    dry_run: bool,
    progress: Progress | None,
) -> SeedResult:
    with nursery.database.read() as session:
        batch = session.scalar(select(Batch).where(Batch.name == order.batch))
        if batch is not None and batch.state == "issued":
            return _already(session, batch)
        draft = _draft(session, nursery, order, batch)
    if draft.order.forbids and forbidden is None:
        raise Invalid(
            f"batch {order.batch} was begun with a list of names to avoid",
            field="forbid",
            mend="give the list again by --forbid",
        )
    if dry_run:
        return _count(draft, created=0)
    if not draft.is_begun:
        _open_batch(nursery, draft.order, draft.deal.pool)
    created = _make_all(nursery, draft, forbidden, progress)
    _close_batch(nursery, order.batch)
    return _count(draft, created=created)


def _draft(session: Session, nursery: Nursery, order: SeedOrder, batch: Batch | None) -> _Draft:
    if batch is None and order.resume:
        msg = f"there is no batch {order.batch} to carry on; say which sources"
        raise NotFound(msg)
    if batch is not None:
        order = restore_order(batch)
    now, vault = nursery.clock(), nursery.vault
    batch_id = batch.id if batch is not None else None
    # The newest is read first: what is made between the two reads is noticed when writing.
    newest = find_newest(session, batch_id) if batch_id is not None else None
    done = _count_done(session, batch_id) if batch_id is not None else Counter[str | None]()
    pool = load_pool(session, vault, order.batch, batch_id, now)
    ranges = load_ranges(session, vault, now)
    plan = plan_order(session, order, pool, ranges)
    if order.reserved:
        require_reserved(plan, ranges, made=sum(done.values()))
    counts = Counter[str]()
    for line in plan.recipes.lines:
        counts[line.source.code] += line.count
    return _Draft(
        order=order,
        plan=plan,
        deal=deal_phones(vault, pool, order.batch, counts),
        ranges=ranges,
        done=done,
        newest=newest,
        is_begun=batch is not None,
        warnings=(*plan.warnings, *list_pool_warnings(pool)),
    )


def _count(draft: _Draft, *, created: int) -> SeedResult:
    placed = len(draft.plan.recipes)
    return SeedResult(
        batch=draft.order.batch,
        sources=len({line.source.code for line in draft.plan.recipes.lines}),
        baits=placed,
        controls=len(draft.plan.controls),
        with_phone=placed if draft.deal.code is not None else 0,
        created=created,
        warnings=draft.warnings,
    )


def _already(session: Session, batch: Batch) -> SeedResult:
    baits = select(func.count()).select_from(Bait).where(Bait.batch_id == batch.id)
    controls = session.scalar(baits.where(Bait.is_control)) or 0
    return SeedResult(
        batch=batch.name,
        sources=session.scalar(
            select(func.count(Placement.source_id.distinct()))
            .join(Bait, Bait.id == Placement.bait_id)
            .where(Bait.batch_id == batch.id)
        )
        or 0,
        baits=(session.scalar(baits) or 0) - controls,
        controls=controls,
        with_phone=session.scalar(baits.where(Bait.phone_id.is_not(None))) or 0,
        created=0,
        warnings=(f"batch {batch.name} was made on {batch.created_at:%Y-%m-%d}: nothing new",),
    )


def _open_batch(nursery: Nursery, order: SeedOrder, pool: Pool) -> None:
    now = nursery.clock()
    with nursery.database.write() as session:
        if session.scalar(select(Batch.id).where(Batch.name == order.batch)) is not None:
            msg = f"somebody else is making batch {order.batch} now"
            raise Conflict(msg)
        add_batch(session, order, "making", nursery.actor, now)
        keep_controls(session, pool)


def add_batch(session: Session, order: SeedOrder, state: str, actor: str, now: datetime) -> None:
    """Keep an order under its batch's name, to be made now (`making`) or later (`draft`)."""
    session.add(
        Batch(name=order.batch, state=state, plan=order.to_json(), created_at=now, created_by=actor)
    )
    action = "batch.started" if state == "making" else "batch.drafted"
    record(session, actor, action, f"batch/{order.batch}", now, plan=order.to_json())


def _close_batch(nursery: Nursery, name: str) -> None:
    with nursery.database.write() as session:
        batch = session.scalars(select(Batch).where(Batch.name == name)).one()
        batch.state, batch.finished_at = "issued", nursery.clock()
        record(session, nursery.actor, "batch.issued", f"batch/{name}", nursery.clock())


def _make_all(
    nursery: Nursery,
    draft: _Draft,
    forbidden: ForbiddenNames | None,
    progress: Progress | None,
) -> int:
    bed = _lay_bed(nursery, draft)
    adopter = Adopter(
        nursery.vault,
        nursery.clock,
        bed=bed,
        ranges=[known for known in draft.ranges if known.use is not RangeUse.NEVER],
        done=draft.done,
    )
    never = NumberRanges(known.span for known in draft.ranges if known.use is RangeUse.NEVER)
    waybills = make_waybills(
        _skip_done(draft.plan.all_recipes, draft.done),
        taken=TakenValues(nursery.database, nursery.vault),
        phones=draft.deal.list_phones(_skip_done(draft.plan.recipes, draft.done), draft.done),
        random=nursery.random,
        never=never,
        forbidden=forbidden or frozenset(),
        numbers=_reserve(nursery, draft, never) if draft.order.reserved else None,
        names=draft.order.names,
    )
    created, size = 0, max(CHUNK, min(LARGEST_CHUNK, draft.left // 50))
    writer = open_writer(
        nursery.database, bed.batch_id, draft.newest, apart=draft.left >= nursery.apart_from
    )
    try:
        with writer as submit, closing(_adopt_all(adopter, submit, waybills, size)) as written:
            for count in written:
                created += count
                if progress is not None:
                    progress(created, draft.left)
    except Overtaken as error:
        raise _StoppedAt(created) from error
    except SeedError as error:
        raise Invalid(
            f"{error.problem} ({created} baits were made and are kept)", mend=error.mend
        ) from error
    return created


def _adopt_all(
    adopter: Adopter, submit: Submit, waybills: Iterator[Made], size: int
) -> Generator[int, None, None]:
    """Write chunk after chunk, the next one prepared meanwhile; yield how many were written."""
    writing: Future[int] | None = None
    while chunk := list(islice(waybills, size)):
        prepared = adopter.prepare(chunk)
        if writing is not None:
            yield writing.result()
        writing = submit(prepared)
    if writing is not None:
        yield writing.result()


def _lay_bed(nursery: Nursery, draft: _Draft) -> Bed:
    with nursery.database.read() as session:
        batch = session.scalars(select(Batch).where(Batch.name == draft.order.batch)).one()
        source_ids = {row.code: row.id for row in session.execute(select(Source.code, Source.id))}
    return Bed(
        batch_id=batch.id,
        started_at=find_midnight(batch.created_at),
        source_ids=source_ids,
        phone_ids=draft.deal.pool.ids,
        placing=_list_rows_placing(draft.order) or _list_local_placing(draft),
    )


def _list_rows_placing(order: SeedOrder) -> dict[str, Placing]:
    """Tell how the baits of each source are placed: by the row of the plan they fall in."""
    rows: dict[str, list[PlanRow]] = {}
    for row in order.rows:
        rows.setdefault(row.source, []).append(row)
    return {
        code: [
            (end, {"route": row.route, "fields": row.fields})
            for end, row in zip(accumulate(row.count for row in own), own, strict=True)
        ]
        for code, own in rows.items()
    }


def _list_local_placing(draft: _Draft) -> dict[str, Placing]:
    """Keep the last baits of each source that has a parent out of what the parent can query."""
    if not draft.order.local:
        return {}
    return {
        line.source.code: [
            (line.count - draft.order.local, {"route": SHEET, "fields": None}),
            (line.count, {"route": LOCAL, "fields": None}),
        ]
        for line in draft.plan.recipes.lines
        if line.source.parent is not None
    }


def _reserve(nursery: Nursery, draft: _Draft, never: NumberRanges) -> dict[str, Iterator[str]]:
    """Open the reserved and voided numbers of each carrier of the plan."""
    draws, today = Draws(nursery.random), nursery.clock().date()
    spans = [known.span for known in draft.ranges if known.use is not RangeUse.NEVER]
    carriers = {recipe.carrier for recipe in draft.plan.all_recipes}
    return {
        code: _leave_out(ReservedNumbers(code, spans, draws, today=today), code, never)
        for code in sorted(carriers)
    }


def _leave_out(numbers: Iterator[str], carrier: str, never: NumberRanges) -> Iterator[str]:
    return (number for number in numbers if not never.covers(carrier, number))


def _count_done(session: Session, batch_id: int) -> Counter[str | None]:
    rows = session.execute(
        select(Source.code, func.count().label("count"))
        .select_from(Bait)
        .outerjoin(Placement, Placement.bait_id == Bait.id)
        .outerjoin(Source, Source.id == Placement.source_id)
        .where(Bait.batch_id == batch_id)
        .group_by(Source.code)
    )
    return Counter({row.code: row.count for row in rows})


def _skip_done(recipes: Iterable[Recipe], done: Counter[str | None]) -> Iterator[Recipe]:
    """Leave out what an interrupted run made: recipes of one waybill each, in their order."""
    left = Counter(done)
    for recipe in recipes:
        if left[recipe.source] > 0:
            left[recipe.source] -= 1
        else:
            yield recipe
