"""Write down who did what."""

from datetime import datetime

from sqlalchemy.orm import Session

from canary.storage.tables import AuditEntry


def record(
    session: Session,
    actor: str,
    action: str,
    subject: str,
    now: datetime,
    *,
    reason: str | None = None,
    **details: object,
) -> None:
    """Add an audit entry to this transaction."""
    session.add(
        AuditEntry(
            at=now, actor=actor, action=action, subject=subject, reason=reason, details=details
        )
    )
