"""What a placement goes through: handed over, confirmed; and the exposures that follow."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.services.stale import mark_holders_stale
from canary.storage.bulk import add_exposures
from canary.storage.tables import Bait, Placement

SHEET, PUSH, LOCAL = "sheet", "push", "local"
CHUNK = 500


def hand_over(session: Session, bait_ids: Sequence[int], now: datetime) -> int:
    """Date the hand-over of what is handed over for the first time, and open its exposures."""
    fresh: list[Placement] = []
    for start in range(0, len(bait_ids), CHUNK):
        query = select(Placement).where(
            Placement.bait_id.in_(bait_ids[start : start + CHUNK]),
            Placement.handed_over_at.is_(None),
        )
        fresh.extend(session.scalars(query))
    # What was confirmed without a sheet has its exposure already.
    open_exposures(session, [one for one in fresh if one.confirmed_at is None], now)
    for placement in fresh:
        placement.handed_over_at = now
    session.flush()
    mark_holders_stale(session, {placement.source_id for placement in fresh})
    return len(fresh)


def open_exposures(session: Session, placed: Sequence[Placement], since: datetime) -> None:
    """Open the exposure of each placement.

    One placed locally never entered a system, so those above its source do not see it.
    """
    add_exposures(session, [_exposure(one, since) for one in placed])


def _exposure(placement: Placement, since: datetime) -> dict[str, object]:
    levels = placement.fields or {}
    return {
        "bait_id": placement.bait_id,
        "source_id": placement.source_id,
        "origin": "local" if placement.route == LOCAL else "placement",
        "since": since,
        **{name: levels.get(name, 2) for name in ("number", "name", "phone", "address")},
    }


def confirm_placements(session: Session, fresh: Sequence[Placement], by: str, at: datetime) -> None:
    """Confirm placements and plant their baits; open the exposures no hand-over opened."""
    open_exposures(session, [one for one in fresh if one.handed_over_at is None], at)
    for placement in fresh:
        placement.confirmed_at, placement.confirmed_by = at, by[:120]
    for start in range(0, len(fresh), CHUNK):
        ids = [placement.bait_id for placement in fresh[start : start + CHUNK]]
        session.execute(
            update(Bait)
            .where(Bait.id.in_(ids), Bait.state == BaitState.ISSUED)
            .values(state=BaitState.PLANTED, planted_at=at)
            .execution_options(synchronize_session=False)
        )
    session.flush()
