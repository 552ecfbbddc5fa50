"""One reporter: how it is set up, how it does, and what proves it for those who may know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from canary.domain.errors import Forbidden
from canary.services.access import Role, Viewer
from canary.services.audit import record
from canary.services.detection.drilling import DrillLine, find_last_drill
from canary.services.inbox.intake import HEARTBEAT_OPTION
from canary.services.inbox.reporters import get_reporter, open_secrets
from canary.services.pages.feeds import get_reporter_line
from canary.services.pages.operation import ReporterLine
from canary.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterPage:
    """What everybody who may see reporters sees of one; no secrets."""

    line: ReporterLine
    last_heartbeat_at: datetime | None
    has_path: bool
    secret_count: int
    receivers: tuple[str, ...]
    heartbeat: str | None
    drill: DrillLine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterProof:
    """What proves a reporter."""

    path: str | None
    secret: str
    options: Mapping[str, Any]


def show_reporter(session: Session, vault: Vault, name: str, now: datetime) -> ReporterPage:
    """Return what a reporter's page shows. Raises NotFound."""
    row = get_reporter(session, name)
    known = open_secrets(vault, row)
    receivers = known.options.get("receivers")
    phrase = known.options.get(HEARTBEAT_OPTION)
    return ReporterPage(
        line=get_reporter_line(session, name, now),
        last_heartbeat_at=row.last_heartbeat_at,
        has_path=known.path is not None,
        secret_count=len(known.signing),
        receivers=tuple(sorted(receivers)) if isinstance(receivers, Mapping) else (),
        heartbeat=phrase if isinstance(phrase, str) else None,
        drill=find_last_drill(session, row.id),
    )


def show_proof(
    session: Session, vault: Vault, name: str, *, viewer: Viewer, now: datetime
) -> ReporterProof:
    """Return what proves a reporter, and write down who saw it. Raises NotFound, Forbidden."""
    if viewer.role is not Role.ADMIN or not viewer.is_fresh(now):
        msg = "only an administrator who has just signed in may see this"
        raise Forbidden(msg)
    known = open_secrets(vault, get_reporter(session, name))
    record(session, viewer.name, "reporter.secrets_shown", f"reporter/{name}", now)
    return ReporterProof(
        path=known.path,
        secret=known.signing[0] if known.signing else "",
        options=known.options,
    )
