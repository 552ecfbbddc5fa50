"""Change a reporter that is in use: its secrets, its rhythm, whether it may post."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.audit import record
from canary.services.inbox.intake import Secrets, place_of
from canary.storage.tables import Reporter
from canary.storage.vault import Vault

SHORTEST_RHYTHM = 60
LONGEST_RHYTHM = 400 * 86_400


def get_reporter(session: Session, name: str) -> Reporter:
    """Return the reporter of that name. Raises NotFound."""
    row = session.scalar(select(Reporter).where(Reporter.name == name))
    if row is None:
        msg = f"there is no reporter {name[:80]!r}"
        raise NotFound(msg)
    return row


def open_secrets(vault: Vault, row: Reporter) -> Secrets:
    """Open what proves a reporter."""
    content = json.loads(vault.unseal(place_of(row.name), row.sealed_secrets))
    return Secrets(
        signing=tuple(content["signing"]), path=content["path"], options=content["options"]
    )


def switch_reporter(
    session: Session, name: str, *, active: bool, actor: str, now: datetime
) -> None:
    """Take or refuse a reporter's posts from now on. Raises NotFound."""
    row = get_reporter(session, name)
    row.is_active = active
    record(session, actor, "reporter.switched", f"reporter/{name}", now, active=active)


def set_rhythm(
    session: Session, name: str, seconds: int | None, *, actor: str, now: datetime
) -> None:
    """Set within how many seconds a reporter should post; None asks nothing. Raises Invalid."""
    if seconds is not None and not SHORTEST_RHYTHM <= seconds <= LONGEST_RHYTHM:
        raise Invalid(
            f"{seconds} seconds is no rhythm",
            field="rhythm",
            mend=f"use {SHORTEST_RHYTHM} to {LONGEST_RHYTHM} seconds",
        )
    row = get_reporter(session, name)
    row.rhythm_seconds = seconds
    record(session, actor, "reporter.rhythm", f"reporter/{name}", now, seconds=seconds)


def rotate_secret(
    session: Session, vault: Vault, name: str, secret: str, *, actor: str, now: datetime
) -> None:
    """Add a second live secret; posts under either are taken. Raises NotFound, Conflict."""
    row = get_reporter(session, name)
    known = open_secrets(vault, row)
    if len(known.signing) > 1:
        msg = f"{name} has two secrets already; drop the old one first"
        raise Conflict(msg)
    _seal(vault, row, replace(known, signing=(secret, *known.signing)))
    record(session, actor, "reporter.secret_added", f"reporter/{name}", now)


def drop_old_secret(
    session: Session, vault: Vault, name: str, *, actor: str, now: datetime
) -> None:
    """Keep the newest secret alone. Raises NotFound; Conflict when there is only one."""
    row = get_reporter(session, name)
    known = open_secrets(vault, row)
    if len(known.signing) < 2:
        msg = f"{name} has no old secret"
        raise Conflict(msg)
    _seal(vault, row, replace(known, signing=known.signing[:1]))
    record(session, actor, "reporter.secret_dropped", f"reporter/{name}", now)


def set_options(
    session: Session,
    vault: Vault,
    name: str,
    options: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Change some options of a reporter's reader; the others stay. Raises NotFound."""
    row = get_reporter(session, name)
    known = open_secrets(vault, row)
    _seal(vault, row, replace(known, options={**known.options, **options}))
    record(session, actor, "reporter.options", f"reporter/{name}", now, options=sorted(options))


def _seal(vault: Vault, row: Reporter, secrets: Secrets) -> None:
    row.sealed_secrets = vault.seal(place_of(row.name), secrets.to_json())
