"""The second factor: a one-time code after the password, and codes for a lost phone."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Forbidden, Invalid, NotFound
from canary.domain.onetime import SECRET_BYTES, find_step
from canary.services.access import Role, Viewer, count_attempt
from canary.services.audit import record
from canary.storage.session import Database
from canary.storage.tables import AuditEntry, SignIn, User
from canary.storage.vault import Vault

RECOVERY_CODES = 8
SETTING = "setting/CANARY_REQUIRE_TOTP"
REFUSED = "the code is wrong or used up, or there were too many attempts"


def note_required(database: Database, roles: Collection[Role], now: datetime) -> None:
    """Write down which roles must have a second factor, if the log last says otherwise.

    Most starts change nothing: they read, and do not wait for whoever is writing.
    """
    newest = (
        select(AuditEntry.details)
        .where(AuditEntry.subject == SETTING)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    wanted = sorted(roles)
    with database.read() as session:
        told = (session.scalar(newest) or {}).get("roles", [])
    if told != wanted:
        with database.write() as session:
            record(session, "system", "user.factor_required", SETTING, now, roles=wanted)


def begin_enrolment(session: Session, vault: Vault, viewer: Viewer) -> bytes:
    """Return the secret to put into an app; asked again before it is proved, the same one.

    Raises Conflict when a second factor is in force.
    """
    user = session.get_one(User, viewer.user_id, with_for_update=True)
    if user.totp_since is not None:
        msg = "a second factor is in force already"
        raise Conflict(msg)
    if user.sealed_totp is not None:
        return _open(vault, user)
    secret = secrets.token_bytes(SECRET_BYTES)
    user.sealed_totp = vault.seal(_place(user.name), secret)
    return secret


def prove_enrolment(
    session: Session, vault: Vault, viewer: Viewer, code: str, now: datetime
) -> tuple[str, ...]:
    """Put the second factor in force once its first code is right; return the recovery codes.

    They are shown this once. Raises Invalid for a wrong code, Conflict when nothing was begun.
    """
    user = session.get_one(User, viewer.user_id, with_for_update=True)
    if user.sealed_totp is None or user.totp_since is not None:
        msg = "a second factor is in force already"
        raise Conflict(msg)
    step = find_step(_open(vault, user), code, now)
    if step is None:
        raise Invalid("this code is wrong", field="code", mend="type the code shown now")
    drawn = tuple(_draw_recovery() for _ in range(RECOVERY_CODES))
    user.totp_since, user.totp_step = now, step
    user.recovery_digests = [_digest(one) for one in drawn]
    record(session, viewer.name, "user.factor_added", f"user/{viewer.name}", now)
    return drawn


def pass_code(database: Database, vault: Vault, viewer: Viewer, code: str, now: datetime) -> None:
    """Complete a sign-in that awaits its code; each code, and each recovery code, works once.

    Raises Forbidden when it is wrong, used up, or there were too many attempts.
    """
    counted = count_attempt(database, viewer.name, now)
    with database.write() as session:
        user = session.get_one(User, viewer.user_id, with_for_update=True)
        how = _use(session, vault, user, code, now) if counted else None
        if how is None:
            raise Forbidden(REFUSED)
        session.execute(
            update(SignIn).where(SignIn.id == viewer.sign_in_id).values(awaits_code=False)
        )
        user.failed_sign_ins, user.refused_until = 0, None
        user.last_sign_in_at = now
        record(session, user.name, "user.signed_in", f"user/{user.name}", now, by=how)


def remove_factor(session: Session, *, name: str, actor: str, now: datetime) -> None:
    """Take somebody's second factor away: the phone is lost, or a new one is to be enrolled.

    Raises NotFound.
    """
    changed = session.execute(
        update(User)
        .where(User.name == name)
        .values(sealed_totp=None, totp_since=None, totp_step=None, recovery_digests=[])
        .returning(User.id)
    ).all()
    if not changed:
        msg = f"there is no user {name}"
        raise NotFound(msg)
    record(session, actor, "user.factor_removed", f"user/{name}", now)


def _use(session: Session, vault: Vault, user: User, code: str, now: datetime) -> str | None:
    if user.totp_since is None:
        return None
    step = find_step(_open(vault, user), code, now, after=user.totp_step)
    if step is not None:
        # The condition holds also where two requests bring the same code at the same moment.
        unused = or_(User.totp_step.is_(None), User.totp_step < step)
        won = session.execute(
            update(User).where(User.id == user.id, unused).values(totp_step=step).returning(User.id)
        ).all()
        return "code" if won else None
    digest = _digest(code)
    if digest not in user.recovery_digests:
        return None
    user.recovery_digests = [one for one in user.recovery_digests if one != digest]
    return "recovery code"


def _open(vault: Vault, user: User) -> bytes:
    return vault.unseal(_place(user.name), user.sealed_totp or b"")


def _place(name: str) -> str:
    return f"users.sealed_totp|{name}"


def _draw_recovery() -> str:
    """Draw 80 random bits, in groups that can be copied by hand."""
    drawn = secrets.token_hex(10)
    return "-".join(drawn[start : start + 5] for start in range(0, len(drawn), 5))


def _digest(code: str) -> str:
    plain = "".join(code.split()).replace("-", "").lower()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
