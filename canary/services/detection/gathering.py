"""Gather the sightings of one leak in one incident."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.domain.incidents import IncidentState, Scope, find_scope
from canary.domain.sources import list_ancestors
from canary.domain.verdicts import Verdict
from canary.storage.tables import AuditEntry, Incident, Match, Placement, Sighting, Source

# The audit entry of a merge that a person asked for; engines merge without one.
MERGED = "incident.merged"


def gather(session: Session, sightings: Sequence[Sighting], now: datetime) -> list[int]:
    """Put each sighting with matches into its incident, opening one where none is open.

    Returns the ids of the incidents that grew.
    """
    if not sightings:
        return []
    codes = {row.id: row.code for row in session.execute(select(Source.id, Source.code))}
    parents = _load_tree(session, codes)
    touched = []
    for sighting in sightings:
        scope = find_scope(_list_homes(session, sighting.matches, codes), parents)
        incident_id = _find_open(session, sighting, scope, parents)
        if incident_id is None:
            incident_id = _open(session, scope, now)
        sighting.incident_id = incident_id
        _note_growth(session, incident_id, now)
        touched.append(incident_id)
    session.flush()
    return touched


def _load_tree(session: Session, codes: dict[int, str]) -> dict[str, str | None]:
    rows = session.execute(select(Source.code, Source.parent_id))
    return {row.code: codes.get(row.parent_id or 0) for row in rows}


def _list_homes(session: Session, matches: Sequence[Match], codes: dict[int, str]) -> set[str]:
    bait_ids = {match.bait_id for match in matches}
    homes = session.scalars(select(Placement.source_id).where(Placement.bait_id.in_(bait_ids)))
    return {codes[source_id] for source_id in homes}


def _find_open(
    session: Session, sighting: Sighting, scope: Scope, parents: dict[str, str | None]
) -> int | None:
    """Find the open incident of this scope, or one above it that has seen the same baits."""
    same = session.scalar(_open_with(scope.name).with_for_update())
    if same is None:
        same = _find_taken_in(session, scope)
    if same is not None or scope.source is None:
        return same
    baits = {match.bait_id for match in sighting.matches}
    above = [f"source:{code}" for code in list_ancestors(scope.source, parents)]
    return session.scalar(
        select(Incident.id)
        .join(Sighting, Sighting.incident_id == Incident.id)
        .join(Match, Match.sighting_id == Sighting.id)
        .where(Incident.state == IncidentState.OPEN, Incident.scope.in_(above))
        .where(Match.bait_id.in_(baits))
        .order_by(Incident.id)
        .limit(1)
        .with_for_update(of=Incident)
    )


def _find_taken_in(session: Session, scope: Scope) -> int | None:
    """Find the open incident into which a person merged the last one of this scope."""
    merged = session.execute(
        select(Incident.id, Incident.merged_into_id)
        .where(Incident.state == IncidentState.MERGED, Incident.scope == scope.name)
        .order_by(Incident.id.desc())
        .limit(1)
    ).one_or_none()
    if merged is None:
        return None
    by_person = select(AuditEntry.id).where(
        AuditEntry.subject == f"incident/{merged.id}", AuditEntry.action == MERGED
    )
    if session.scalar(by_person.limit(1)) is None:
        return None
    return session.scalar(
        select(Incident.id)
        .where(Incident.id == merged.merged_into_id, Incident.state == IncidentState.OPEN)
        .with_for_update()
    )


def _open_with(scope: str) -> Select[int]:
    return select(Incident.id).where(Incident.state == IncidentState.OPEN, Incident.scope == scope)


def _open(session: Session, scope: Scope, now: datetime) -> int:
    source_id = (
        session.scalar(select(Source.id).where(Source.code == scope.source))
        if scope.source
        else None
    )
    incident = Incident(
        scope=scope.name,
        scope_source_id=source_id,
        state=IncidentState.OPEN,
        verdict=Verdict.UNATTRIBUTABLE,
        opened_at=now,
        last_sighting_at=now,
    )
    try:
        with session.begin_nested():
            session.add(incident)
            session.flush()
    except IntegrityError:
        # Another worker opened it between our look and our insert: the constraint decides.
        found = session.scalar(_open_with(scope.name))
        assert found is not None
        return int(found)
    return incident.id


def _note_growth(session: Session, incident_id: int, now: datetime) -> None:
    session.execute(
        update(Incident)
        .where(Incident.id == incident_id)
        .values(
            sighting_count=Incident.sighting_count + 1,
            evidence_version=Incident.evidence_version + 1,
            last_sighting_at=now,
        )
        .execution_options(synchronize_session=False)
    )
