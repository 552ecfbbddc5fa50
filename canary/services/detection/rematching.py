"""Match stored sightings again when baits came late or a rule changed.

Works backwards from the newest, a few at a time under a lease: a crash gives the rest back, and
what was done stays done. A match that is there already is never added again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from canary import __version__
from canary.domain.errors import Invalid
from canary.domain.identifiers import MatchLevel
from canary.matching.register import Register
from canary.services.audit import record
from canary.services.claims import LEASE
from canary.services.detection.expected import file_quietly
from canary.services.detection.finding import Finding, arrival_row, find_in, row_of
from canary.services.detection.gathering import gather
from canary.services.detection.parts import JOINED
from canary.services.detection.triage import Desk, open_register
from canary.storage.session import Database
from canary.storage.tables import (
    Bait,
    Exposure,
    Incident,
    Match,
    Note,
    Phone,
    Rematch,
    Sighting,
)
from canary.storage.vault import Vault
from webhooks.reports import Report

DAYS = 30
LONGEST_DAYS = 3650
AT_ONCE = 25
# A batch is written in many transactions; it is looked for when it has come to rest.
REST = timedelta(minutes=1)
SEEN = "rematch.seen"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RematchLine:
    """How far it has come: `done` of `total` sightings, `found` new matches."""

    reason: str
    state: str
    since: datetime
    done: int
    total: int
    found: int
    requested_by: str
    created_at: datetime
    finished_at: datetime | None


def request_rematch(
    session: Session, reason: str, *, actor: str, now: datetime, days: int = DAYS
) -> None:
    """Ask that the sightings of the last days be matched again; one under way starts anew.

    Raises Invalid for no reason or an impossible number of days.
    """
    if not reason.strip() or len(reason) > 200:
        raise Invalid("it needs a reason", field="reason", mend="say why, in 200 characters")
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid(
            f"{days} days cannot be looked at", field="days", mend=f"use 1 to {LONGEST_DAYS}"
        )
    since = now - timedelta(days=days)
    row = session.scalar(select(Rematch).where(Rematch.state == "waiting").with_for_update())
    row = row or Rematch(state="waiting", since=since, created_at=now, requested_by=actor, found=0)
    row.reason, row.since, row.done = reason.strip(), min(row.since, since), 0
    row.total = session.scalar(_count_since(row.since)) or 0
    row.cursor_id = (session.scalar(select(func.max(Sighting.id))) or 0) + 1
    session.add(row)
    record(session, actor, "rematch.requested", "sightings", now, reason=row.reason, days=days)


def list_rematches(session: Session, *, limit: int = 5) -> list[RematchLine]:
    """List the latest, newest first."""
    rows = session.scalars(select(Rematch).order_by(Rematch.id.desc()).limit(limit))
    return [
        RematchLine(
            reason=row.reason,
            state=row.state,
            since=row.since,
            done=row.done,
            total=row.total,
            found=row.found,
            requested_by=row.requested_by,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )
        for row in rows
    ]


def notice_changes(database: Database, now: datetime) -> bool:
    """Ask for a rematch when baits or phones were added, or the rules changed; tell whether."""
    with database.read() as session:
        known, seen = _look(session), _read_seen(session)
        newest = session.scalar(select(Bait.issued_at).order_by(Bait.id.desc()).limit(1))
        is_restless = newest is not None and now - newest < REST
    if known == seen or is_restless:
        return False
    with database.write() as session:
        if _read_seen(session) != seen:
            return False
        session.merge(Note(name=SEEN, value=json.dumps(known).encode()))
        has_sightings = session.scalar(_count_since(now - timedelta(days=DAYS)))
        if seen is None or not has_sightings:
            return False
        request_rematch(session, _say_why(known, seen), actor="system", now=now)
    return True


def rematch_some(desk: Desk) -> bool:
    """Match the next few sightings again; tell whether there was anything to do."""
    now = desk.clock()
    with desk.database.write() as session:
        claimed = session.scalars(
            update(Rematch)
            .where(Rematch.state == "waiting")
            .where(
                or_(
                    Rematch.lease_until.is_(None),
                    Rematch.lease_until < now,
                    Rematch.lease_owner == desk.owner,
                )
            )
            .values(lease_owner=desk.owner, lease_until=now + LEASE)
            .returning(Rematch.id)
            .execution_options(synchronize_session=False)
        ).all()
    if not claimed:
        return False
    with desk.database.read() as session:
        row = session.get_one(Rematch, claimed[0])
        found = _read(desk, session, row)
    _write(desk, row, found)
    return True


def _read(desk: Desk, session: Session, row: Rematch) -> list[tuple[int, Finding | None]]:
    sightings = session.scalars(
        select(Sighting)
        .where(Sighting.id < row.cursor_id, Sighting.seen_at >= row.since)
        .options(joinedload(Sighting.reporter))
        .order_by(Sighting.id.desc())
        .limit(AT_ONCE)
    ).all()
    register = open_register(desk, session)
    return [(one.id, _find(desk.vault, session, register, one)) for one in sightings]


def _find(vault: Vault, session: Session, register: Register, sighting: Sighting) -> Finding | None:
    # What joined parts hold alone stands in the parts' own sightings.
    if sighting.filed_as in {"drill", "heartbeat"} or sighting.ordinal >= JOINED:
        return None
    place = f"sightings.sealed_report|{sighting.ref}"
    try:
        report = Report.from_json(vault.unseal(place, sighting.sealed_report).decode())
        return find_in(session, vault, register, report, sighting.reporter.name)
    except Exception:
        # One sighting that cannot be matched must not hold up the others.
        log.exception("rematch.failed", sighting=sighting.ref)
        return None


def _write(desk: Desk, row: Rematch, found: Sequence[tuple[int, Finding | None]]) -> None:
    now = desk.clock()
    with desk.database.write() as session:
        held = session.scalar(select(Rematch).where(Rematch.id == row.id).with_for_update())
        moved = held is None or held.cursor_id != row.cursor_id or held.done != row.done
        if held is None or moved or held.lease_owner != desk.owner or held.state != "waiting":
            return
        for sighting_id, finding in found:
            if finding is not None:
                held.found += _add_matches(session, sighting_id, finding, now)
            held.cursor_id, held.done = sighting_id, held.done + 1
        if len(found) < AT_ONCE:
            held.state, held.finished_at = "done", now
            held.lease_owner = held.lease_until = None


def _add_matches(session: Session, sighting_id: int, finding: Finding, now: datetime) -> int:
    sighting = session.scalars(
        select(Sighting).where(Sighting.id == sighting_id).options(selectinload(Sighting.matches))
    ).one()
    known = {(match.bait_id, match.kind, match.start) for match in sighting.matches}
    fresh = [one for one in _list_rows(session, sighting, finding) if _key(one) not in known]
    if not fresh:
        return 0
    sighting.matches += fresh
    session.flush()
    if sighting.incident_id is not None:
        session.execute(
            update(Incident)
            .where(Incident.id == sighting.incident_id)
            .values(evidence_version=Incident.evidence_version + 1)
            .execution_options(synchronize_session=False)
        )
    elif sighting.filed_as is None and not file_quietly(session, sighting, finding.report, now):
        gather(session, [sighting], now)
    return len(fresh)


def _list_rows(session: Session, sighting: Sighting, finding: Finding) -> list[Match]:
    """List what counts: of baits nobody could have known yet, only what is unmistakable.

    A bait made after the sighting was seen cannot have drawn a message to its phone, nor lent its
    name to a masked one; its whole number in an older text must be told.
    """
    arrived = finding.arrival.bait_ids if finding.arrival else ()
    if sighting.part_total and not any(match.kind == "arrival" for match in sighting.matches):
        # One message has arrived, not as many as it has parts.
        arrived = ()
    bait_ids = {match.bait_id for match in finding.matches} | set(arrived)
    known = _list_known(session, bait_ids, sighting.seen_at)
    rows = [
        row_of(match)
        for match in finding.matches
        if match.bait_id in known or match.level is MatchLevel.EXACT
    ]
    return rows + [arrival_row(bait_id) for bait_id in arrived if bait_id in known]


def _list_known(session: Session, bait_ids: set[int], seen_at: datetime) -> set[int]:
    made = session.scalars(select(Bait.id).where(Bait.id.in_(bait_ids), Bait.issued_at <= seen_at))
    exposed = session.scalars(
        select(Exposure.bait_id).where(Exposure.bait_id.in_(bait_ids), Exposure.since <= seen_at)
    )
    return {*made, *exposed}


def _key(row: Match) -> tuple[int, str, int]:
    return row.bait_id, row.kind, row.start


def _count_since(since: datetime) -> Select[int]:
    return select(func.count(Sighting.id)).where(Sighting.seen_at >= since)


def _look(session: Session) -> dict[str, object]:
    """Return what matching depends on."""
    return {
        "rules": __version__,
        "baits": session.scalar(select(func.max(Bait.id))) or 0,
        "phones": session.scalar(select(func.max(Phone.id))) or 0,
    }


def _read_seen(session: Session) -> dict[str, object] | None:
    note = session.get(Note, SEEN)
    return dict(json.loads(note.value)) if note else None


def _say_why(known: dict[str, object], seen: dict[str, object]) -> str:
    changed = [name for name in known if known[name] != seen.get(name)]
    return f"changed: {', '.join(changed)}"
