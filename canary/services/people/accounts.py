"""Who may sign in: invite, list, change a role, switch off, reset."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services import access
from canary.services.access import Role
from canary.services.audit import record
from canary.services.people.signins import end_sign_ins
from canary.services.viewing import SourceLabel, count_groups, label_source
from canary.storage.tables import Invitation, SignIn, Source, User

INVITED_FOR = timedelta(days=3)
SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """Somebody who may sign in, or could once."""

    user_id: int
    name: str
    role: Role
    source: SourceLabel | None
    is_active: bool
    has_factor: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    open_sign_ins: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationLine:
    """An invitation that can still be taken up."""

    invitation_id: int
    name: str
    role: Role
    source: SourceLabel | None
    created_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """What whoever holds an invitation's code is invited to be."""

    name: str
    role: Role


def list_people(session: Session, now: datetime) -> tuple[PersonLine, ...]:
    """Return everybody by name, those switched off last."""
    rows = session.scalars(
        select(User).order_by(User.is_active.desc(), User.name).limit(SHOWN)
    ).all()
    sources = _load_sources(session, [row.source_id for row in rows])
    opened = count_groups(
        session,
        select(SignIn.user_id, func.count())
        .where(SignIn.revoked_at.is_(None), SignIn.expires_at > now)
        .where(SignIn.last_seen_at >= now - access.IDLE, SignIn.awaits_code.is_(False))
        .group_by(SignIn.user_id),
    )
    return tuple(
        PersonLine(
            user_id=row.id,
            name=row.name,
            role=Role(row.role),
            source=sources.get(row.source_id or 0),
            is_active=row.is_active,
            has_factor=row.totp_since is not None,
            created_at=row.created_at,
            last_sign_in_at=row.last_sign_in_at,
            open_sign_ins=opened.get(row.id, 0),
        )
        for row in rows
    )


def list_invitations(session: Session, now: datetime) -> tuple[InvitationLine, ...]:
    """Return the invitations that can still be taken up, the latest first."""
    rows = session.scalars(
        select(Invitation)
        .where(Invitation.used_at.is_(None), Invitation.withdrawn_at.is_(None))
        .where(Invitation.expires_at > now)
        .order_by(Invitation.id.desc())
        .limit(SHOWN)
    ).all()
    sources = _load_sources(session, [row.source_id for row in rows])
    return tuple(
        InvitationLine(
            invitation_id=row.id,
            name=row.name,
            role=Role(row.role),
            source=sources.get(row.source_id or 0),
            created_by=row.created_by,
            expires_at=row.expires_at,
        )
        for row in rows
    )


def get_name(session: Session, user_id: int) -> str:
    """Return somebody's name. Raises NotFound."""
    name = session.scalar(select(User.name).where(User.id == user_id))
    if name is None:
        msg = "there is no such user"
        raise NotFound(msg)
    return name


def invite(
    session: Session,
    *,
    name: str,
    role: str,
    source_code: str | None,
    actor: str,
    now: datetime,
    lang: str | None = None,
) -> str:
    """Invite somebody and return the code that lets them in once, within three days.

    Raises Invalid for a name, role or source that cannot be, Conflict for a name in use.
    """
    name = access.read_name(name)
    known = access.read_role(role)
    source_id = access.find_bound(session, role, source_code)
    _refuse_taken(session, name)
    _withdraw_earlier(session, name, now)
    code = secrets.token_urlsafe(24)
    session.add(
        Invitation(
            digest=_digest(code),
            name=name,
            role=known.value,
            source_id=source_id,
            lang=lang,
            created_by=actor,
            created_at=now,
            expires_at=now + INVITED_FOR,
        )
    )
    record(session, actor, "user.invited", f"user/{name}", now, role=known.value)
    return code


def accept(session: Session, code: str, *, password: str, now: datetime) -> Invited:
    """Make the user of an invitation; it works once.

    Raises NotFound for a code that opens nothing, Invalid for a poor password, Conflict for a
    name taken meanwhile.
    """
    taken = session.execute(
        update(Invitation).where(*_is_open(code, now)).values(used_at=now).returning(Invitation.id)
    ).scalar_one_or_none()
    if taken is None:
        msg = "this invitation is used, withdrawn or too old"
        raise NotFound(msg)
    row = session.get_one(Invitation, taken)
    access.create_user(
        session,
        name=row.name,
        password=password,
        role=row.role,
        now=now,
        actor=row.created_by,
        source_code=row.source.code if row.source else None,
        lang=row.lang,
    )
    return Invited(name=row.name, role=Role(row.role))


def withdraw(session: Session, invitation_id: int, *, actor: str, now: datetime) -> None:
    """Take an invitation back. Raises NotFound when it is none that can still be taken up."""
    name = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id)
        .where(Invitation.used_at.is_(None), Invitation.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(Invitation.name)
    ).scalar_one_or_none()
    if name is None:
        msg = "there is no such invitation"
        raise NotFound(msg)
    record(session, actor, "user.invitation_withdrawn", f"user/{name}", now)


def set_role(
    session: Session,
    name: str,
    role: str,
    *,
    source_code: str | None,
    actor: str,
    now: datetime,
) -> None:
    """Give somebody another role; their sign-ins end at once.

    Raises NotFound, Invalid, and Conflict for oneself: the last administrator must not go.
    """
    known = access.read_role(role)
    user = _get_other(session, name, actor)
    bound = access.find_bound(session, role, source_code)
    user.role = known.value
    user.source_id = bound if known is Role.PARTNER else None
    end_sign_ins(session, name=name, actor=actor, now=now)
    record(session, actor, "user.role_changed", f"user/{name}", now, role=known.value)


def switch(session: Session, name: str, *, active: bool, actor: str, now: datetime) -> None:
    """Let somebody sign in, or no longer. Raises NotFound, and Conflict for oneself."""
    user = _get_other(session, name, actor)
    user.is_active = active
    if not active:
        end_sign_ins(session, name=name, actor=actor, now=now)
    action = "user.switched_on" if active else "user.switched_off"
    record(session, actor, action, f"user/{name}", now)


def reset_password(session: Session, name: str, *, actor: str, now: datetime) -> str:
    """Give somebody a one-time password and return it; their sign-ins end at once.

    Raises NotFound, and Conflict for oneself.
    """
    user = _get_other(session, name, actor)
    password = access.draw_password()
    user.password_hash = access.hash_password(password)
    user.must_change_password = True
    user.failed_sign_ins, user.refused_until = 0, None
    end_sign_ins(session, name=name, actor=actor, now=now)
    record(session, actor, "user.password_reset", f"user/{name}", now)
    return password


def _get_other(session: Session, name: str, actor: str) -> User:
    if name == actor:
        msg = "nobody changes their own rights; ask another administrator"
        raise Conflict(msg)
    user = session.scalar(select(User).where(User.name == name).with_for_update())
    if user is None:
        msg = f"there is no user {name}"
        raise NotFound(msg)
    return user


def _refuse_taken(session: Session, name: str) -> None:
    if session.scalar(select(User.id).where(User.name == name)) is not None:
        raise Invalid("this name is in use", field="name", mend="choose another")


def _withdraw_earlier(session: Session, name: str, now: datetime) -> None:
    session.execute(
        update(Invitation)
        .where(Invitation.name == name, Invitation.used_at.is_(None))
        .where(Invitation.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


def _is_open(code: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.digest == _digest(code),
        Invitation.used_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > now,
    )


def _load_sources(session: Session, ids: Sequence[int | None]) -> dict[int, SourceLabel]:
    wanted = sorted({one for one in ids if one is not None})
    rows = session.scalars(select(Source).where(Source.id.in_(wanted)))
    return {row.id: label_source(row) for row in rows}


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).digest()
