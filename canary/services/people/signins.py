"""Where people are signed in, and what they settle for themselves: password, language, zone."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Invalid, NotFound
from canary.services.access import IDLE, Viewer, confirm_password, hash_password
from canary.services.audit import record
from canary.services.passwords import check_password
from canary.storage.session import Database
from canary.storage.tables import SignIn, User


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSignIn:
    """One browser in which somebody is signed in."""

    sign_in_id: int
    created_at: datetime
    last_seen_at: datetime
    address: str | None
    agent: str | None
    is_this: bool


def list_sign_ins(session: Session, viewer: Viewer, now: datetime) -> tuple[OpenSignIn, ...]:
    """Return where this person is signed in, latest use first."""
    rows = session.scalars(
        select(SignIn)
        .where(SignIn.user_id == viewer.user_id, SignIn.revoked_at.is_(None))
        .where(SignIn.awaits_code.is_(False))
        .where(SignIn.expires_at > now, SignIn.last_seen_at >= now - IDLE)
        .order_by(SignIn.last_seen_at.desc(), SignIn.id.desc())
        .limit(50)
    )
    return tuple(
        OpenSignIn(
            sign_in_id=row.id,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            address=row.address,
            agent=row.agent,
            is_this=row.id == viewer.sign_in_id,
        )
        for row in rows
    )


def end_own_sign_in(session: Session, viewer: Viewer, sign_in_id: int, now: datetime) -> None:
    """End one sign-in of this person. Raises NotFound for anybody else's."""
    ended = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.user_id == viewer.user_id)
        .where(SignIn.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(SignIn.id)
    ).all()
    if not ended:
        msg = "there is no such sign-in"
        raise NotFound(msg)
    record(session, viewer.name, "user.sign_ins_ended", f"user/{viewer.name}", now)


def set_preferences(
    session: Session, viewer: Viewer, *, lang: str | None, timezone: str | None
) -> None:
    """Keep somebody's language and time zone."""
    session.execute(
        update(User).where(User.id == viewer.user_id).values(lang=lang, timezone=timezone)
    )


def end_sign_ins(session: Session, *, name: str, actor: str, now: datetime) -> int:
    """End every sign-in of somebody and return how many there were. Raises NotFound."""
    user_id = session.scalar(select(User.id).where(User.name == name))
    if user_id is None:
        msg = f"there is no user {name}"
        raise NotFound(msg)
    ended = session.execute(
        update(SignIn)
        .where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(SignIn.id)
    ).all()
    record(session, actor, "user.sign_ins_ended", f"user/{name}", now)
    return len(ended)


def change_password(
    database: Database, viewer: Viewer, *, old: str, new: str, now: datetime
) -> None:
    """Set a new password and end every other sign-in of this person.

    Raises Forbidden when the old one is wrong, Invalid when the new one is poor or the same.
    """
    check_password(new, words=(viewer.name,))
    confirm_password(database, viewer, old, now)
    if secrets.compare_digest(old.encode(), new.encode()):
        raise Invalid("the new password is the old one", field="new", mend="choose another")
    hashed = hash_password(new)
    with database.write() as session:
        session.execute(
            update(User)
            .where(User.id == viewer.user_id)
            .values(password_hash=hashed, must_change_password=False)
        )
        _revoke_others(session, viewer, now)
        record(session, viewer.name, "user.password_changed", f"user/{viewer.name}", now)


def _revoke_others(session: Session, viewer: Viewer, now: datetime) -> None:
    session.execute(
        update(SignIn)
        .where(
            SignIn.user_id == viewer.user_id,
            SignIn.id != viewer.sign_in_id,
            SignIn.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
