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


def load_summary(session: Session, incident_id: int, revision: int | None = None) -> dict[str, Any]:
    """Return one incident with its newest attribution, or an older one. Raises NotFound."""
    incident = session.get(Incident, incident_id)
    if incident is None:
        msg = f"there is no incident {incident_id}"
        raise NotFound(msg)
    query = select(AttributionRecord).where(AttributionRecord.incident_id == incident_id)
    if revision is not None:
        query = query.where(AttributionRecord.revision == revision)
    kept = session.scalar(query.order_by(AttributionRecord.revision.desc()).limit(1))
    if kept is None and revision is not None:
        msg = f"incident {incident_id} has no revision {revision}"
        raise NotFound(msg)
    result: dict[str, Any] = kept.result if kept is not None else {}
    return {
        **_summarise(incident),
        **(_judged(kept) if kept is not None else {}),
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


def _judged(kept: AttributionRecord) -> dict[str, Any]:
    """Return what this version said, which the incident may since have left behind."""
    named = kept.result.get("named", [])
    posteriors = kept.result.get("posteriors", {})
    return {
        "verdict": kept.verdict,
        "named": list(named),
        "confidence": max(posteriors.values(), default=0.0),
        "revision": kept.revision,
        "rule_version": kept.rule_version,
        "attributed_at": kept.created_at.isoformat(),
        "world_sha256": kept.world_sha256.hex(),
        "p_background": kept.result.get("details", {}).get("p_background"),
        "details": kept.result.get("details", {}),
    }


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
