"""Plan, make and adopt baits, a batch at a time.

A batch is written in chunks, one transaction each, and its plan is stored first: an interrupted
batch goes on where it stopped, and a finished one makes nothing new.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.errors import Conflict, Invalid, NotFound
from canary.domain.identifiers import BaitValues, canonical_number
from canary.matching.keys import name_keys, number_key
from canary.services.audit import record
from canary.services.phones import reveal_number
from canary.services.refs import make_ref
from canary.services.register import kind_of, list_keys, mask_key, seal_values
from canary.storage.bulk import IdentifierRow, reserve_ids, write_identifiers, write_rows
from canary.storage.session import Database
from canary.storage.tables import Bait, Batch, Identifier, Phone, Placement, Source
from canary.storage.vault import Vault
from seeds.codes import assign_phones, choose_weight, share_out
from seeds.draws import RandomSource
from seeds.errors import SeedError
from seeds.make import Made, Taken, make_waybills
from seeds.plan import Plan, PlanSource, plan_batch
from seeds.recipes import Recipe
from seeds.waybills import Waybill

CHUNK = 5000
CONTROL_PHONE_SHARE = 0.1
NAME_LENGTH = 120
REDRAWS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedOrder:
    """What the seeder asks for. No sources means all of them."""

    batch: str
    sources: tuple[str, ...] = ()
    per_source: int = 4
    carrier: str | None = None
    controls: float = 0.05
    counts: dict[str, int] = field(default_factory=dict)


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
    """What making baits needs: rows, keys, chance, a clock."""

    database: Database
    vault: Vault
    random: RandomSource
    clock: Callable[[], datetime]
    actor: str


Progress = Callable[[int, int], None]


class _Overtaken(Exception):
    """Another batch took one of the drawn numbers first; so many baits were made before."""

    def __init__(self, created: int) -> None:
        super().__init__(created)
        self.created = created


def seed_batch(
    nursery: Nursery, order: SeedOrder, *, dry_run: bool = False, progress: Progress | None = None
) -> SeedResult:
    """Make the baits of a batch. Raises Invalid, NotFound, Conflict."""
    _check_name(order.batch)
    created = 0
    for _ in range(REDRAWS):
        try:
            made = _seed_once(nursery, order, dry_run=dry_run, progress=progress)
        except _Overtaken as refused:
            created += refused.created
        else:
            return replace(made, created=made.created + created)
    msg = (
        f"other batches keep taking the same numbers; run `canary seed --batch {order.batch}` again"
    )
    raise Conflict(msg)


def _check_name(name: str) -> None:
    if not (name.strip() and name.isprintable() and len(name) <= NAME_LENGTH):
        raise Invalid(
            f"{name[:40]!r} is not a name for a batch",
            field="batch",
            mend=f"use up to {NAME_LENGTH} printable characters",
        )


def _seed_once(
    nursery: Nursery, order: SeedOrder, *, dry_run: bool, progress: Progress | None
) -> SeedResult:
    with nursery.database.read() as session:
        batch = session.scalar(select(Batch).where(Batch.name == order.batch))
        if batch is not None and batch.state == "issued":
            return _already(session, batch)
        if batch is not None:
            order = _restore_order(batch)
        plan = _plan(session, order)
        # The newest is read first: what is made between the two reads is noticed when writing.
        newest = _find_newest(session, batch.id) if batch is not None else None
        done = _count_done(session, batch.id) if batch is not None else Counter[str | None]()
        recipes = list(_skip_done(plan.all_recipes, done))
        phones = _choose_phones(session, nursery, recipes)
    if dry_run:
        return _count(order, plan, phones, created=0)
    if batch is None:
        _open_batch(nursery, order)
    created = _make_all(nursery, order, recipes, phones, progress, newest)
    _close_batch(nursery, order.batch)
    return _count(order, plan, phones, created=created)


def _find_newest(session: Session, batch_id: int) -> int | None:
    return session.scalar(select(func.max(Bait.id)).where(Bait.batch_id == batch_id))


def _plan(session: Session, order: SeedOrder) -> Plan:
    wanted = order.counts or dict.fromkeys(order.sources, order.per_source)
    query = select(Source).order_by(Source.code)
    sources = [row for row in session.scalars(query) if not wanted or row.code in wanted]
    missing = set(wanted) - {row.code for row in sources}
    if missing:
        msg = f"there is no source {', '.join(sorted(missing))}; see `canary sources list`"
        raise NotFound(msg)
    codes = {row.id: row.code for row in session.execute(select(Source.id, Source.code))}
    try:
        return plan_batch(
            [_plan_source(row, codes) for row in sources],
            per_source=order.per_source,
            controls=order.controls,
            carrier=order.carrier,
            counts=order.counts or None,
            phones=session.scalar(select(func.count()).select_from(Phone)),
        )
    except SeedError as error:
        raise Invalid(error.problem, mend=error.mend, row=error.row, field=error.field) from error


def _plan_source(row: Source, codes: dict[int, str]) -> PlanSource:
    return PlanSource(
        code=row.code,
        kind=row.kind,
        region=row.region or "",
        carriers=tuple(row.carriers),
        daily_parcels=row.daily_parcels or 0,
        stage=row.stage or "",
        parent=codes.get(row.parent_id or 0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phones:
    """Phones in the order the waybills take them, and those kept back as controls."""

    in_order: tuple[str, ...]
    ids: dict[str, int]
    control_ids: tuple[int, ...]


def _choose_phones(session: Session, nursery: Nursery, recipes: Sequence[Recipe]) -> _Phones:
    rows = list(session.scalars(select(Phone).order_by(Phone.id)))
    counts = Counter(recipe.source for recipe in recipes if recipe.source)
    if not rows or not counts:
        return _Phones(in_order=(), ids={}, control_ids=())
    numbers = {reveal_number(nursery.vault, row): row for row in rows}
    controls = [number for number, row in numbers.items() if row.is_control]
    usable = [number for number, row in numbers.items() if not row.is_control]
    used = set(session.scalars(select(Bait.phone_id).distinct()))
    fresh = [number for number in usable if numbers[number].id not in used]
    kept = 0 if controls else int(len(usable) * CONTROL_PHONE_SHARE)
    pool = fresh if len(fresh) - kept >= sum(counts.values()) else usable
    weight = min(max(counts.values()), choose_weight(len(pool) - kept, len(counts)))
    try:
        code = assign_phones(
            pool, list(counts), random=nursery.random, weight=weight, controls=kept
        )
    except SeedError as error:
        raise Invalid(error.problem, mend=error.mend, field="phones") from error
    return _Phones(
        in_order=tuple(share_out(recipes, code)),
        ids={number: row.id for number, row in numbers.items()},
        control_ids=tuple(numbers[number].id for number in code.controls),
    )


def _count(order: SeedOrder, plan: Plan, phones: _Phones, *, created: int) -> SeedResult:
    return SeedResult(
        batch=order.batch,
        sources=len({recipe.source for recipe in plan.recipes}),
        baits=sum(recipe.count for recipe in plan.recipes),
        controls=sum(recipe.count for recipe in plan.controls),
        with_phone=len(phones.in_order),
        created=created,
        warnings=plan.warnings,
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


def _open_batch(nursery: Nursery, order: SeedOrder) -> None:
    now = nursery.clock()
    stored: dict[str, object] = {
        "sources": list(order.sources),
        "per_source": order.per_source,
        "carrier": order.carrier,
        "controls": order.controls,
        "counts": order.counts,
    }
    with nursery.database.write() as session:
        if session.scalar(select(Batch.id).where(Batch.name == order.batch)) is not None:
            msg = f"somebody else is making batch {order.batch} now"
            raise Conflict(msg)
        session.add(
            Batch(
                name=order.batch,
                state="making",
                plan=stored,
                created_at=now,
                created_by=nursery.actor,
            )
        )
        record(session, nursery.actor, "batch.started", f"batch/{order.batch}", now, plan=stored)


def _restore_order(batch: Batch) -> SeedOrder:
    plan = batch.plan
    return SeedOrder(
        batch=batch.name,
        sources=tuple(plan["sources"]),
        per_source=plan["per_source"],
        carrier=plan["carrier"],
        controls=plan["controls"],
        counts=plan["counts"],
    )


def _close_batch(nursery: Nursery, name: str) -> None:
    with nursery.database.write() as session:
        batch = session.scalars(select(Batch).where(Batch.name == name)).one()
        batch.state, batch.finished_at = "issued", nursery.clock()
        record(session, nursery.actor, "batch.issued", f"batch/{name}", nursery.clock())


def _make_all(
    nursery: Nursery,
    order: SeedOrder,
    recipes: Sequence[Recipe],
    phones: _Phones,
    progress: Progress | None,
    newest: int | None,
) -> int:
    with nursery.database.read() as session:
        batch_id = session.scalars(select(Batch.id).where(Batch.name == order.batch)).one()
        source_ids = {row.code: row.id for row in session.execute(select(Source.code, Source.id))}
        taken = _load_taken(session, nursery.vault)
    waybills = make_waybills(recipes, taken=taken, phones=phones.in_order, random=nursery.random)
    adopter = _Adopter(nursery, batch_id, source_ids, phones, newest)
    created, total = 0, sum(recipe.count for recipe in recipes)
    try:
        while chunk := list(islice(waybills, CHUNK)):
            adopter.adopt(chunk)
            created += len(chunk)
            if progress is not None:
                progress(created, total)
    except IntegrityError as error:
        raise _Overtaken(created) from error
    except SeedError as error:
        raise Invalid(
            f"{error.problem} ({created} baits were made and are kept)", mend=error.mend
        ) from error
    return created


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


def _skip_done(recipes: Sequence[Recipe], done: Counter[str | None]) -> Iterator[Recipe]:
    """Leave out what an interrupted run made: recipes of one waybill each, in their order."""
    left = Counter(done)
    for recipe in recipes:
        if left[recipe.source] > 0:
            left[recipe.source] -= recipe.count
        else:
            yield recipe


class _TakenKeys(Taken):
    """Numbers and names of all baits ever made, known by their digests alone."""

    def __init__(self, vault: Vault, known: frozenset[bytes]) -> None:
        self._vault = vault
        self._known = known

    def is_number_taken(self, number: str) -> bool:
        return self._vault.digest(number_key(canonical_number(number))) in self._known

    def is_name_taken(self, name: str, city: str) -> bool:
        whole, masked = name_keys(name)[0], mask_key(name, city)
        return self._vault.digest(whole) in self._known or self._vault.digest(masked) in self._known


def _load_taken(session: Session, vault: Vault) -> _TakenKeys:
    kinds = ("number", "m", "um")
    rows = session.scalars(select(Identifier.value_key).where(Identifier.kind.in_(kinds)))
    return _TakenKeys(vault, frozenset(rows))


class _Adopter:
    """Turns waybills into bait rows, a chunk in one transaction."""

    def __init__(
        self,
        nursery: Nursery,
        batch_id: int,
        source_ids: dict[str, int],
        phones: _Phones,
        newest: int | None,
    ) -> None:
        self._nursery = nursery
        self._batch_id = batch_id
        self._source_ids = source_ids
        self._phones = phones
        self._newest = newest

    def adopt(self, chunk: Sequence[Made]) -> None:
        """Write one chunk: baits, identifiers, planned placements. Raises Conflict."""
        now = self._nursery.clock()
        values = [values_of(made.waybill) for made in chunk]
        rows = [self._bait_row(made, value, now) for made, value in zip(chunk, values, strict=True)]
        with self._nursery.database.write() as session:
            self._require_alone(session)
            ids = reserve_ids(session, Bait, len(chunk))
            for bait_id, row in zip(ids, rows, strict=True):
                row["id"] = bait_id
            write_rows(session, Bait, rows)
            write_identifiers(session, self._identifier_rows(ids, values))
            placements = [
                {"bait_id": bait_id, "source_id": self._source_ids[source], "route": "sheet"}
                for bait_id, made in zip(ids, chunk, strict=True)
                if (source := made.recipe.source) is not None
            ]
            write_rows(session, Placement, placements)
            self._keep_controls(session)
        self._newest = ids[-1]

    def _require_alone(self, session: Session) -> None:
        """Lock the batch, and refuse to go on when somebody else has added to it meanwhile."""
        batch = session.get_one(Batch, self._batch_id, with_for_update=True)
        if _find_newest(session, self._batch_id) != self._newest:
            msg = f"somebody else is making batch {batch.name} now"
            raise Conflict(msg)

    def _bait_row(self, made: Made, values: BaitValues, now: datetime) -> dict[str, object]:
        ref, waybill = make_ref("B"), made.waybill
        return {
            "ref": ref,
            "batch_id": self._batch_id,
            "carrier": waybill.carrier,
            "state": BaitState.ISSUED,
            "is_control": made.recipe.is_control,
            "sealed_values": seal_values(self._nursery.vault, ref, values),
            "phone_id": self._phones.ids.get(waybill.phone) if waybill.phone else None,
            "goods": waybill.goods,
            "weight_g": waybill.weight_g,
            "origin": waybill.origin,
            "destination": waybill.destination,
            "sender_name": waybill.sender_name,
            "issued_at": now,
        }

    def _identifier_rows(
        self, ids: Sequence[int], values: Sequence[BaitValues]
    ) -> list[IdentifierRow]:
        """Make the digests of a chunk, in the order of the tree they go into."""
        digest = self._nursery.vault.digest
        return sorted(
            (digest(key), bait_id, kind_of(key))
            for bait_id, value in zip(ids, values, strict=True)
            for key in list_keys(value)
        )

    def _keep_controls(self, session: Session) -> None:
        for phone in session.scalars(select(Phone).where(Phone.id.in_(self._phones.control_ids))):
            phone.is_control = True


def values_of(waybill: Waybill) -> BaitValues:
    """Take over what identifies a waybill."""
    return BaitValues(
        number=waybill.number,
        carrier=waybill.carrier,
        name=waybill.name,
        phone=waybill.phone,
        province=waybill.province,
        city=waybill.city,
        district=waybill.district,
        detail=waybill.detail,
    )
