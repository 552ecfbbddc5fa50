"""Mark incidents whose evidence has changed, so that they are attributed anew."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.incidents import IncidentState
from canary.storage.tables import Incident, Match, Placement, Sighting

CHUNK = 500


def mark_baits_stale(session: Session, bait_ids: Collection[int]) -> list[int]:
    """Mark the incidents that saw any of these baits; return their ids."""
    found: set[int | None] = set()
    for part in _chunks(bait_ids):
        found.update(
            session.scalars(
                select(Sighting.incident_id)
                .join(Match, Match.sighting_id == Sighting.id)
                .where(Match.bait_id.in_(part), Sighting.incident_id.is_not(None))
                .distinct()
            )
        )
    return mark_incidents_stale(session, filter(None, found))


def mark_holders_stale(session: Session, source_ids: Collection[int]) -> list[int]:
    """Mark the open incidents that saw baits placed at these sources; return their ids.

    What a source was given since then speaks by its silence.
    """
    wanted = frozenset(source_ids)
    pairs = session.execute(
        select(Sighting.incident_id, Placement.source_id)
        .join(Incident, Incident.id == Sighting.incident_id)
        .join(Match, Match.sighting_id == Sighting.id)
        .join(Placement, Placement.bait_id == Match.bait_id)
        .where(Incident.state == IncidentState.OPEN)
        .distinct()
    ).all()
    found = {row.incident_id for row in pairs if row.source_id in wanted}
    return mark_incidents_stale(session, filter(None, found))


def mark_incidents_stale(session: Session, incident_ids: Iterable[int]) -> list[int]:
    """Mark these incidents; return their ids."""
    wanted = sorted(set(incident_ids))
    for part in _chunks(wanted):
        session.execute(
            update(Incident)
            .where(Incident.id.in_(part))
            .values(evidence_version=Incident.evidence_version + 1)
            .execution_options(synchronize_session=False)
        )
    return wanted


def _chunks(ids: Collection[int]) -> Iterable[Sequence[int]]:
    ordered = sorted(ids)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
