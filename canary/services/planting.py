"""Hand baits over to their sources, and take their word that they are in.

The exposure opens when a sheet leaves our hands, not when the source confirms: whoever holds the
sheet could read it from then on, and an exposure dated too late would clear a leaker.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.errors import Flaw, Invalid, NotFound
from canary.domain.identifiers import canonical_number
from canary.matching.keys import number_key
from canary.services.audit import record
from canary.services.imports import TableRow
from canary.services.register import open_values
from canary.storage.session import Database
from canary.storage.tables import Bait, Batch, Exposure, Identifier, Placement, Source
from canary.storage.vault import Vault
from seeds.errors import SeedError
from seeds.sheets import render_sheet
from seeds.waybills import Waybill

CHUNK = 500
LONGEST_NAME = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A planting sheet as written."""

    source: str
    file: str
    baits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a confirmation did."""

    confirmed: int
    already: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gardener:
    """What planting needs: rows, keys, a clock, and who acts."""

    database: Database
    vault: Vault
    clock: Callable[[], datetime]
    actor: str


def export_sheets(
    gardener: Gardener, batch_name: str, folder: Path, *, template: str, sheet_format: str
) -> list[Sheet]:
    """Write one planting sheet for each source into `folder` and open the exposures.

    Files appear under their names only after the exposures are committed. Raises Invalid,
    NotFound.
    """
    with gardener.database.read() as session:
        batch = get_batch(session, batch_name)
        held = _load_placed(session, batch.id)
    drafts = {
        code: _render(gardener.vault, baits, template, sheet_format, code)
        for code, baits in held.items()
    }
    written = _write_drafts(folder, drafts, sheet_format)
    now = gardener.clock()
    with gardener.database.write() as session:
        get_batch(session, batch_name, lock=True)
        opened = _hand_over(session, batch.id, now)
        record(
            session,
            gardener.actor,
            "batch.exported",
            f"batch/{batch_name}",
            now,
            template=template,
            opened=opened,
        )
    for draft, final in written.values():
        draft.replace(final)
    return [
        Sheet(source=code, file=str(written[code][1]), baits=len(baits))
        for code, baits in held.items()
    ]


def get_batch(session: Session, name: str, *, lock: bool = False) -> Batch:
    """Return a finished batch, locked if it is to be changed. Raises NotFound, Invalid."""
    query = select(Batch).where(Batch.name == name)
    batch = session.scalar(query.with_for_update() if lock else query)
    if batch is None:
        msg = f"there is no batch {name!r}"
        raise NotFound(msg)
    if batch.state != "issued":
        raise Invalid(
            f"batch {name} is not finished", mend=f"run `canary seed --batch {name}` again"
        )
    return batch


def _load_placed(session: Session, batch_id: int) -> dict[str, list[Bait]]:
    rows = session.execute(
        select(Source.code, Bait)
        .join(Placement, Placement.source_id == Source.id)
        .join(Bait, Bait.id == Placement.bait_id)
        .where(Bait.batch_id == batch_id)
        .order_by(Source.code, Bait.id)
    )
    held: dict[str, list[Bait]] = {}
    for code, bait in rows:
        held.setdefault(code, []).append(bait)
    return held


def _render(
    vault: Vault, baits: Sequence[Bait], template: str, sheet_format: str, code: str
) -> bytes:
    try:
        return render_sheet([_waybill_of(vault, bait) for bait in baits], template, sheet_format)
    except SeedError as error:
        raise Invalid(
            f"sheet of {code}: {error.problem}", mend=error.mend, row=error.row, field=error.field
        ) from error


def _waybill_of(vault: Vault, bait: Bait) -> Waybill:
    values = open_values(vault, bait)
    return Waybill(
        number=values.number or "",
        carrier=bait.carrier,
        name=values.name or "",
        phone=values.phone,
        province=values.province,
        city=values.city,
        district=values.district,
        detail=values.detail,
        goods=bait.goods,
        weight_g=bait.weight_g,
        origin=bait.origin,
        destination=bait.destination,
        sender_name=bait.sender_name,
    )


def _write_drafts(
    folder: Path, drafts: Mapping[str, bytes], ending: str
) -> dict[str, tuple[Path, Path]]:
    written: dict[str, tuple[Path, Path]] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for code, content in drafts.items():
            final = folder / f"{_file_name(code)}.{ending}"
            draft = final.with_name(f".{final.name}.draft")
            draft.touch(mode=0o600)
            written[code] = (draft, final)
            draft.write_bytes(content)
    except OSError as error:
        for draft, _ in written.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        raise Invalid(
            f"{folder} cannot be written: {os.strerror(error.errno or 0)}",
            mend="choose a folder you may write to",
        ) from error
    return written


def _file_name(code: str) -> str:
    """Make a file name of a code; codes that would look alike get a mark of their own."""
    safe = re.sub(r"[^\w.-]", "_", code).lstrip(".")
    if safe == code and len(safe.encode()) <= LONGEST_NAME:
        return safe
    mark = hashlib.sha256(code.encode()).hexdigest()[:8]
    return f"{safe.encode()[:LONGEST_NAME].decode('utf-8', 'ignore')}-{mark}"


def _hand_over(session: Session, batch_id: int, now: datetime) -> int:
    """Date the hand-over of what is handed over for the first time, and open its exposures."""
    fresh = session.execute(
        select(Placement.bait_id, Placement.source_id)
        .join(Bait, Bait.id == Placement.bait_id)
        .where(Bait.batch_id == batch_id, Placement.handed_over_at.is_(None))
    ).all()
    _open_exposures(session, [(row.bait_id, row.source_id) for row in fresh], now)
    for start in range(0, len(fresh), CHUNK):
        ids = [row.bait_id for row in fresh[start : start + CHUNK]]
        session.execute(
            update(Placement).where(Placement.bait_id.in_(ids)).values(handed_over_at=now)
        )
    return len(fresh)


def _open_exposures(session: Session, placed: Sequence[tuple[int, int]], since: datetime) -> None:
    if placed:
        session.execute(
            insert(Exposure),
            [
                {
                    "bait_id": bait_id,
                    "source_id": source_id,
                    "origin": "placement",
                    "since": since,
                }
                for bait_id, source_id in placed
            ],
        )


def confirm_planting(
    session: Session,
    *,
    batch_name: str,
    sources: Sequence[str] = (),
    bait_ids: Sequence[int] | None = None,
    confirmed_by: str,
    at: datetime,
    actor: str,
    now: datetime,
) -> Confirmation:
    """Note that baits are in place. Raises Invalid for a time in the future, NotFound."""
    if at > now:
        raise Invalid("the confirmation lies in the future", field="at", mend="correct the time")
    batch = get_batch(session, batch_name, lock=True)
    query = (
        select(Placement).join(Bait, Bait.id == Placement.bait_id).where(Bait.batch_id == batch.id)
    )
    if sources:
        known = {code for (code,) in session.execute(select(Source.code))}
        missing = sorted(set(sources) - known)
        if missing:
            msg = f"there is no source {', '.join(missing)}"
            raise NotFound(msg)
        query = query.join(Source, Source.id == Placement.source_id).where(Source.code.in_(sources))
    wanted = None if bait_ids is None else set(bait_ids)
    placements = [
        placement
        for placement in session.scalars(query)
        if wanted is None or placement.bait_id in wanted
    ]
    strangers = (wanted or set()) - {placement.bait_id for placement in placements}
    if strangers:
        raise Invalid(
            f"{len(strangers)} of these numbers were not placed by batch {batch_name} there",
            field="number",
            mend="confirm each batch and source with its own numbers",
        )
    fresh = [placement for placement in placements if placement.confirmed_at is None]
    _confirm(session, fresh, confirmed_by, at)
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


def _confirm(session: Session, fresh: Sequence[Placement], by: str, at: datetime) -> None:
    unseen = [
        (placement.bait_id, placement.source_id)
        for placement in fresh
        if placement.handed_over_at is None
    ]
    _open_exposures(session, unseen, at)
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


def find_baits(session: Session, vault: Vault, rows: Sequence[TableRow]) -> list[int]:
    """Find the baits named by number in a confirmation file. Raises Invalid with every flaw."""
    found: list[int] = []
    flaws: list[Flaw] = []
    for row in rows:
        key = vault.digest(number_key(canonical_number(row.cells["number"])))
        bait_id = session.scalar(
            select(Identifier.bait_id).where(
                Identifier.value_key == key, Identifier.kind == "number"
            )
        )
        if bait_id is None:
            flaws.append(
                Flaw(
                    problem="this number is no bait of ours",
                    row=row.number,
                    field="number",
                    mend="give the numbers of the planting sheet",
                )
            )
        else:
            found.append(bait_id)
    if flaws:
        raise Invalid(flaws=flaws)
    return found


def count_gaps(session: Session) -> dict[str, int]:
    """Count baits that were issued for a source and never confirmed, by source."""
    rows = session.execute(
        select(Source.code, Placement.id)
        .join(Placement, Placement.source_id == Source.id)
        .where(Placement.confirmed_at.is_(None))
    )
    gaps: dict[str, int] = {}
    for code, _ in rows:
        gaps[code] = gaps.get(code, 0) + 1
    return gaps
