"""Hand baits over to their sources.

The exposure opens when a sheet leaves our hands, not when the source confirms: whoever holds the
sheet could read it from then on, and an exposure dated too late would clear a leaker.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.errors import Invalid, NotFound
from canary.services.audit import record
from canary.services.baits.adopting import CHINA
from canary.services.baits.placing import LOCAL, hand_over
from canary.services.baits.register import open_values
from canary.services.stock.phones import read_canonical
from canary.storage.session import Database
from canary.storage.tables import Bait, Batch, Placement, Source
from canary.storage.vault import Vault
from seeds.errors import SeedError
from seeds.labels import render_labels
from seeds.people import NameScript, write_name
from seeds.sheets import render_sheet
from seeds.waybills import Waybill

LONGEST_NAME = 180
# No name made of a code holds a plus.
LOCAL_MARK = "+local"
GONE = (BaitState.BURNED, BaitState.RETIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A planting sheet as written; `labels` is its file of labels, if there is one.

    Baits that are to stay local are in a sheet of their own: one that a source loads into its
    system must not hold them.
    """

    source: str
    is_local: bool = False
    file: str
    baits: int
    labels: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWish:
    """That labels are printed as well; masked as the law asks of what handlers see."""

    masked: bool = True
    font: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gardener:
    """What planting needs: rows, keys, a clock, and who acts."""

    database: Database
    vault: Vault
    clock: Callable[[], datetime]
    actor: str


@dataclass(slots=True, kw_only=True)
class _Written:
    """The drafts of one source, to be named at the end, and the baits in them."""

    bait_ids: list[int] = field(default_factory=list)
    files: dict[Path, Path] = field(default_factory=dict)


def export_sheets(
    gardener: Gardener,
    batch_name: str,
    folder: Path,
    *,
    template: str,
    sheet_format: str,
    script: NameScript = NameScript.SIMPLIFIED,
    labels: LabelWish | None = None,
    until: datetime | None = None,
) -> list[Sheet]:
    """Write one planting sheet for each source into `folder` and open the exposures.

    `until` leaves out baits whose orders are dated later. Files appear under their names only
    after the exposures are committed. Raises Invalid, NotFound.
    """
    with gardener.database.read() as session:
        batch = get_batch(session, batch_name)
        sources = _list_sources(session, batch.id)
    written: dict[tuple[str, bool], _Written] = {}
    try:
        for code, source_id in sources.items():
            with gardener.database.read() as session:
                placed = _load_placed(session, batch.id, source_id, until)
            for is_local, baits in placed.items():
                one = written[code, is_local] = _Written(bait_ids=[bait.id for bait in baits])
                name = _file_name(code) + LOCAL_MARK * is_local
                waybills = _list_waybills(gardener.vault, baits, script)
                contents = _render(waybills, template, sheet_format, name, labels)
                _write_drafts(folder, contents, one)
        _open(gardener, batch_name, template, written)
    except BaseException:
        _discard(list(written.values()))
        raise
    for one in written.values():
        for draft, final in one.files.items():
            draft.replace(final)
    return [_show(code, one, is_local) for (code, is_local), one in written.items()]


def _show(code: str, written: _Written, is_local: bool) -> Sheet:
    sheet, *rest = written.files.values()
    return Sheet(
        source=code,
        is_local=is_local,
        file=str(sheet),
        baits=len(written.bait_ids),
        labels=str(rest[0]) if rest else "",
    )


def _open(
    gardener: Gardener, batch_name: str, template: str, written: Mapping[tuple[str, bool], _Written]
) -> None:
    now = gardener.clock()
    with gardener.database.write() as session:
        get_batch(session, batch_name, lock=True)
        opened = sum(hand_over(session, one.bait_ids, now) for one in written.values())
        record(
            session,
            gardener.actor,
            "batch.exported",
            f"batch/{batch_name}",
            now,
            template=template,
            opened=opened,
        )


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


def _list_sources(session: Session, batch_id: int) -> dict[str, int]:
    rows = session.execute(
        select(Source.code, Source.id)
        .join(Placement, Placement.source_id == Source.id)
        .join(Bait, Bait.id == Placement.bait_id)
        .where(Bait.batch_id == batch_id)
        .distinct()
        .order_by(Source.code)
    )
    return {row.code: row.id for row in rows}


def _load_placed(
    session: Session, batch_id: int, source_id: int, until: datetime | None
) -> dict[bool, list[Bait]]:
    """Load a source's baits: those for its system, and those that are to stay out of it."""
    query = (
        select(Bait, Placement.route)
        .join(Placement, Placement.bait_id == Bait.id)
        .where(Bait.batch_id == batch_id, Placement.source_id == source_id)
        .where(Bait.state.not_in(GONE))
        .order_by(Bait.id)
    )
    if until is not None:
        query = query.where(Bait.ordered_at <= until)
    placed: dict[bool, list[Bait]] = {}
    for bait, route in session.execute(query):
        placed.setdefault(route == LOCAL, []).append(bait)
    return placed


def _list_waybills(vault: Vault, baits: Sequence[Bait], script: NameScript) -> list[Waybill]:
    waybills = [waybill_of(vault, bait) for bait in baits]
    return [replace(waybill, name=write_name(waybill.name, script)) for waybill in waybills]


def _render(
    waybills: Sequence[Waybill],
    template: str,
    sheet_format: str,
    name: str,
    labels: LabelWish | None,
) -> dict[str, bytes]:
    """Render a source's files by their names."""
    try:
        contents = {f"{name}.{sheet_format}": render_sheet(waybills, template, sheet_format)}
        if labels is not None:
            contents[f"{name}.pdf"] = render_labels(
                waybills, masked=labels.masked, font=labels.font
            )
    except SeedError as error:
        raise Invalid(
            f"sheet {name}: {error.problem}", mend=error.mend, row=error.row, field=error.field
        ) from error
    return contents


def waybill_of(vault: Vault, bait: Bait) -> Waybill:
    """Return a bait as the waybill it was made as."""
    values = open_values(vault, bait)
    ordered = bait.ordered_at.astimezone(CHINA) if bait.ordered_at else None
    return Waybill(
        number=values.number or "",
        carrier=bait.carrier,
        name=values.name or "",
        phone=str(read_canonical(values.phone)) if values.phone else None,
        province=values.province,
        city=values.city,
        district=values.district,
        detail=values.detail,
        goods=bait.goods,
        weight_g=bait.weight_g,
        origin=bait.origin,
        destination=bait.destination,
        sender_name=bait.sender_name,
        minute=60 * ordered.hour + ordered.minute if ordered else 0,
        ordered_at=ordered,
    )


def _write_drafts(folder: Path, contents: Mapping[str, bytes], written: _Written) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            final = folder / name
            draft = final.with_name(f".{final.name}.draft")
            draft.touch(mode=0o600)
            written.files[draft] = final
            draft.write_bytes(content)
    except OSError as error:
        raise Invalid(
            f"{folder} cannot be written: {os.strerror(error.errno or 0)}",
            mend="choose a folder you may write to",
        ) from error


def _discard(written: Sequence[_Written]) -> None:
    for one in written:
        for draft in one.files:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _file_name(code: str) -> str:
    """Make a file name of a code; codes that would look alike get a mark of their own."""
    safe = re.sub(r"[^\w.-]", "_", code).lstrip(".")
    if safe == code and len(safe.encode()) <= LONGEST_NAME:
        return safe
    mark = hashlib.sha256(code.encode()).hexdigest()[:8]
    return f"{safe.encode()[:LONGEST_NAME].decode('utf-8', 'ignore')}-{mark}"
