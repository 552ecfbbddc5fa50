"""The next best seeding of an incident, and a batch drafted from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.domain.sources import list_ancestors
from canary.services.audit import record
from canary.services.baits.orders import PlanRow, SeedOrder
from canary.services.baits.placing import LOCAL, SHEET
from canary.services.baits.seeding import add_batch
from canary.services.verdicts.reproducing import find_record
from canary.storage.tables import Batch, Incident, Source

EXCLUSIVE = "exclusive_baits"
NAME_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSeeding:
    """What should settle an incident; `rows` is the plan of the batch, empty when nothing would."""

    incident_id: int
    revision: int
    batch: str
    rows: tuple[PlanRow, ...]
    gain_bits: float
    expected_sightings: float

    @property
    def baits(self) -> int:
        """How many baits the batch has."""
        return sum(row.count for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "incident": self.incident_id,
            "revision": self.revision,
            "batch": self.batch,
            "baits": self.baits,
            "sources": [
                {"source": row.source, "count": row.count, "route": row.route} for row in self.rows
            ],
            "gain_bits": self.gain_bits,
            "expected_sightings": self.expected_sightings,
        }


def plan_next(session: Session, incident_id: int, batch: str = "") -> NextSeeding:
    """Return the smallest seeding that should settle an incident. Raises NotFound."""
    if session.get(Incident, incident_id) is None:
        msg = f"there is no incident {incident_id}"
        raise NotFound(msg)
    kept = find_record(session, incident_id)
    steps = [step for step in kept.result.get("next", []) if step["kind"] == EXCLUSIVE]
    step = steps[0] if steps else {}
    return NextSeeding(
        incident_id=incident_id,
        revision=kept.revision,
        batch=batch.strip() or f"incident-{incident_id}-{kept.revision}",
        rows=_list_rows(session, step.get("sources", ()), step.get("baits", 0)),
        gain_bits=step.get("gain_bits", 0.0),
        expected_sightings=step.get("expected_sightings", 0.0),
    )


def draft_next(
    session: Session, incident_id: int, *, batch: str = "", actor: str, now: datetime
) -> NextSeeding:
    """Draft the batch; `canary seed --batch NAME` makes it. Raises NotFound, Invalid, Conflict."""
    wanted = plan_next(session, incident_id, batch)
    if not wanted.rows:
        raise Invalid("no seeding would tell more", field="incident", mend="wait for sightings")
    if len(wanted.batch) > NAME_LENGTH or not wanted.batch.isprintable():
        raise Invalid("this is no name for a batch", field="batch", mend="use a short name")
    if session.scalar(select(Batch.id).where(Batch.name == wanted.batch)) is not None:
        msg = f"there is a batch {wanted.batch} already"
        raise Conflict(msg)
    add_batch(session, SeedOrder(batch=wanted.batch, rows=wanted.rows), "draft", actor, now)
    record(
        session,
        actor,
        "incident.seeding_drafted",
        f"incident/{incident_id}",
        now,
        batch=wanted.batch,
        baits=wanted.baits,
    )
    return wanted


def _list_rows(session: Session, codes: Sequence[str], baits: int) -> tuple[PlanRow, ...]:
    """Plan baits for the suspects that are sources; a reader of a reveal cannot be seeded.

    Where a suspect stands above another, the lower one's baits must stay out of shared systems.
    """
    rows = session.execute(select(Source.id, Source.code, Source.parent_id)).all()
    by_id = {row.id: row.code for row in rows}
    parents = {row.code: by_id.get(row.parent_id or 0) for row in rows}
    return tuple(
        PlanRow(
            source=code,
            count=baits,
            route=LOCAL if set(list_ancestors(code, parents)) & set(codes) else SHEET,
        )
        for code in codes
        if code in parents
    )
