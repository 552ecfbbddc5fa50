"""API keys: what a program shows instead of signing in.

A key is `wck_<ref>_<secret>`: the reference says which one it is, in logs and lists, and the
secret has 256 random bits, so that a plain SHA-256 of the whole is enough to keep.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.audit import record
from canary.services.refs import make_ref
from canary.storage.session import Database
from canary.storage.tables import ApiKey

PREFIX = "wck"
NAME_LENGTH = 120
LONGEST_LIFE = timedelta(days=3660)
# Written at most this often, so that a busy program does not write with each call.
USE_NOTED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a key may do."""

    SOURCES_READ = "sources:read"
    SOURCES_WRITE = "sources:write"
    PHONES_READ = "phones:read"
    BAITS_READ = "baits:read"
    BAITS_WRITE = "baits:write"
    CUSTODY_WRITE = "custody:write"
    REPORTERS_READ = "reporters:read"
    REPORTERS_WRITE = "reporters:write"
    MONITORS_READ = "monitors:read"
    MONITORS_WRITE = "monitors:write"
    REPORTS_WRITE = "reports:write"
    INBOX_READ = "inbox:read"
    INBOX_WRITE = "inbox:write"
    SIGHTINGS_READ = "sightings:read"
    INCIDENTS_READ = "incidents:read"
    ALERTS_READ = "alerts:read"
    ENDPOINTS_READ = "endpoints:read"
    AUDIT_READ = "audit:read"
    METRICS_READ = "metrics:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program that showed a good key."""

    ref: str
    name: str
    scopes: frozenset[Scope]

    @property
    def actor(self) -> str:
        """Name the caller for the audit log."""
        return f"key:{self.ref}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """A key as lists show it; its secret is not kept."""

    ref: str
    name: str
    scopes: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    state: str


def create_key(
    session: Session,
    *,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None,
    actor: str,
    now: datetime,
) -> str:
    """Add a key and return it; this is the only time it can be seen. Raises Invalid."""
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid("a key needs a name", field="name", mend="say which program holds it")
    wanted = _read_scopes(scopes)
    if expires_at is not None and not now < expires_at <= now + LONGEST_LIFE:
        raise Invalid(
            "this end does not fit", field="expires_at", mend="choose a moment within ten years"
        )
    ref = make_ref("K")
    shown = f"{PREFIX}_{ref}_{secrets.token_urlsafe(32)}"
    session.add(
        ApiKey(
            ref=ref,
            name=name,
            digest=_digest(shown),
            scopes=[scope.value for scope in wanted],
            created_by=actor,
            created_at=now,
            expires_at=expires_at,
        )
    )
    record(session, actor, "key.created", f"key/{ref}", now, name=name, scopes=wanted)
    return shown


def revoke_key(session: Session, ref: str, *, actor: str, now: datetime) -> None:
    """End a key at once. Raises NotFound; Conflict when it is revoked already."""
    row = session.scalar(select(ApiKey).where(ApiKey.ref == ref))
    if row is None:
        msg = f"there is no key {ref[:40]!r}"
        raise NotFound(msg)
    if row.revoked_at is not None:
        msg = f"key {ref} is revoked already"
        raise Conflict(msg)
    row.revoked_at, row.revoked_by = now, actor
    record(session, actor, "key.revoked", f"key/{ref}", now, name=row.name)


def list_keys(session: Session, now: datetime) -> list[KeyLine]:
    """List every key, newest first; `state` is `live`, `expired` or `revoked`."""
    rows = session.scalars(select(ApiKey).order_by(ApiKey.id.desc()))
    return [
        KeyLine(
            ref=row.ref,
            name=row.name,
            scopes=tuple(row.scopes),
            created_by=row.created_by,
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
            state=_state_of(row, now),
        )
        for row in rows
    ]


def find_caller(database: Database, shown: str, now: datetime) -> Caller | None:
    """Return who holds this key; None for an unknown, expired or revoked one."""
    digest = _digest(shown)
    with database.read() as session:
        row = session.scalar(select(ApiKey).where(ApiKey.digest == digest))
    if row is None or _state_of(row, now) != "live":
        return None
    if row.last_used_at is None or now - row.last_used_at >= USE_NOTED_EVERY:
        _note_use(database, row.id, now)
    known = {scope.value for scope in Scope}
    scopes = frozenset(Scope(scope) for scope in row.scopes if scope in known)
    return Caller(ref=row.ref, name=row.name, scopes=scopes)


def _note_use(database: Database, key_id: int, now: datetime) -> None:
    earlier = now - USE_NOTED_EVERY
    with database.write() as session:
        session.execute(
            update(ApiKey)
            .where(ApiKey.id == key_id)
            .where(or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= earlier))
            .values(last_used_at=now)
        )


def _read_scopes(scopes: Collection[str]) -> list[Scope]:
    known = {scope.value for scope in Scope}
    unknown = sorted(set(scopes) - known)
    if unknown or not scopes:
        raise Invalid(
            f"{unknown[0][:40]!r} is no scope" if unknown else "a key needs a scope",
            field="scopes",
            mend=f"use {', '.join(sorted(known))}",
        )
    return sorted({Scope(scope) for scope in scopes})


def _state_of(row: ApiKey, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "live"


def _digest(shown: str) -> bytes:
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()
