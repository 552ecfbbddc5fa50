"""The audit log, narrowed to who did what to which thing, and when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from canary.services.viewing import PAGE_SIZE, Paged, page_of
from canary.storage.tables import AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What the log is narrowed to; empty means no limit. `words` is part of any column."""

    words: str = ""
    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Who did what to which thing, and why."""

    at: datetime
    actor: str
    action: str
    subject: str
    reason: str | None
    details: tuple[tuple[str, str], ...]


def list_audit(
    session: Session, wanted: AuditFilter, number: int, size: int = PAGE_SIZE
) -> Paged[AuditLine]:
    """Return one page of the audit log, newest first."""
    query = select(AuditEntry).where(*_limit(wanted)).order_by(AuditEntry.id.desc())
    rows = page_of(session, query, number, size)
    return rows.showing(
        AuditLine(
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            reason=row.reason,
            details=tuple((str(key), str(value)) for key, value in row.details.items()),
        )
        for row in rows.items
    )


def _limit(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.words:
        columns = (AuditEntry.actor, AuditEntry.action, AuditEntry.subject, AuditEntry.reason)
        conditions.append(
            or_(*(column.icontains(wanted.words, autoescape=True) for column in columns))
        )
    if wanted.actor:
        conditions.append(AuditEntry.actor == wanted.actor)
    if wanted.action:
        conditions.append(AuditEntry.action.startswith(wanted.action, autoescape=True))
    if wanted.subject:
        conditions.append(AuditEntry.subject == wanted.subject)
    if wanted.since is not None:
        conditions.append(AuditEntry.at >= wanted.since)
    if wanted.before is not None:
        conditions.append(AuditEntry.at < wanted.before)
    return conditions
