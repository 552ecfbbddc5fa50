"""Take back what somebody did to incidents a moment ago, as far as nobody built on it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.domain.alerts import AlertType
from canary.domain.baits import BaitState
from canary.domain.errors import CanaryError, Forbidden
from canary.domain.incidents import IncidentState
from canary.services.audit import record
from canary.services.cases.casework import Desk, Step, separate
from canary.storage.tables import Alert, Bait, Batch, Delivery, Incident, Match, Placement, Sighting

Undo = Callable[[Session, Step, Desk], bool]
REASON = "undone"


def undo(session: Session, action: str, steps: Sequence[Step], desk: Desk) -> int:
    """Take back these steps; return how many could be, the rest having changed meanwhile."""
    if not desk.viewer.decides:
        msg = "this role does not decide about incidents"
        raise Forbidden(msg)
    done = 0
    for step in steps:
        if _UNDOINGS[action](session, step, desk):
            subject = f"incident/{step.incident_id}"
            record(session, desk.viewer.name, "incident.undone", subject, desk.now, undone=action)
            done += 1
    return done


def can_undo(action: str) -> bool:
    """Tell whether there is a way back."""
    return action in _UNDOINGS


def _unassign(session: Session, step: Step, desk: Desk) -> bool:
    del desk
    row = session.get(Incident, step.incident_id, with_for_update=True)
    if row is None or row.assignee_id != step.after:
        return False
    row.assignee_id = _read_number(step.before)
    session.flush()
    return True


def _unsnooze(session: Session, step: Step, desk: Desk) -> bool:
    del desk
    row = session.get(Incident, step.incident_id, with_for_update=True)
    before, after = _read_sleep(step.before), _read_sleep(step.after)
    if row is None or (row.snoozed_version, row.snoozed_until) != after:
        return False
    row.snoozed_version, row.snoozed_until = before
    session.flush()
    return True


def _undecide(session: Session, step: Step, desk: Desk) -> bool:
    """Open it again, and give life back to the baits this very decision burned."""
    del desk
    row = session.get(Incident, step.incident_id, with_for_update=True)
    if row is None or not isinstance(step.after, int):
        return False
    if row.version != step.after or row.decided_at is None:
        return False
    was_confirmed, decided_at = row.state == IncidentState.CONFIRMED, row.decided_at
    try:
        with session.begin_nested():
            row.state = IncidentState.OPEN
            row.decided_at = row.decided_by = row.decision_reason = None
            session.flush()
    except IntegrityError:
        # Another incident of the same leak has opened since: that one is worked on now.
        return False
    if was_confirmed:
        _unburn(session, row.id, decided_at)
    _withdraw_alert(session, row.id, step.after)
    return True


def _unmerge(session: Session, step: Step, desk: Desk) -> bool:
    try:
        separate(session, step.incident_id, reason=REASON, desk=desk)
    except CanaryError:
        return False
    return True


_UNDOINGS: Mapping[str, Undo] = {
    "assign": _unassign,
    "snooze": _unsnooze,
    "wake": _unsnooze,
    "confirm": _undecide,
    "dismiss": _undecide,
    "merge": _unmerge,
}


def _unburn(session: Session, incident_id: int, burned_at: datetime) -> None:
    seen = (
        select(Match.bait_id)
        .join(Sighting, Sighting.id == Match.sighting_id)
        .where(Sighting.incident_id == incident_id)
    )
    baits = session.scalars(
        select(Bait).where(
            Bait.id.in_(seen), Bait.state == BaitState.BURNED, Bait.burned_at == burned_at
        )
    ).all()
    for bait in baits:
        bait.state, bait.burned_at = _find_state_before(bait), None
    session.execute(
        update(Placement)
        .where(Placement.bait_id.in_([bait.id for bait in baits]))
        .where(Placement.ended_at == burned_at)
        .values(ended_at=None)
        .execution_options(synchronize_session=False)
    )
    # The draft of their replacement, which nobody has carried out yet.
    session.execute(
        delete(Batch).where(
            Batch.name.startswith(f"replace-incident-{incident_id}"),
            Batch.state == "draft",
            Batch.created_at == burned_at,
        )
    )


def _find_state_before(bait: Bait) -> BaitState:
    if bait.live_at is not None:
        return BaitState.LIVE
    return BaitState.ISSUED if bait.planted_at is None else BaitState.PLANTED


def _withdraw_alert(session: Session, incident_id: int, version: int) -> None:
    """Take back the news of the closing where no endpoint has been sent it yet."""
    alert = session.scalar(
        select(Alert).where(
            Alert.incident_id == incident_id,
            Alert.type == AlertType.INCIDENT_CLOSED,
            Alert.revision == version,
        )
    )
    if alert is None:
        return
    waiting = (Delivery.alert_id == alert.id, Delivery.attempts == 0, Delivery.state == "waiting")
    session.execute(delete(Delivery).where(*waiting, Delivery.lease_owner.is_(None)))
    if session.scalar(select(Delivery.id).where(Delivery.alert_id == alert.id).limit(1)) is None:
        session.delete(alert)


def _read_number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _read_sleep(value: Any) -> tuple[int | None, datetime | None]:
    version, until = value
    return version, datetime.fromisoformat(until) if until else None
