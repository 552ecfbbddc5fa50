"""People: who they are, how they sign in, what their role lets them see.

Passwords: argon2id with 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet), at most
four at once. An attempt is counted before the password is looked at, so that many attempts at the
same moment cannot get past the throttle.
"""

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Forbidden, Invalid
from canary.services.audit import record
from canary.services.passwords import check_password
from canary.storage.session import Database
from canary.storage.tables import SignIn, Source, User

IDLE = timedelta(minutes=30)
WHOLE = timedelta(hours=12)
FRESH = timedelta(minutes=15)
FREE_FAILURES = 5
LONGEST_WAIT = timedelta(minutes=15)
NAME_LENGTH = 120

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_ROOM = threading.BoundedSemaphore(4)
# The hash of a password nobody has: an unknown name costs the same work as a known one.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$CVQcfiBT69NNqJVa6ieoQA"
    "$4B5x3cHowbt4EWumcnBapsHoWHI0AiyQj5UJTHVem1A"
)


class Role(StrEnum):
    """What somebody is here to do."""

    SEEDER = "seeder"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMIN = "admin"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody signed in, as pages and services need to know them.

    `source_id` bounds what a partner may see: this source and everything below it. Whose sign-in
    `awaits_code` has given the password and not yet the second factor: nothing is theirs to see.
    """

    user_id: int
    name: str
    role: Role
    lang: str | None
    timezone: str | None
    must_change_password: bool
    source_id: int | None
    sign_in_id: int
    signed_in_at: datetime
    has_factor: bool = False
    awaits_code: bool = False

    @property
    def reads_evidence(self) -> bool:
        """Tell whether evidence text is shown in clear."""
        return self.role in (Role.ANALYST, Role.AUDITOR, Role.ADMIN)

    @property
    def decides(self) -> bool:
        """Tell whether this person may decide about incidents."""
        return self.role in (Role.ANALYST, Role.ADMIN)

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the password was given a short while ago."""
        return now - self.signed_in_at <= FRESH


def draw_password() -> str:
    """Draw a one-time password of 120 random bits."""
    return secrets.token_urlsafe(15)


def has_users(session: Session) -> bool:
    """Tell whether anybody may sign in yet."""
    return session.scalar(select(User.id).limit(1)) is not None


def create_user(
    session: Session,
    *,
    name: str,
    password: str,
    role: str,
    now: datetime,
    actor: str = "system",
    source_code: str | None = None,
    lang: str | None = None,
    must_change_password: bool = False,
) -> int:
    """Add somebody who may sign in and return their id.

    Raises Invalid for a poor password or an unknown role, Conflict for a name in use.
    """
    name = read_name(name)
    if not must_change_password:
        check_password(password, words=(name,))
    row = User(
        name=name,
        password_hash=hash_password(password),
        role=read_role(role).value,
        lang=lang,
        is_active=True,
        must_change_password=must_change_password,
        source_id=find_bound(session, role, source_code),
        created_at=now,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        msg = f"the name {name} is in use"
        raise Conflict(msg) from error
    record(session, actor, "user.created", f"user/{name}", now, role=row.role)
    return row.id


def sign_in(
    database: Database,
    *,
    name: str,
    password: str,
    now: datetime,
    address: str | None = None,
    agent: str | None = None,
) -> str:
    """Check a password and open a sign-in; return the random reference for the cookie.

    Whoever has a second factor gets a sign-in that awaits its code, and the attempt stays counted
    until the code is right: otherwise a stolen password would make guesses at the code free.
    Raises Forbidden with one and the same text for an unknown name, a wrong password, somebody
    switched off and a throttled account.
    """
    counted = count_attempt(database, name, now)
    known = counted.password_hash if counted else _NOBODY
    right = _verify(known, password)
    if counted is None or not right:
        msg = "the name or the password is wrong, or there were too many attempts"
        raise Forbidden(msg)
    reference = secrets.token_urlsafe(32)
    raised = hash_password(password) if _HASHER.check_needs_rehash(counted.password_hash) else None
    with database.write() as session:
        user = session.get_one(User, counted.user_id)
        opened = _open_sign_in(session, user, reference, now, address, agent)
        if raised:
            user.password_hash = raised
        if not opened.awaits_code:
            user.failed_sign_ins, user.refused_until, user.last_sign_in_at = 0, None, now
            record(session, user.name, "user.signed_in", f"user/{user.name}", now)
    return reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Whose attempt was counted, and what their password must match."""

    user_id: int
    password_hash: str


def count_attempt(database: Database, name: str, now: datetime) -> Counted | None:
    """Take one attempt from the account's allowance; None when it may not try now."""
    with database.write() as session:
        user = session.scalar(select(User).where(User.name == name[:NAME_LENGTH]).with_for_update())
        if user is None or not user.is_active:
            return None
        if user.refused_until is not None and user.refused_until > now:
            return None
        user.failed_sign_ins += 1
        user.refused_until = _refuse_until(user.failed_sign_ins, now)
        return Counted(user_id=user.id, password_hash=user.password_hash)


def find_viewer(
    database: Database, reference: str, now: datetime, *, is_present: bool = True
) -> Viewer | None:
    """Return who is behind a cookie's reference, or None when the sign-in has ended.

    A request that a page makes by itself does not count as presence: `is_present` is then False.
    """
    with database.read() as session:
        row = session.scalar(select(SignIn).where(SignIn.digest == _digest(reference)))
        if row is None or not _is_open(row, now):
            return None
        viewer = _view(row)
        stale = is_present and now - row.last_seen_at > timedelta(minutes=1)
    if stale:
        with database.write() as session:
            session.execute(
                update(SignIn).where(SignIn.id == viewer.sign_in_id).values(last_seen_at=now)
            )
    return viewer


def sign_out(database: Database, viewer: Viewer, now: datetime) -> None:
    """End this sign-in."""
    with database.write() as session:
        session.execute(update(SignIn).where(SignIn.id == viewer.sign_in_id).values(revoked_at=now))
        record(session, viewer.name, "user.signed_out", f"user/{viewer.name}", now)


def confirm_password(database: Database, viewer: Viewer, password: str, now: datetime) -> None:
    """Check the password of somebody already signed in; counts as an attempt.

    Raises Forbidden when it is wrong or the account is throttled.
    """
    counted = count_attempt(database, viewer.name, now)
    right = _verify(counted.password_hash if counted else _NOBODY, password)
    if counted is None or not right:
        msg = "the password is wrong, or there were too many attempts"
        raise Forbidden(msg)
    with database.write() as session:
        session.execute(
            update(User)
            .where(User.id == viewer.user_id)
            .values(failed_sign_ins=0, refused_until=None)
        )


def _refuse_until(failures: int, now: datetime) -> datetime | None:
    if failures < FREE_FAILURES:
        return None
    doublings = min(failures - FREE_FAILURES, 20)
    return now + min(timedelta(seconds=2**doublings), LONGEST_WAIT)


def _open_sign_in(
    session: Session,
    user: User,
    reference: str,
    now: datetime,
    address: str | None,
    agent: str | None,
) -> SignIn:
    row = SignIn(
        digest=_digest(reference),
        user_id=user.id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + WHOLE,
        address=address[:64] if address else None,
        agent=agent[:255] if agent else None,
        awaits_code=user.totp_since is not None,
    )
    session.add(row)
    return row


def _is_open(row: SignIn, now: datetime) -> bool:
    ended = row.revoked_at is not None or row.expires_at <= now or not row.user.is_active
    return not ended and now - row.last_seen_at <= IDLE


def _view(row: SignIn) -> Viewer:
    user = row.user
    return Viewer(
        user_id=user.id,
        name=user.name,
        role=Role(user.role),
        lang=user.lang,
        timezone=user.timezone,
        must_change_password=user.must_change_password,
        source_id=user.source_id,
        sign_in_id=row.id,
        signed_in_at=row.created_at,
        has_factor=user.totp_since is not None,
        awaits_code=row.awaits_code,
    )


def find_bound(session: Session, role: str, source_code: str | None) -> int | None:
    """Return the id of the source somebody is bound to. Raises Invalid for a partner without."""
    if source_code is None:
        if role == Role.PARTNER:
            raise Invalid("a partner needs a source", field="source", mend="name its source")
        return None
    source_id = session.scalar(select(Source.id).where(Source.code == source_code))
    if source_id is None:
        raise Invalid(f"there is no source {source_code}", field="source")
    return source_id


def read_name(name: str) -> str:
    """Return a name somebody can sign in by. Raises Invalid."""
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid("the name cannot be used", field="name", mend="1 to 120 visible characters")
    return name


def read_role(role: str) -> Role:
    """Return the role of this name. Raises Invalid."""
    try:
        return Role(role)
    except ValueError as error:
        known = ", ".join(Role)
        raise Invalid(f"there is no role {role}", field="role", mend=f"one of {known}") from error


def hash_password(password: str) -> str:
    """Return the argon2id hash to keep."""
    with _ROOM:
        return _HASHER.hash(password)


def _verify(hashed: str, password: str) -> bool:
    if len(password) > 512:
        password = ""
    try:
        with _ROOM:
            return _HASHER.verify(hashed, password.encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False


def _digest(reference: str) -> bytes:
    return hashlib.sha256(reference.encode("utf-8", "surrogatepass")).digest()
