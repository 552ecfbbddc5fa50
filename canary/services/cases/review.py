"""What people decide about incidents: confirm, dismiss, reopen."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.domain.alerts import AlertType
from canary.domain.errors import Conflict, Forbidden, Invalid, NotFound
from canary.domain.incidents import Decision, IncidentState
from canary.domain.incidents import decide as next_state
from canary.services.access import Viewer
from canary.services.alerts.alerting import put_alert
from canary.services.audit import record
from canary.services.baits.rotation import Rotation, burn_baits_of
from canary.services.viewing import limit_incidents
from canary.storage.tables import Incident

LONGEST_REASON = 2000

_ACTIONS = {
    Decision.CONFIRM: "incident.confirmed",
    Decision.DISMISS: "incident.dismissed",
    Decision.REOPEN: "incident.reopened",
}


_CLOSED = {
    "en": {
        IncidentState.CONFIRMED: "Incident {number} was confirmed by review",
        IncidentState.DISMISSED: "Incident {number} was dismissed by review",
    },
    "zh": {
        IncidentState.CONFIRMED: "事件 {number} 经人工复核已确认",
        IncidentState.DISMISSED: "事件 {number} 经人工复核已驳回",
    },
}


def decide(
    session: Session,
    incident_id: int,
    *,
    decision: Decision,
    reason: str,
    version: int,
    viewer: Viewer,
    now: datetime,
    public_url: str,
) -> None:
    """Keep a decision with its reason, and tell the endpoints when it closes the incident.

    A confirmed leak burns the baits it showed and drafts what replaces them.
    `version` is the one the person looked at. Raises Invalid without a reason, Conflict when the
    incident changed meanwhile or its state does not allow the decision, Forbidden, NotFound.
    """
    if not viewer.decides:
        msg = "this role does not decide about incidents"
        raise Forbidden(msg)
    reason = read_reason(reason)
    incident = _get(session, incident_id, viewer)
    if incident.version != version:
        msg = "somebody else changed this incident meanwhile"
        raise Conflict(msg)
    state = next_state(IncidentState(incident.state), decision)
    _move(session, incident, state, reason=reason, viewer=viewer, now=now)
    record(
        session,
        viewer.name,
        _ACTIONS[decision],
        f"incident/{incident_id}",
        now,
        reason=reason,
        revision=incident.revision,
        verdict=incident.verdict,
    )
    if state == IncidentState.CONFIRMED:
        burned = burn_baits_of(session, incident_id, actor=viewer.name, now=now)
        if burned.ended:
            _tell_burned(session, incident, burned, public_url, now)
    if state != IncidentState.OPEN:
        _tell_closed(session, incident, state, public_url, now)


def list_decisions(state: str) -> tuple[Decision, ...]:
    """Return the decisions that are possible in a state."""
    return tuple(decision for decision in Decision if _is_possible(state, decision))


def _is_possible(state: str, decision: Decision) -> bool:
    try:
        next_state(IncidentState(state), decision)
    except Conflict:
        return False
    return True


def _move(
    session: Session,
    incident: Incident,
    state: IncidentState,
    *,
    reason: str,
    viewer: Viewer,
    now: datetime,
) -> None:
    is_open = state == IncidentState.OPEN
    # Conditional on the version, whatever was loaded: the row count says who won.
    statement = (
        update(Incident)
        .where(Incident.id == incident.id, Incident.version == incident.version)
        .values(
            state=state,
            version=incident.version + 1,
            decided_at=None if is_open else now,
            decided_by=None if is_open else viewer.name,
            decision_reason=None if is_open else reason,
        )
        .returning(Incident.id)
        .execution_options(synchronize_session=False)
    )
    try:
        won = session.execute(statement).all()
    except IntegrityError as error:
        msg = "another incident of the same leak is open; work there"
        raise Conflict(msg) from error
    if not won:
        msg = "somebody else changed this incident meanwhile"
        raise Conflict(msg)


def _tell_closed(
    session: Session, incident: Incident, state: IncidentState, public_url: str, now: datetime
) -> None:
    data = {
        "incident": incident.id,
        "state": state.value,
        "verdict": incident.verdict,
        "named": list(incident.named),
        "source": incident.named[0] if len(incident.named) == 1 else None,
        "count": incident.sighting_count,
        "severity": "info",
        "link": f"{public_url}/incidents/{incident.id}",
        "by_lang": {
            lang: {"title": titles[state].format(number=incident.id), "lines": []}
            for lang, titles in _CLOSED.items()
        },
    }
    # The version makes a second closing, after a reopening, an alert of its own.
    put_alert(
        session,
        AlertType.INCIDENT_CLOSED,
        incident_id=incident.id,
        revision=incident.version + 1,
        data=data,
        now=now,
    )


def _tell_burned(
    session: Session, incident: Incident, burned: Rotation, public_url: str, now: datetime
) -> None:
    """Tell that baits are spent: until others are planted, their places see no leak."""
    command = f"canary seed --batch {burned.batch}"
    words = {
        "zh": [
            f"事件 {incident.id} 中出现的 {burned.ended} 个诱饵已暴露并停用，仍会继续匹配",
            f"下一步：已拟定 {burned.drafted} 个替换诱饵，运行 {command} 后投放"
            if burned.batch
            else "下一步：补充新的诱饵",
        ],
        "en": [
            f"Shown by incident {incident.id} and spent: {burned.ended}; burned baits still match",
            f"Next: replacements are drafted ({burned.drafted}); run {command}, then plant them"
            if burned.batch
            else "Next: plant others in their place",
        ],
    }
    put_alert(
        session,
        AlertType.BAIT_BURNED,
        incident_id=incident.id,
        revision=incident.version + 1,
        data={
            "incident": incident.id,
            "burned": burned.ended,
            "batch": burned.batch,
            "drafted": burned.drafted,
            "severity": "warning",
            "link": f"{public_url}/incidents/{incident.id}",
            "by_lang": {
                "zh": {"title": f"{burned.ended} 个诱饵已暴露", "lines": words["zh"]},
                "en": {"title": f"Baits burned: {burned.ended}", "lines": words["en"]},
            },
        },
        now=now,
    )


def _get(session: Session, incident_id: int, viewer: Viewer) -> Incident:
    query = select(Incident).where(Incident.id == incident_id, *limit_incidents(viewer))
    incident = session.scalar(query)
    if incident is None:
        msg = f"there is no incident {incident_id}"
        raise NotFound(msg)
    return incident


def read_reason(reason: str) -> str:
    """Return the reason without blanks around it. Raises Invalid when there is none."""
    reason = reason.strip()
    if not reason:
        raise Invalid("a decision needs a reason", field="reason", mend="say why in a sentence")
    if len(reason) > LONGEST_REASON:
        raise Invalid(
            "the reason is too long", field="reason", mend=f"at most {LONGEST_REASON} characters"
        )
    return reason
