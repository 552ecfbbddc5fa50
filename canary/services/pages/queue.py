"""The queue of incidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from canary.services.access import Viewer
from canary.services.cases.queue_search import IncidentFilter, limit_queue
from canary.services.viewing import (
    PAGE_SIZE,
    Paged,
    SourceLabel,
    label_sources,
    limit_incidents,
    list_visible_codes,
    page_of,
)
from canary.storage.tables import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLine:
    """One incident in the queue."""

    incident_id: int
    version: int
    state: str
    assignee: str
    is_snoozed: bool
    verdict: str
    confidence: float
    named: tuple[SourceLabel, ...]
    sighting_count: int
    opened_at: datetime
    last_sighting_at: datetime


def list_incidents(
    session: Session,
    viewer: Viewer,
    wanted: IncidentFilter,
    number: int,
    size: int = PAGE_SIZE,
    *,
    now: datetime,
    zone: tzinfo,
) -> Paged[IncidentLine]:
    """Return one page of the queue, newest sighting first. Raises Invalid."""
    query = (
        select(Incident)
        .where(*limit_incidents(viewer), *limit_queue(wanted, viewer, now, zone))
        .options(joinedload(Incident.assignee))
        .order_by(Incident.last_sighting_at.desc(), Incident.id.desc())
    )
    rows = page_of(session, query, number, size)
    return rows.showing(_to_lines(session, viewer, rows.items, now))


def count_incidents(
    session: Session, viewer: Viewer, wanted: IncidentFilter, *, now: datetime, zone: tzinfo
) -> int:
    """Count what the queue would show. Raises Invalid."""
    limits = (*limit_incidents(viewer), *limit_queue(wanted, viewer, now, zone))
    return session.scalar(select(func.count(Incident.id)).where(*limits)) or 0


def is_asleep(row: Incident, now: datetime) -> bool:
    """Tell whether an incident is snoozed: until new evidence, and no longer than it says."""
    until = row.snoozed_until
    return row.snoozed_version == row.evidence_version and (until is None or until > now)


def list_named(incident: Incident) -> tuple[str, ...]:
    """Return the codes of the sources an incident names."""
    return tuple(str(code) for code in incident.named)


def label_visible(
    codes: Sequence[str], labels: Mapping[str, SourceLabel], visible: frozenset[str] | None
) -> tuple[SourceLabel, ...]:
    """Return the labels of those codes a viewer may see; `visible` None sees all."""
    return tuple(labels[code] for code in codes if visible is None or code in visible)


def _to_lines(
    session: Session, viewer: Viewer, rows: Sequence[Incident], now: datetime
) -> tuple[IncidentLine, ...]:
    visible = list_visible_codes(session, viewer)
    labels = label_sources(session, {code for row in rows for code in list_named(row)})
    return tuple(
        IncidentLine(
            incident_id=row.id,
            version=row.version,
            state=row.state,
            assignee=row.assignee.name if row.assignee else "",
            is_snoozed=is_asleep(row, now),
            verdict=row.verdict,
            confidence=row.confidence,
            named=label_visible(list_named(row), labels, visible),
            sighting_count=row.sighting_count,
            opened_at=row.opened_at,
            last_sighting_at=row.last_sighting_at,
        )
        for row in rows
    )
