"""Batches: how far each is, what is missing, and its planting sheets."""

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.errors import Invalid, NotFound
from canary.services.baits.ordering import STOPPED
from canary.services.baits.orders import SeedOrder, restore_order
from canary.services.baits.planting import Gardener, LabelWish, export_sheets, get_batch
from canary.services.viewing import (
    Paged,
    SourceLabel,
    clamp_page,
    count_rows,
)
from canary.storage.tables import AuditEntry, Bait, Batch, Placement, Source

BATCHES = 20
SOURCES = 50
# Above this the page lists every source of the network instead of the batch's own.
SMALL = 50_000
MOST_SHEETS = 50_000
# A label takes about 25 ms to draw.
MOST_LABELS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """One batch; `planned` is what its plan asks for, controls left out."""

    batch_id: int
    name: str
    state: str
    created_at: datetime
    created_by: str
    finished_at: datetime | None
    planned: int
    baits: int
    states: Mapping[str, int]

    @property
    def in_place(self) -> int:
        """How many baits are confirmed to be at their sources, or were."""
        return self.baits - self.states.get("issued", 0) - self.states.get("draft", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSource:
    """What one source has of a batch."""

    source: SourceLabel
    issued: int
    handed_over: int
    confirmed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """Everything the page of one batch shows; `stopped` says why its making stopped."""

    line: BatchLine
    is_confirmed: bool
    sources: Paged[BatchSource]
    per_source: int
    local: int
    carrier: str
    is_for_all: bool
    stopped: str


def list_batches(session: Session, number: int) -> Paged[BatchLine]:
    """Return one page of the batches, newest first."""
    number = clamp_page(number)
    query = select(Batch).order_by(Batch.id.desc())
    rows = session.scalars(query.limit(BATCHES).offset((number - 1) * BATCHES)).all()
    states = _count_states(session, [row.id for row in rows])
    everything = session.scalar(select(func.count()).select_from(Source)) or 0
    return Paged(
        items=tuple(_to_line(row, states.get(row.id, {}), everything) for row in rows),
        number=number,
        size=BATCHES,
        total=count_rows(session, query),
    )


def find_name(session: Session, batch_id: int) -> str:
    """Return the name of a batch. Raises NotFound."""
    return _get(session, batch_id).name


def load_batch(session: Session, batch_id: int, number: int) -> BatchPage:
    """Return the page of one batch. Raises NotFound."""
    row = _get(session, batch_id)
    everything = session.scalar(select(func.count()).select_from(Source)) or 0
    line = _to_line(row, _count_states(session, [row.id]).get(row.id, {}), everything)
    return BatchPage(
        line=line,
        is_confirmed=not _awaits_word(session, row.id),
        sources=_list_sources(session, row, line.baits, clamp_page(number)),
        per_source=0 if row.plan.get("rows") else int(row.plan.get("per_source") or 0),
        local=int(row.plan.get("local") or 0),
        carrier=str(row.plan.get("carrier") or ""),
        is_for_all=not row.plan.get("sources") and not row.plan.get("rows"),
        stopped=_find_stop(session, row.name) if row.state in {"draft", "making"} else "",
    )


def load_order(session: Session, batch_id: int) -> SeedOrder:
    """Return what a batch was begun with. Raises NotFound."""
    return restore_order(_get(session, batch_id))


def pack_sheets(
    gardener: Gardener,
    name: str,
    *,
    template: str,
    sheet_format: str,
    labels: LabelWish | None = None,
) -> bytes:
    """Hand every sheet of a batch over as one ZIP, with labels if wished; the exposures open.

    Raises Invalid for a batch that is too large for one answer, NotFound.
    """
    with gardener.database.read() as session:
        batch = get_batch(session, name)
        baits = select(func.count()).select_from(Bait).where(Bait.batch_id == batch.id)
        if (session.scalar(baits) or 0) > (MOST_LABELS if labels else MOST_SHEETS):
            raise Invalid("this batch is too large for the page; use the command")
    out = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="canary-sheets-") as folder:
        export_sheets(
            gardener,
            name,
            Path(folder),
            template=template,
            sheet_format=sheet_format,
            labels=labels,
        )
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
    return out.getvalue()


def _get(session: Session, batch_id: int) -> Batch:
    row = session.get(Batch, batch_id)
    if row is None:
        msg = f"there is no batch {batch_id}"
        raise NotFound(msg)
    return row


def _awaits_word(session: Session, batch_id: int) -> bool:
    """Tell whether a source has yet to confirm a bait of a batch; nobody has its controls."""
    issued = select(Bait.id).where(Bait.state == BaitState.ISSUED, Bait.is_control.is_(False))
    # By the index of states: few are issued and not planted, of whichever batch.
    return bool(session.scalar(issued.where(func.coalesce(Bait.batch_id, 0) == batch_id).limit(1)))


def _count_states(session: Session, batch_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    rows = session.execute(
        select(Bait.batch_id, Bait.state, func.count())
        .where(Bait.batch_id.in_(batch_ids))
        .group_by(Bait.batch_id, Bait.state)
    )
    states: dict[int, dict[str, int]] = {}
    for batch_id, state, count in rows:
        states.setdefault(batch_id, {})[state] = count
    return states


def _to_line(row: Batch, states: Mapping[str, int], everything: int) -> BatchLine:
    plan = row.plan
    rows = plan.get("rows") or ()
    sources = len(plan.get("sources") or ()) or everything
    planned = sum(int(one["count"]) for one in rows) or sources * int(plan.get("per_source") or 0)
    return BatchLine(
        batch_id=row.id,
        name=row.name,
        state=row.state,
        created_at=row.created_at,
        created_by=row.created_by,
        finished_at=row.finished_at,
        planned=planned,
        baits=sum(states.values()),
        states=states,
    )


def _list_sources(session: Session, batch: Batch, baits: int, number: int) -> Paged[BatchSource]:
    """List the sources of a batch; of a very large one, all of the network, page by page."""
    query = select(Source).order_by(Source.code)
    if baits <= SMALL:
        own = select(Placement.source_id).join(Bait, Bait.id == Placement.bait_id)
        query = query.where(Source.id.in_(own.where(Bait.batch_id == batch.id)))
    rows = session.scalars(query.limit(SOURCES).offset((number - 1) * SOURCES)).all()
    # Shielded like the state in `is_in_place`: a planner must begin with the few sources shown,
    # not with the million baits of the batch.
    is_of_batch = func.coalesce(Bait.batch_id, 0) == batch.id
    counts = {
        source_id: (issued, handed, confirmed)
        for source_id, issued, handed, confirmed in session.execute(
            select(
                Placement.source_id,
                func.count(),
                func.count(Placement.handed_over_at),
                func.count(Placement.confirmed_at),
            )
            .join(Bait, Bait.id == Placement.bait_id)
            .where(Placement.source_id.in_([row.id for row in rows]), is_of_batch)
            .group_by(Placement.source_id)
        )
    }
    none = (0, 0, 0)
    return Paged(
        items=tuple(
            BatchSource(
                source=SourceLabel(code=row.code, name=row.name, kind=row.kind),
                issued=counts.get(row.id, none)[0],
                handed_over=counts.get(row.id, none)[1],
                confirmed=counts.get(row.id, none)[2],
            )
            for row in rows
        ),
        number=number,
        size=SOURCES,
        total=count_rows(session, query),
    )


def _find_stop(session: Session, name: str) -> str:
    """Return why the last making stopped, unless it was ordered again since."""
    entry = session.scalar(
        select(AuditEntry)
        .where(AuditEntry.subject == f"batch/{name}")
        .where(AuditEntry.action.in_([STOPPED, "batch.ordered"]))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    return (entry.reason or "") if entry is not None and entry.action == STOPPED else ""
