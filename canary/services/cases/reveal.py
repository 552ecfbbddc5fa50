"""Show one bait in clear: one person asks with a reason, another agrees, then it is shown once.

From then on the reader is among those who knew the bait. Agreeing shows nothing to whoever
agrees: a second pair of eyes, not a second reader.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session, joinedload

from canary.domain.errors import Conflict, Forbidden, Invalid, NotFound
from canary.domain.identifiers import BaitValues
from canary.services.access import Role, Viewer
from canary.services.audit import record
from canary.services.stale import mark_baits_stale
from canary.services.viewing import PAGE_SIZE, Paged, page_of, read_values
from canary.storage.bulk import add_exposures
from canary.storage.tables import Bait, RevealRequest
from canary.storage.vault import SealBroken, Vault

REVEALERS = frozenset({Role.SEEDER, Role.ANALYST})
AGREERS = frozenset({Role.SEEDER, Role.ANALYST, Role.AUDITOR, Role.ADMIN})
LONGEST_REASON = 500
OPEN_FOR = timedelta(hours=24)
LATER = "this request is answered, shown or too old"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealLine:
    """A wish to see a bait in clear, and where it stands.

    `state` is `waiting`, `agreed`, `refused`, `shown` or `over`.
    """

    request_id: int
    bait_ref: str
    asked_by: str
    asked_at: datetime
    reason: str
    expires_at: datetime
    answered_by: str | None
    answered_at: datetime | None
    state: str
    can_answer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBait:
    """One bait in clear."""

    ref: str
    values: BaitValues


def ask_reveal(session: Session, ref: str, *, viewer: Viewer, reason: str, now: datetime) -> int:
    """Ask to see a bait and return the request's id.

    Raises Forbidden for other roles, Invalid without a reason, NotFound, and Conflict while an
    earlier request of this person for this bait is open.
    """
    _require(viewer, REVEALERS)
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid("a reveal needs a reason", field="reason", mend="say why in a sentence")
    bait_id = session.scalar(select(Bait.id).where(Bait.ref == ref))
    if bait_id is None:
        msg = f"there is no bait {ref}"
        raise NotFound(msg)
    if find_own_request(session, ref, viewer, now) is not None:
        msg = "you have asked for this bait already"
        raise Conflict(msg)
    row = RevealRequest(
        bait_id=bait_id,
        asked_by=viewer.name,
        asked_at=now,
        reason=reason,
        expires_at=now + OPEN_FOR,
    )
    session.add(row)
    session.flush()
    record(session, viewer.name, "bait.reveal_asked", f"bait/{ref}", now, reason=reason)
    return row.id


def answer_reveal(
    session: Session, request_id: int, *, agreed: bool, viewer: Viewer, now: datetime
) -> None:
    """Agree to a request or refuse it; the first answer holds.

    Raises Forbidden for other roles and for whoever asked, NotFound, Conflict when it is answered
    already or too old.
    """
    _require(viewer, AGREERS)
    row = session.get(RevealRequest, request_id)
    if row is None:
        msg = "there is no such request"
        raise NotFound(msg)
    if row.asked_by == viewer.name:
        msg = "somebody else must agree"
        raise Forbidden(msg)
    unanswered = (RevealRequest.answered_at.is_(None), RevealRequest.expires_at > now)
    values = {"answered_by": viewer.name, "answered_at": now, "is_agreed": agreed}
    _change_once(session, request_id, unanswered, values)
    action = "bait.reveal_agreed" if agreed else "bait.reveal_refused"
    record(session, viewer.name, action, f"bait/{row.bait.ref}", now, asked_by=row.asked_by)


def show_bait(
    session: Session, vault: Vault, request_id: int, *, viewer: Viewer, now: datetime
) -> ShownBait:
    """Return a bait in clear, once; the entry in the log and the exposure come with them.

    Raises Forbidden for anybody but who asked, NotFound, SealBroken, and Conflict when nobody has
    agreed, or it was shown already, or it is too late.
    """
    _require(viewer, REVEALERS)
    row = session.get(RevealRequest, request_id)
    if row is None or row.asked_by != viewer.name:
        msg = "there is no such request"
        raise NotFound(msg)
    bait = row.bait
    values = read_values(vault, bait.ref, bait.sealed_values)
    if values is None:
        msg = "the bait's values do not open"
        raise SealBroken(msg)
    agreed = (
        RevealRequest.is_agreed.is_(True),
        RevealRequest.shown_at.is_(None),
        RevealRequest.expires_at > now,
    )
    _change_once(session, request_id, agreed, {"shown_at": now})
    seen = {"bait_id": bait.id, "reader": viewer.name, "origin": "reveal", "since": now}
    add_exposures(session, [seen])
    mark_baits_stale(session, [bait.id])
    record(
        session,
        viewer.name,
        "bait.revealed",
        f"bait/{bait.ref}",
        now,
        reason=row.reason,
        agreed_by=row.answered_by,
    )
    return ShownBait(ref=bait.ref, values=values)


def find_own_request(
    session: Session, ref: str, viewer: Viewer, now: datetime
) -> RevealLine | None:
    """Return this person's open request for a bait, or None."""
    row = session.scalar(
        _select()
        .where(Bait.ref == ref, RevealRequest.asked_by == viewer.name)
        .where(RevealRequest.expires_at > now, RevealRequest.shown_at.is_(None))
        .where(RevealRequest.answered_at.is_(None) | RevealRequest.is_agreed.is_(True))
        .order_by(RevealRequest.id.desc())
        .limit(1)
    )
    return _to_line(row, viewer, now) if row else None


def list_requests(
    session: Session, viewer: Viewer, now: datetime, number: int
) -> Paged[RevealLine]:
    """Return one page of the requests, the newest first."""
    found = page_of(session, _select().order_by(RevealRequest.id.desc()), number, PAGE_SIZE)
    return found.showing(_to_line(row, viewer, now) for row in found.items)


def _select() -> Select[RevealRequest]:
    return (
        select(RevealRequest)
        .join(Bait, RevealRequest.bait_id == Bait.id)
        .options(joinedload(RevealRequest.bait))
    )


def _require(viewer: Viewer, roles: frozenset[Role]) -> None:
    if viewer.role not in roles:
        msg = "this role does not see baits in clear"
        raise Forbidden(msg)


def _change_once(
    session: Session,
    request_id: int,
    condition: tuple[ColumnElement[bool], ...],
    values: dict[str, object],
) -> None:
    """Change the request where it still stands so; of two at the same moment one is refused."""
    changed = session.execute(
        update(RevealRequest)
        .where(RevealRequest.id == request_id, *condition)
        .values(values)
        .returning(RevealRequest.id)
    ).all()
    if not changed:
        raise Conflict(LATER)


def _to_line(row: RevealRequest, viewer: Viewer, now: datetime) -> RevealLine:
    state = _tell_state(row, now)
    return RevealLine(
        request_id=row.id,
        bait_ref=row.bait.ref,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        reason=row.reason,
        expires_at=row.expires_at,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        state=state,
        can_answer=state == "waiting" and row.asked_by != viewer.name and viewer.role in AGREERS,
    )


def _tell_state(row: RevealRequest, now: datetime) -> str:
    if row.shown_at is not None:
        return "shown"
    if row.answered_at is not None and not row.is_agreed:
        return "refused"
    if row.expires_at <= now:
        return "over"
    return "agreed" if row.is_agreed else "waiting"
