"""Take the word of sources that their baits are in."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Flaw, Invalid, NotFound
from canary.domain.identifiers import canonical_number
from canary.matching.keys import number_key
from canary.services.audit import record
from canary.services.baits.placing import CHUNK, confirm_placements
from canary.services.baits.planting import get_batch
from canary.services.stale import mark_holders_stale
from canary.services.stock.imports import TableRow
from canary.storage.tables import Bait, Identifier, Placement, Source
from canary.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a confirmation did."""

    confirmed: int
    already: int


def confirm_planting(
    session: Session,
    *,
    batch_name: str,
    sources: Sequence[str] = (),
    bait_ids: Collection[int] | None = None,
    confirmed_by: str,
    at: datetime,
    actor: str,
    now: datetime,
) -> Confirmation:
    """Note that baits are in place. Raises Invalid for a time in the future, NotFound."""
    if at > now:
        raise Invalid("the confirmation lies in the future", field="at", mend="correct the time")
    batch = get_batch(session, batch_name, lock=True)
    _require_sources(session, sources)
    placements = list(_find_placements(session, batch.id, sources, bait_ids))
    strangers = set(bait_ids or ()) - {placement.bait_id for placement in placements}
    if strangers:
        raise Invalid(
            f"{len(strangers)} of these numbers were not placed by batch {batch_name} there",
            field="number",
            mend="confirm each batch and source with its own numbers",
        )
    fresh = [placement for placement in placements if placement.confirmed_at is None]
    confirm_placements(session, fresh, confirmed_by, at)
    mark_holders_stale(session, {placement.source_id for placement in fresh})
    record(
        session,
        actor,
        "batch.confirmed",
        f"batch/{batch_name}",
        now,
        confirmed=len(fresh),
        by=confirmed_by,
    )
    return Confirmation(confirmed=len(fresh), already=len(placements) - len(fresh))


def _require_sources(session: Session, codes: Sequence[str]) -> None:
    known = set(session.scalars(select(Source.code).where(Source.code.in_(codes))))
    missing = sorted(set(codes) - known)
    if missing:
        msg = f"there is no source {', '.join(missing)}"
        raise NotFound(msg)


def _find_placements(
    session: Session, batch_id: int, sources: Sequence[str], bait_ids: Collection[int] | None
) -> Iterator[Placement]:
    """Find a batch's placements: all, those at the sources named, those of the baits named."""
    query = (
        select(Placement).join(Bait, Bait.id == Placement.bait_id).where(Bait.batch_id == batch_id)
    )
    if sources:
        query = query.join(Source, Source.id == Placement.source_id).where(Source.code.in_(sources))
    if bait_ids is None:
        yield from session.scalars(query)
        return
    wanted = sorted(set(bait_ids))
    for start in range(0, len(wanted), CHUNK):
        yield from session.scalars(
            query.where(Placement.bait_id.in_(wanted[start : start + CHUNK]))
        )


def find_baits(session: Session, vault: Vault, rows: Sequence[TableRow]) -> list[int]:
    """Find the baits named by number in a confirmation file. Raises Invalid with every flaw."""
    keys = [vault.digest(number_key(canonical_number(row.cells["number"]))) for row in rows]
    known: dict[bytes, int] = {}
    for start in range(0, len(keys), CHUNK):
        query = select(Identifier.value_key, Identifier.bait_id).where(
            Identifier.value_key.in_(keys[start : start + CHUNK]), Identifier.kind == "number"
        )
        known |= {row.value_key: row.bait_id for row in session.execute(query)}
    flaws = [
        Flaw(
            problem="this number is no bait of ours",
            row=row.number,
            field="number",
            mend="give the numbers of the planting sheet",
        )
        for row, key in zip(rows, keys, strict=True)
        if key not in known
    ]
    if flaws:
        raise Invalid(flaws=flaws)
    return [known[key] for key in keys]
