"""Join the incidents that are one leak above several sources.

Baits of many outlets that surface at one venue in separate posts open an incident each. Judged
together they may say that somebody above all of them leaked; then they become one incident about
that one. Two leakers at one venue stay two: together they explain more than one above them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from canary.attribution.answer import Attribution
from canary.attribution.infer import attribute
from canary.attribution.reading import read_world
from canary.domain.incidents import APART, IncidentState
from canary.domain.sources import list_ancestors
from canary.services.detection.triage import Desk
from canary.services.verdicts.worlds import build_world
from canary.storage.tables import Incident, Sighting, Source

MOST_RELATIVES = 30
LIKELY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """An open incident as it stood when it was looked at."""

    incident_id: int
    source: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """That these incidents are one leak of the source above them."""

    above: str
    cases: tuple[_Case, ...]


def join_leaks(desk: Desk, incident_id: int) -> int:
    """Join an incident with its relatives if they are one leak; return the incident to judge."""
    with desk.database.read() as session:
        finding = _judge_together(session, desk, incident_id)
    if finding is None:
        return incident_id
    with desk.database.write() as session:
        return _join(session, finding) or incident_id


def _judge_together(session: Session, desk: Desk, incident_id: int) -> _Finding | None:
    own = _load_case(session, incident_id)
    if own is None:
        return None
    parents = _load_parents(session)
    cases = [own, *_list_relatives(session, own, parents)]
    if len(cases) == 1:
        return None
    ids = [case.incident_id for case in cases]
    built = build_world(session, desk.vault, ids, desk.clock())
    return _find_above(cases, parents, attribute(read_world(built.content)))


def _load_case(session: Session, incident_id: int) -> _Case | None:
    row = session.execute(
        select(Incident.evidence_version, Source.code)
        .join(Source, Source.id == Incident.scope_source_id)
        .where(Incident.id == incident_id, Incident.state == IncidentState.OPEN)
        .where(~Incident.scope.startswith(APART))
    ).one_or_none()
    if row is None:
        return None
    return _Case(incident_id=incident_id, source=row.code, version=row.evidence_version)


def _load_parents(session: Session) -> dict[str, str | None]:
    above = aliased(Source)
    rows = session.execute(
        select(Source.code, above.code.label("parent")).outerjoin(
            above, above.id == Source.parent_id
        )
    )
    return {row.code: row.parent for row in rows}


def _list_relatives(session: Session, own: _Case, parents: Mapping[str, str | None]) -> list[_Case]:
    """List the open incidents seen at a venue of this one and within reach of one above it."""
    venues = select(Sighting.venue).where(Sighting.incident_id == own.incident_id)
    rows = session.execute(
        select(Incident.id, Incident.evidence_version, Source.code)
        .join(Source, Source.id == Incident.scope_source_id)
        .where(Incident.state == IncidentState.OPEN, Incident.id != own.incident_id)
        .where(~Incident.scope.startswith(APART))
        .where(
            Incident.id.in_(
                select(Sighting.incident_id).where(
                    Sighting.venue.in_(venues), Sighting.incident_id.is_not(None)
                )
            )
        )
        .order_by(Incident.last_sighting_at.desc(), Incident.id)
        .limit(MOST_RELATIVES)
    )
    line = {own.source, *list_ancestors(own.source, parents)}
    return [
        _Case(incident_id=row.id, source=row.code, version=row.evidence_version)
        for row in rows
        if line & {row.code, *list_ancestors(row.code, parents)}
    ]


def _find_above(
    cases: Sequence[_Case], parents: Mapping[str, str | None], together: Attribution
) -> _Finding | None:
    """Return the nearest likely leaker above the first case and whom it stands for, if any.

    A source that is named beside it, for what it alone explains, keeps its own incident.
    """
    own = cases[0]
    for above in (own.source, *list_ancestors(own.source, parents)):
        if together.posteriors.get(above, 0.0) < LIKELY:
            continue
        below = tuple(
            case
            for case in cases
            if case.source == above
            or (above in list_ancestors(case.source, parents) and case.source not in together.named)
        )
        if own in below and len(below) > 1:
            return _Finding(above=above, cases=below)
    return None


def _join(session: Session, finding: _Finding) -> int | None:
    """Put the sightings of all cases into one incident, unless one of them has changed."""
    rows = {
        row.id: row
        for row in session.scalars(
            select(Incident)
            .where(Incident.id.in_([case.incident_id for case in finding.cases]))
            .order_by(Incident.id)
            .with_for_update()
        )
    }
    if any(not _is_unchanged(rows.get(case.incident_id), case) for case in finding.cases):
        return None
    scope = f"source:{finding.above}"
    kept = session.scalar(
        select(Incident).where(Incident.scope == scope, Incident.state == IncidentState.OPEN)
    )
    kept = kept or rows[min(rows)]
    for row in rows.values():
        if row.id != kept.id:
            absorb(session, kept, row)
    session.flush()
    source_id = session.scalar(select(Source.id).where(Source.code == finding.above))
    kept.scope, kept.scope_source_id = scope, source_id
    return kept.id


def _is_unchanged(row: Incident | None, case: _Case) -> bool:
    return (
        row is not None and row.state == IncidentState.OPEN and row.evidence_version == case.version
    )


def absorb(session: Session, kept: Incident, other: Incident) -> None:
    """Move an incident's sightings into another one, which is then to be judged anew."""
    session.execute(
        update(Sighting).where(Sighting.incident_id == other.id).values(incident_id=kept.id)
    )
    kept.sighting_count += other.sighting_count
    kept.evidence_version += 1
    kept.last_sighting_at = max(kept.last_sighting_at, other.last_sighting_at)
    other.state, other.merged_into_id = IncidentState.MERGED, kept.id
