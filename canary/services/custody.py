"""Custody events: who could read a bait along the handling path, from when, and how much."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.errors import Flaw, Invalid
from canary.domain.identifiers import canonical_number
from canary.matching.keys import number_key
from canary.services.audit import record
from canary.services.imports import TableRow
from canary.services.sources import ImportResult
from canary.storage.tables import Bait, Exposure, Identifier, Incident, Match, Sighting, Source
from canary.storage.vault import Vault

REQUIRED = ("number", "source", "at")
OPTIONAL = ("fields",)
LEVELS = {"none": 0, "masked": 1, "full": 2}
NAMES = {
    "waybill": "number",
    "number": "number",
    "phone": "phone",
    "name": "name",
    "address": "address",
    "district": "address",
}
FULL = {"number": 2, "phone": 2, "name": 2, "address": 2}


def import_custody(
    session: Session, vault: Vault, rows: Sequence[TableRow], *, actor: str, now: datetime
) -> ImportResult:
    """Open an exposure for each event; all or nothing. Raises Invalid with every flaw.

    The first event of a planted bait makes it live, and the incidents that saw it are attributed
    anew.
    """
    sources = {row.code: row.id for row in session.execute(select(Source.code, Source.id))}
    flaws: list[Flaw] = []
    wanted: dict[tuple[int, int, datetime], dict[str, int]] = {}
    for row in rows:
        try:
            key, fields = _read_row(session, vault, row, sources, now)
        except Invalid as error:
            flaws.extend(error.flaws)
        else:
            wanted[key] = fields
    if flaws:
        raise Invalid(flaws=flaws)
    fresh = [key for key in wanted if not _is_known(session, key)]
    for key in fresh:
        bait_id, source_id, since = key
        session.add(
            Exposure(
                bait_id=bait_id, source_id=source_id, origin="custody", since=since, **wanted[key]
            )
        )
    _make_live(session, fresh)
    _mark_stale(session, {bait_id for bait_id, _, _ in fresh})
    record(session, actor, "custody.imported", "custody", now, created=len(fresh))
    return ImportResult(created=len(fresh), updated=0, unchanged=len(rows) - len(fresh))


def _read_row(
    session: Session, vault: Vault, row: TableRow, sources: dict[str, int], now: datetime
) -> tuple[tuple[int, int, datetime], dict[str, int]]:
    def refuse(field: str, problem: str, mend: str) -> Invalid:
        return Invalid(problem, row=row.number, field=field, mend=mend)

    key = vault.digest(number_key(canonical_number(row.cells["number"])))
    bait_id = session.scalar(
        select(Identifier.bait_id).where(Identifier.value_key == key, Identifier.kind == "number")
    )
    if bait_id is None:
        raise refuse("number", "this number is no bait of ours", "leave the row out")
    source_id = sources.get(row.cells["source"])
    if source_id is None:
        raise refuse(
            "source", f"there is no source {row.cells['source'][:64]!r}", "import it first"
        )
    at = parse_time(row.cells["at"], row=row.number)
    if at > now:
        raise refuse("at", "this lies in the future", "correct the time or its offset")
    return (bait_id, source_id, at), _read_fields(row)


def parse_time(text: str, *, row: int | None) -> datetime:
    """Read an ISO 8601 time with its offset. Raises Invalid."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Invalid(
            f"{text[:40]!r} is not a time with an offset",
            row=row,
            field="at",
            mend="write it as 2026-03-01T14:05:00+08:00",
        )
    return at


def _read_fields(row: TableRow) -> dict[str, int]:
    text = row.cells.get("fields", "")
    if not text:
        return dict(FULL)
    fields = dict.fromkeys(FULL, 0)
    for part in text.replace(",", ";").split(";"):
        name, _, level = (word.strip().lower() for word in part.partition(":"))
        if name not in NAMES or level not in LEVELS:
            raise Invalid(
                f"{part[:40]!r} is no field and level",
                row=row.number,
                field="fields",
                mend="write waybill:full;phone:masked",
            )
        fields[NAMES[name]] = LEVELS[level]
    return fields


def _is_known(session: Session, key: tuple[int, int, datetime]) -> bool:
    bait_id, source_id, since = key
    return (
        session.scalar(
            select(Exposure.id).where(
                Exposure.bait_id == bait_id,
                Exposure.source_id == source_id,
                Exposure.origin == "custody",
                Exposure.since == since,
            )
        )
        is not None
    )


def _make_live(session: Session, events: Sequence[tuple[int, int, datetime]]) -> None:
    for bait_id, _, at in sorted(events, key=lambda event: event[2]):
        session.execute(
            update(Bait)
            .where(Bait.id == bait_id, Bait.state == BaitState.PLANTED)
            .values(state=BaitState.LIVE, live_at=at)
        )


def _mark_stale(session: Session, bait_ids: set[int]) -> None:
    seen = (
        select(Sighting.incident_id)
        .join(Match, Match.sighting_id == Sighting.id)
        .where(Match.bait_id.in_(bait_ids), Sighting.incident_id.is_not(None))
    )
    session.execute(
        update(Incident)
        .where(Incident.id.in_(seen))
        .values(evidence_version=Incident.evidence_version + 1)
        .execution_options(synchronize_session=False)
    )
