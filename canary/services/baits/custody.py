"""Custody events: who could read a bait along the handling path, from when, and how much."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.errors import Flaw, Invalid
from canary.domain.identifiers import canonical_number
from canary.matching.keys import number_key
from canary.services.audit import record
from canary.services.baits.placing import confirm_placements
from canary.services.stale import mark_baits_stale
from canary.services.stock.imports import TableRow
from canary.services.stock.sources import ImportResult
from canary.storage.tables import (
    Bait,
    Exposure,
    Identifier,
    Placement,
    Source,
)
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
NOTHING = dict.fromkeys(FULL, 0)
CHUNK = 500

_Event = tuple[int, int, datetime]


def import_custody(
    session: Session, vault: Vault, rows: Sequence[TableRow], *, actor: str, now: datetime
) -> ImportResult:
    """Open an exposure for each event; all or nothing. Raises Invalid with every flaw.

    The first event of a planted bait makes it live, and the incidents that saw it are attributed
    anew.
    """
    sources = {row.code: row.id for row in session.execute(select(Source.code, Source.id))}
    flaws: list[Flaw] = []
    wanted: dict[_Event, dict[str, int]] = {}
    for row in rows:
        try:
            event, fields = _read_row(session, vault, row, sources, now)
        except Invalid as error:
            flaws.extend(error.flaws)
        else:
            wanted[event] = _widen(wanted.get(event, NOTHING), fields)
    if flaws:
        raise Invalid(flaws=flaws)
    _lock_baits(session, {bait_id for bait_id, _, _ in wanted})
    fresh, widened = _open_or_widen(session, wanted)
    _make_live(session, fresh)
    mark_baits_stale(session, {bait_id for bait_id, _, _ in [*fresh, *widened]})
    record(
        session,
        actor,
        "custody.imported",
        "custody",
        now,
        created=len(fresh),
        updated=len(widened),
    )
    unchanged = len(rows) - len(fresh) - len(widened)
    return ImportResult(created=len(fresh), updated=len(widened), unchanged=unchanged)


def _lock_baits(session: Session, bait_ids: set[int]) -> None:
    """Let two imports of the same events wait for each other; in one order, so that they can."""
    wanted = sorted(bait_ids)
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        session.execute(
            select(Bait.id).where(Bait.id.in_(part)).order_by(Bait.id).with_for_update()
        )


def _open_or_widen(
    session: Session, wanted: Mapping[_Event, Mapping[str, int]]
) -> tuple[list[_Event], list[_Event]]:
    """Open what is new; let what is known show the most that was ever said."""
    fresh: list[_Event] = []
    widened: list[_Event] = []
    for event, fields in wanted.items():
        bait_id, source_id, since = event
        known = _find_known(session, event)
        if known is None:
            fresh.append(event)
            session.add(
                Exposure(
                    bait_id=bait_id, source_id=source_id, origin="custody", since=since, **fields
                )
            )
            continue
        held = {name: getattr(known, name) for name in NOTHING}
        if _widen(held, fields) != held:
            widened.append(event)
            for name, level in _widen(held, fields).items():
                setattr(known, name, level)
    return fresh, widened


def _widen(held: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: max(level, more[name]) for name, level in held.items()}


def _read_row(
    session: Session, vault: Vault, row: TableRow, sources: dict[str, int], now: datetime
) -> tuple[_Event, dict[str, int]]:
    def refuse(field: str, problem: str, mend: str) -> Invalid:
        return Invalid(problem, row=row.number, field=field, mend=mend)

    bait = _find_bait(session, vault, row.cells["number"])
    if bait is None:
        raise refuse("number", "this number is no bait of ours", "leave the row out")
    if bait.is_control:
        raise refuse("number", "this is a control bait, which nobody held", "leave the row out")
    source_id = sources.get(row.cells["source"])
    if source_id is None:
        raise refuse(
            "source", f"there is no source {row.cells['source'][:64]!r}", "import it first"
        )
    at = parse_time(row.cells["at"], row=row.number)
    if at > now:
        raise refuse("at", "this lies in the future", "correct the time or its offset")
    if at < bait.issued_at:
        raise refuse("at", "this lies before the bait was made", "correct the time or its offset")
    return (bait.id, source_id, at), _read_fields(row)


def _find_bait(session: Session, vault: Vault, number: str) -> Bait | None:
    key = vault.digest(number_key(canonical_number(number)))
    return session.scalar(
        select(Bait)
        .join(Identifier, Identifier.bait_id == Bait.id)
        .where(Identifier.value_key == key, Identifier.kind == "number")
    )


def parse_time(text: str, *, row: int | None) -> datetime:
    """Read an ISO 8601 time with its offset. Raises Invalid."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid(
        f"{text[:40]!r} is not a time with an offset",
        row=row,
        field="at",
        mend="write it as 2026-03-01T14:05:00+08:00",
    )


def _read_fields(row: TableRow) -> dict[str, int]:
    text = row.cells.get("fields", "")
    return read_levels(text, row=row.number) if text else dict(FULL)


def read_levels(text: str, *, row: int | None) -> dict[str, int]:
    """Read `waybill:full;phone:masked`; what is not named is not seen. Raises Invalid."""
    fields = dict.fromkeys(FULL, 0)
    for part in text.replace(",", ";").split(";"):
        name, _, level = (word.strip().lower() for word in part.partition(":"))
        if name not in NAMES or level not in LEVELS:
            raise Invalid(
                f"{part[:40]!r} is no field and level",
                row=row,
                field="fields",
                mend="write waybill:full;phone:masked",
            )
        fields[NAMES[name]] = LEVELS[level]
    return fields


def tell_levels(fields: Mapping[str, int]) -> str:
    """Return levels as `read_levels` reads them."""
    words = {level: word for word, level in LEVELS.items()}
    return ";".join(f"{name}:{words[level]}" for name, level in fields.items())


def _find_known(session: Session, event: _Event) -> Exposure | None:
    bait_id, source_id, since = event
    return session.scalar(
        select(Exposure).where(
            Exposure.bait_id == bait_id,
            Exposure.source_id == source_id,
            Exposure.origin == "custody",
            Exposure.since == since,
        )
    )


def _make_live(session: Session, events: Sequence[_Event]) -> None:
    """Make baits live; an event also shows that a bait not confirmed yet is in place."""
    for bait_id, _, at in sorted(events, key=lambda event: event[2]):
        placement = session.scalar(select(Placement).where(Placement.bait_id == bait_id))
        if placement is not None and placement.confirmed_at is None:
            confirm_placements(session, [placement], "custody event", at)
        session.execute(
            update(Bait)
            .where(Bait.id == bait_id, Bait.state == BaitState.PLANTED)
            .values(state=BaitState.LIVE, live_at=at)
        )
