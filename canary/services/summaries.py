"""Incidents as programs and the command line read them."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.errors import NotFound
from canary.domain.incidents import IncidentState
from canary.storage.tables import AttributionRecord, Delivery, InboxPost, Incident

LIMIT = 200


def list_summaries(session: Session, *, limit: int = LIMIT) -> list[dict[str, Any]]:
    """List incidents, newest sighting first."""
    rows = session.scalars(
        select(Incident).order_by(Incident.last_sighting_at.desc(), Incident.id.desc()).limit(limit)
    )
    return [_summarise(row) for row in rows]


def load_summary(session: Session, incident_id: int) -> dict[str, Any]:
    """Return one incident with its newest attribution. Raises NotFound."""
    incident = session.get(Incident, incident_id)
    if incident is None:
        msg = f"there is no incident {incident_id}"
        raise NotFound(msg)
    newest = session.scalar(
        select(AttributionRecord)
        .where(AttributionRecord.incident_id == incident_id)
        .order_by(AttributionRecord.revision.desc())
        .limit(1)
    )
    result: dict[str, Any] = newest.result if newest is not None else {}
    return {
        **_summarise(incident),
        "posteriors": result.get("posteriors", {}),
        "p_no_leak": result.get("p_no_leak"),
        "excluded": result.get("excluded", {}),
        "next": result.get("next", []),
        "explanations": result.get("explanations", {}),
    }


def count_open_work(session: Session) -> int:
    """Count posts waiting for triage, incidents waiting for attribution, alerts not yet tried."""
    counts = (
        select(func.count()).select_from(InboxPost).where(InboxPost.state == "waiting"),
        select(func.count())
        .select_from(Incident)
        .where(Incident.evidence_version > Incident.attributed_version)
        .where(Incident.state != IncidentState.MERGED),
        select(func.count())
        .select_from(Delivery)
        .where(Delivery.state == "waiting", Delivery.attempts == 0),
    )
    return sum(session.scalar(count) or 0 for count in counts)


def _summarise(row: Incident) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "scope": row.scope,
        "verdict": row.verdict,
        "named": list(row.named),
        "confidence": row.confidence,
        "sightings": row.sighting_count,
        "revision": row.revision,
        "opened_at": row.opened_at.isoformat(),
        "last_sighting_at": row.last_sighting_at.isoformat(),
    }
