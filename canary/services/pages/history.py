"""What happened to an incident: decisions, work on it, alerts that went out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from canary.storage.tables import Alert, AuditEntry, Delivery, Incident

MOMENTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to the incident."""

    at: datetime
    action: str
    actor: str = ""
    text: str = ""
    about: str = ""


def list_moments(session: Session, incident: Incident) -> tuple[Moment, ...]:
    """Return what happened to an incident, latest first."""
    moments = [Moment(at=incident.opened_at, action="incident.opened")]
    moments += _read_audit(session, incident.id)
    moments += _read_alerts(session, incident.id)
    moments.sort(key=lambda moment: moment.at, reverse=True)
    return tuple(moments[:MOMENTS])


def _read_audit(session: Session, incident_id: int) -> list[Moment]:
    rows = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject == f"incident/{incident_id}")
        .where(AuditEntry.action.not_in(["incident.opened", "evidence.shown"]))
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(MOMENTS)
    )
    return [
        Moment(at=row.at, action=row.action, actor=row.actor, text=row.reason or "") for row in rows
    ]


def _read_alerts(session: Session, incident_id: int) -> list[Moment]:
    rows = session.scalars(
        select(Delivery)
        .join(Delivery.alert)
        .where(Alert.incident_id == incident_id, Delivery.finished_at.is_not(None))
        .options(joinedload(Delivery.endpoint), joinedload(Delivery.alert))
        .order_by(Delivery.finished_at.desc(), Delivery.id.desc())
        .limit(MOMENTS)
    )
    return [
        Moment(
            at=row.finished_at,
            action="alert.delivered" if row.state == "done" else "alert.given_up",
            actor=row.endpoint.name,
            about=row.alert.type,
        )
        for row in rows
        if row.finished_at is not None
    ]
