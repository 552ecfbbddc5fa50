"""Claim a row of work for a while.

A claim is a conditional update whose row count says who won. It expires, so that a crash gives
the row back; the attempt is counted before the work, so that a row that kills its worker is
found out.
"""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from canary.storage.tables import Delivery, InboxPost, Monitor

LEASE = timedelta(seconds=60)

Claimable = type[InboxPost] | type[Delivery]


def claim_one(
    session: Session, table: Claimable, row_id: int, *, owner: str, now: datetime
) -> bool:
    """Claim one waiting row for LEASE; tell whether this caller won."""
    result = session.execute(
        update(table)
        .where(table.id == row_id, table.state == "waiting")
        .where(or_(table.lease_until.is_(None), table.lease_until < now))
        .values(lease_owner=owner, lease_until=now + LEASE, attempts=table.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def holds(session: Session, table: Claimable, row_id: int, owner: str) -> bool:
    """Lock the row and tell whether `owner` still holds its claim."""
    row = session.execute(
        select(table.lease_owner, table.state).where(table.id == row_id).with_for_update()
    ).one_or_none()
    return row is not None and row.lease_owner == owner and row.state == "waiting"


def release_all(session: Session) -> None:
    """Give back every claim: for a sole worker that starts, whoever held them is dead."""
    for table in (InboxPost, Delivery):
        session.execute(
            update(table)
            .where(table.state == "waiting", table.lease_until.is_not(None))
            .values(lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )
    session.execute(
        update(Monitor)
        .where(Monitor.lease_until.is_not(None))
        .values(lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
