"""What people do with incidents before they decide: assign, snooze, dismiss many, merge, split.

Each is conditional on the version the person looked at, and leaves behind what undoes it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Forbidden, Invalid, NotFound
from canary.domain.incidents import APART, Decision, IncidentState
from canary.domain.verdicts import Verdict
from canary.services.access import Role, Viewer
from canary.services.audit import record
from canary.services.cases import review
from canary.services.detection.gathering import MERGED
from canary.services.verdicts.joining import absorb
from canary.services.viewing import limit_incidents
from canary.storage.tables import AuditEntry, Incident, Sighting, User

MOST_AT_ONCE = 100
MOST_DAYS = 90
WORKERS = (Role.ANALYST, Role.ADMIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """An incident and the version of it that somebody looked at."""

    incident_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change as it can be undone: what it was before and what was put there."""

    incident_id: int
    before: object = None
    after: object = None


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of each incident: the steps taken, and those that had changed meanwhile."""

    steps: list[Step] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who works, when, and what links in alerts begin with."""

    viewer: Viewer
    now: datetime
    public_url: str


def list_workers(session: Session) -> list[tuple[int, str]]:
    """List who may be given incidents, by name."""
    query = (
        select(User.id, User.name)
        .where(User.is_active, User.role.in_([role.value for role in WORKERS]))
        .order_by(User.name)
    )
    return [(row.id, row.name) for row in session.execute(query)]


def assign(session: Session, picks: Sequence[Pick], *, to: int | None, desk: Desk) -> Outcome:
    """Give incidents to somebody, or to nobody. Raises Forbidden, Invalid, NotFound."""
    workers = dict(list_workers(session))
    if to is not None and to not in workers:
        raise Invalid("nobody of this name works on incidents", field="assignee")

    def give(incident: Incident) -> Step:
        before, incident.assignee_id = incident.assignee_id, to
        _note(session, desk, "incident.assigned", incident.id, to=workers.get(to or 0))
        return Step(incident_id=incident.id, before=before, after=to)

    return _work_through(session, picks, desk, give)


def snooze(session: Session, picks: Sequence[Pick], *, days: int | None, desk: Desk) -> Outcome:
    """Hide incidents until new evidence, at most for `days`. Raises Forbidden, Invalid."""
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise Invalid(f"a snooze lasts 1 to {MOST_DAYS} days", field="days")
    until = desk.now + timedelta(days=days) if days else None

    def put_to_sleep(incident: Incident) -> Step:
        before = _read_sleep(incident)
        incident.snoozed_version, incident.snoozed_until = incident.evidence_version, until
        _note(session, desk, "incident.snoozed", incident.id, days=days)
        return Step(incident_id=incident.id, before=before, after=_read_sleep(incident))

    return _work_through(session, picks, desk, put_to_sleep)


def wake(session: Session, picks: Sequence[Pick], *, desk: Desk) -> Outcome:
    """Show snoozed incidents again. Raises Forbidden."""

    def rouse(incident: Incident) -> Step:
        before = _read_sleep(incident)
        incident.snoozed_version = incident.snoozed_until = None
        _note(session, desk, "incident.woken", incident.id)
        return Step(incident_id=incident.id, before=before, after=_read_sleep(incident))

    return _work_through(session, picks, desk, rouse)


def dismiss(session: Session, picks: Sequence[Pick], *, reason: str, desk: Desk) -> Outcome:
    """Dismiss incidents for one reason. Raises Forbidden, Invalid."""
    outcome = Outcome()
    _check(picks, desk)
    for pick in picks:
        try:
            review.decide(
                session,
                pick.incident_id,
                decision=Decision.DISMISS,
                reason=reason,
                version=pick.version,
                viewer=desk.viewer,
                now=desk.now,
                public_url=desk.public_url,
            )
        except (Conflict, NotFound):
            outcome.changed.append(pick.incident_id)
        else:
            outcome.steps.append(Step(incident_id=pick.incident_id, after=pick.version + 1))
    return outcome


def merge(session: Session, picks: Sequence[Pick], *, reason: str, desk: Desk) -> Outcome:
    """Put open incidents into the oldest of them. Raises Forbidden, Invalid, Conflict.

    All or nothing. Which sightings came from where stays in the audit log, so that it can be
    taken apart again.
    """
    reason = review.read_reason(reason)
    _check(picks, desk)
    if len({pick.incident_id for pick in picks}) < 2:
        raise Invalid("a merge needs two incidents", field="pick")
    rows = [_take(session, pick, desk) for pick in sorted(picks, key=lambda one: one.incident_id)]
    if None in rows or any(row.state != IncidentState.OPEN for row in rows if row):
        msg = "somebody else changed one of these incidents meanwhile"
        raise Conflict(msg)
    kept, *others = [row for row in rows if row is not None]
    steps = []
    for other in others:
        moved = session.scalars(
            select(Sighting.id).where(Sighting.incident_id == other.id).order_by(Sighting.id)
        ).all()
        absorb(session, kept, other)
        session.flush()
        record(
            session,
            desk.viewer.name,
            MERGED,
            f"incident/{other.id}",
            desk.now,
            reason=reason,
            into=kept.id,
            sightings=list(moved),
        )
        _note(session, desk, "incident.absorbed", kept.id, reason=reason, other=other.id)
        steps.append(Step(incident_id=other.id, after=kept.id))
    return Outcome(steps=steps)


def separate(session: Session, incident_id: int, *, reason: str, desk: Desk) -> int:
    """Take a merged incident out again; return the one it was in.

    What has come to the other incident since stays there. Raises Forbidden, Invalid, Conflict,
    NotFound.
    """
    reason = review.read_reason(reason)
    row = _get(session, incident_id, desk.viewer)
    entry = _find_merge(session, incident_id)
    if row.state != IncidentState.MERGED or entry is None:
        msg = "this incident was not merged by a person"
        raise Conflict(msg)
    kept = session.scalars(
        select(Incident).where(Incident.id == entry.details["into"]).with_for_update()
    ).one()
    row.state, row.merged_into_id = IncidentState.OPEN, None
    row.scope = f"{APART}{row.id}.{row.version}"
    _move(session, entry.details["sightings"], kept, row)
    _note(session, desk, "incident.separated", row.id, reason=reason, of=kept.id)
    _note(session, desk, "incident.separated", kept.id, reason=reason, other=row.id)
    return kept.id


def split(session: Session, pick: Pick, refs: Collection[str], *, reason: str, desk: Desk) -> int:
    """Move some sightings into an incident of their own; return its id.

    No machine joins the two again. Raises Forbidden, Invalid, Conflict, NotFound.
    """
    reason = review.read_reason(reason)
    _check([pick], desk)
    row = _take(session, pick, desk)
    if row is None or row.state != IncidentState.OPEN:
        msg = "somebody else changed this incident meanwhile"
        raise Conflict(msg)
    found = session.scalars(
        select(Sighting.id).where(
            Sighting.incident_id == row.id, Sighting.ref.in_(sorted(refs)[:MOST_AT_ONCE])
        )
    ).all()
    if not found:
        raise Invalid("choose the sightings to split off", field="sighting")
    if len(found) >= row.sighting_count:
        raise Invalid("one sighting at least stays", field="sighting")
    fresh = _open_apart(session, row, desk.now)
    _move(session, found, row, fresh)
    _note(session, desk, "incident.split", row.id, reason=reason, into=fresh.id)
    _note(session, desk, "incident.split", fresh.id, reason=reason, of=row.id)
    return fresh.id


def can_separate(session: Session, incident_id: int) -> bool:
    """Tell whether a person merged this incident, so that it can be taken out again."""
    return _find_merge(session, incident_id) is not None


def _work_through(
    session: Session, picks: Sequence[Pick], desk: Desk, change: Callable[[Incident], Step]
) -> Outcome:
    _check(picks, desk)
    outcome = Outcome()
    for pick in picks:
        incident = _take(session, pick, desk)
        if incident is None:
            outcome.changed.append(pick.incident_id)
            continue
        outcome.steps.append(change(incident))
        session.flush()
    return outcome


def _check(picks: Sequence[Pick], desk: Desk) -> None:
    if not desk.viewer.decides:
        msg = "this role does not decide about incidents"
        raise Forbidden(msg)
    if not picks:
        raise Invalid("choose the incidents first", field="pick")
    if len(picks) > MOST_AT_ONCE:
        raise Invalid(f"at most {MOST_AT_ONCE} at once", field="pick")


def _take(session: Session, pick: Pick, desk: Desk) -> Incident | None:
    """Return the incident, locked, if it still is as somebody saw it."""
    incident = session.scalar(
        select(Incident)
        .where(Incident.id == pick.incident_id, *limit_incidents(desk.viewer))
        .with_for_update()
    )
    return incident if incident is not None and incident.version == pick.version else None


def _get(session: Session, incident_id: int, viewer: Viewer) -> Incident:
    if not viewer.decides:
        msg = "this role does not decide about incidents"
        raise Forbidden(msg)
    query = select(Incident).where(Incident.id == incident_id, *limit_incidents(viewer))
    incident = session.scalar(query.with_for_update())
    if incident is None:
        msg = f"there is no incident {incident_id}"
        raise NotFound(msg)
    return incident


def _read_sleep(incident: Incident) -> list[object]:
    until = incident.snoozed_until
    return [incident.snoozed_version, until.isoformat() if until else None]


def _find_merge(session: Session, incident_id: int) -> AuditEntry | None:
    """Find the last merge by a person, unless the incident was taken out since."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.subject == f"incident/{incident_id}")
        .where(AuditEntry.action.in_([MERGED, "incident.separated"]))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    entry = session.scalar(query)
    return entry if entry is not None and entry.action == MERGED else None


def _move(session: Session, sighting_ids: Sequence[int], old: Incident, new: Incident) -> None:
    """Move sightings that are still where they are thought to be."""
    moved: list[datetime] = []
    for start in range(0, len(sighting_ids), 500):
        rows = session.execute(
            update(Sighting)
            .where(Sighting.id.in_(sighting_ids[start : start + 500]))
            .where(Sighting.incident_id == old.id)
            .values(incident_id=new.id)
            .returning(Sighting.seen_at)
            .execution_options(synchronize_session=False)
        )
        moved.extend(row.seen_at for row in rows)
    old.sighting_count -= len(moved)
    old.evidence_version += 1
    new.sighting_count = len(moved)
    new.evidence_version += 1
    new.last_sighting_at = max(moved, default=new.last_sighting_at)
    session.flush()


def _open_apart(session: Session, row: Incident, now: datetime) -> Incident:
    fresh = Incident(
        # Each split is a new version of the row, which is locked.
        scope=f"{APART}{row.id}.{row.version}",
        scope_source_id=row.scope_source_id,
        state=IncidentState.OPEN,
        verdict=Verdict.UNATTRIBUTABLE,
        opened_at=now,
        last_sighting_at=now,
        assignee_id=row.assignee_id,
    )
    session.add(fresh)
    session.flush()
    return fresh


def _note(
    session: Session,
    desk: Desk,
    action: str,
    incident_id: int,
    *,
    reason: str | None = None,
    **details: object,
) -> None:
    subject = f"incident/{incident_id}"
    record(session, desk.viewer.name, action, subject, desk.now, reason=reason, **details)
