"""Somebody has seen it: acknowledge, snooze, and tell further when nobody did."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.alerts import AlertType
from canary.domain.errors import Forbidden, NotFound
from canary.domain.incidents import IncidentState
from canary.domain.rules import Facts, Rule
from canary.services.access import Viewer
from canary.services.alerts.alerting import add_delivery, put_alert
from canary.services.alerts.routing import load_rules
from canary.services.audit import record
from canary.services.viewing import limit_incidents
from canary.storage.session import Database
from canary.storage.tables import Alert, Delivery, Endpoint, Incident

# What is older was escalated, or nobody wanted it escalated then.
LOOK_BACK = timedelta(days=8)
_ASKING = (AlertType.INCIDENT_OPENED, AlertType.INCIDENT_RAISED)


def acknowledge(
    session: Session, incident_id: int, *, snooze: bool, viewer: Viewer, now: datetime
) -> None:
    """Note that somebody works on an incident; the next alert about it asks again.

    `snooze` also keeps it out of digests until its evidence grows. Raises Forbidden, NotFound.
    """
    if not viewer.decides:
        msg = "this role does not decide about incidents"
        raise Forbidden(msg)
    version = session.scalar(
        select(Incident.evidence_version).where(
            Incident.id == incident_id, *limit_incidents(viewer)
        )
    )
    if version is None:
        msg = f"there is no incident {incident_id}"
        raise NotFound(msg)
    # Without a new version of the row: to acknowledge takes no decision away from anybody.
    session.execute(
        update(Incident)
        .where(Incident.id == incident_id)
        .values(
            acknowledged_at=now,
            acknowledged_by=viewer.name,
            snoozed_version=version if snooze else None,
        )
        .execution_options(synchronize_session=False)
    )
    action = "incident.snoozed" if snooze else "incident.acknowledged"
    record(session, viewer.name, action, f"incident/{incident_id}", now)


def escalate(database: Database, now: datetime) -> int:
    """Tell the endpoints of waiting rules what nobody acknowledged in time; return how many."""
    with database.read() as session:
        rules = [rule for rule in load_rules(session) if rule.after_minutes is not None]
        asking = _list_asking(session, now) if rules else []
    told = 0
    for alert_id in asking:
        with database.write() as session:
            told += _escalate(session, alert_id, rules, now)
    return told


def _list_asking(session: Session, now: datetime) -> Sequence[int]:
    return session.scalars(
        select(Alert.id)
        .join(Incident, Incident.id == Alert.incident_id)
        .where(Alert.type.in_(_ASKING), Alert.created_at > now - LOOK_BACK)
        .where(Incident.state == IncidentState.OPEN)
        .where(Incident.acknowledged_at.is_(None) | (Incident.acknowledged_at < Alert.created_at))
        .order_by(Alert.id)
    ).all()


def _escalate(session: Session, alert_id: int, rules: Sequence[Rule], now: datetime) -> int:
    alert = session.get_one(Alert, alert_id)
    waited = now - alert.created_at
    facts = Facts.from_json(alert.facts)
    due = {
        rule.endpoint_id
        for rule in rules
        if waited >= timedelta(minutes=rule.after_minutes or 0) and rule.covers(facts)
    }
    active = session.scalars(
        select(Endpoint.id).where(Endpoint.is_active, Endpoint.id.in_(due)).order_by(Endpoint.id)
    ).all()
    if not active:
        return 0
    # The lock lets one of two workers find what the other has told already.
    incident = session.get_one(Incident, alert.incident_id, with_for_update=True)
    raised = session.scalar(
        select(Alert).where(
            Alert.incident_id == incident.id,
            Alert.type == AlertType.INCIDENT_ESCALATED,
            Alert.revision == alert.revision,
        )
    )
    if raised is None:
        minutes = int(waited.total_seconds() // 60)
        put_alert(
            session,
            AlertType.INCIDENT_ESCALATED,
            incident_id=incident.id,
            revision=alert.revision,
            data=_words(alert, minutes),
            now=now,
            only=active,
        )
        return len(active)
    known = set(session.scalars(select(Delivery.endpoint_id).where(Delivery.alert_id == raised.id)))
    later = [one for one in active if one not in known]
    for endpoint_id in later:
        add_delivery(session, raised.id, endpoint_id, due_at=now)
    return len(later)


def _words(alert: Alert, minutes: int) -> dict[str, Any]:
    """Say what was said, after saying that nobody has answered."""
    spoken = alert.data["by_lang"]
    return {
        **alert.data,
        "by_lang": {
            "zh": {
                "title": f"{minutes} 分钟无人确认：{spoken['zh']['title']}",
                "lines": spoken["zh"]["lines"],
            },
            "en": {
                "title": f"Nobody acknowledged this in {minutes} minutes: {spoken['en']['title']}",
                "lines": spoken["en"]["lines"],
            },
        },
    }
