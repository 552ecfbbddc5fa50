"""The register of number ranges: never to be used, reserved for us, voided by the carrier."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Flaw, Invalid
from canary.domain.identifiers import canonical_number, mask_number
from canary.services.audit import record
from canary.services.refs import make_ref
from canary.services.stock.imports import TableRow
from canary.services.stock.sources import ImportResult
from canary.storage.tables import NumberRange as RangeRow
from canary.storage.vault import Vault
from seeds.errors import SeedError
from seeds.ranges import NumberRange, count_valid

REQUIRED = ("carrier", "from")
OPTIONAL = ("to", "until", "use", "note")
LONGEST_NOTE = 200


class RangeUse(StrEnum):
    """What a range is for."""

    NEVER = "never"
    RESERVED = "reserved"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRange:
    """A range as it was opened from its row."""

    id: int
    use: RangeUse
    span: NumberRange
    left: int


def import_ranges(
    session: Session,
    vault: Vault,
    rows: Sequence[TableRow],
    *,
    use: RangeUse | None,
    actor: str,
    now: datetime,
) -> ImportResult:
    """Add ranges from a table; all or nothing. Raises Invalid with every flaw.

    `use` holds for rows that name none of their own.
    """
    known = set(session.scalars(select(RangeRow.range_key)))
    flaws: list[Flaw] = []
    fresh: dict[bytes, RangeRow] = {}
    for row in rows:
        try:
            made = _make_row(vault, row, use, now)
        except Invalid as error:
            flaws.extend(error.flaws)
        else:
            if made.range_key not in known:
                fresh.setdefault(made.range_key, made)
    if flaws:
        raise Invalid(flaws=flaws)
    session.add_all(fresh.values())
    uses = Counter(made.use for made in fresh.values())
    record(session, actor, "ranges.imported", "carriers", now, created=len(fresh), uses=dict(uses))
    return ImportResult(created=len(fresh), updated=0, unchanged=len(rows) - len(fresh))


def _make_row(vault: Vault, row: TableRow, use: RangeUse | None, now: datetime) -> RangeRow:
    use = _read_use(row, use)
    span = _read_span(row)
    size = count_valid(span)
    if use is not RangeUse.NEVER and size == 0:
        raise Invalid(
            f"no number here is a valid one of {span.carrier}",
            row=row.number,
            field="from",
            mend="check the carrier and the digits, the check digit among them",
        )
    note = row.cells.get("note", "")
    if len(note) > LONGEST_NOTE:
        raise Invalid(
            f"this is longer than {LONGEST_NOTE} characters",
            row=row.number,
            field="note",
            mend="shorten it",
        )
    ref = make_ref("N")
    return RangeRow(
        ref=ref,
        carrier=span.carrier,
        use=use,
        range_key=vault.digest(f"range:{use}|{span.carrier}|{span.first}|{span.last}"),
        sealed_range=vault.seal(place_of(ref), f"{span.first} {span.last}".encode()),
        size=size,
        used=0,
        until=_as_time(span.until),
        note=note or None,
        created_at=now,
    )


def _read_use(row: TableRow, use: RangeUse | None) -> RangeUse:
    text = row.cells.get("use", "").strip().lower()
    if text in set(RangeUse):
        return RangeUse(text)
    if text or use is None:
        raise Invalid(
            f"{text[:40]!r} is no use of a range" if text else "the use is empty",
            row=row.number,
            field="use",
            mend=f"write {', '.join(RangeUse)}, or give --use",
        )
    return use


def _read_span(row: TableRow) -> NumberRange:
    first = canonical_number(row.cells["from"])
    try:
        return NumberRange(
            carrier=row.cells["carrier"].strip().upper(),
            first=first,
            last=canonical_number(row.cells.get("to", "")) or first,
            until=_read_day(row),
        )
    except SeedError as error:
        raise Invalid(
            error.problem, row=row.number, field=error.field or "from", mend=error.mend
        ) from error


def _read_day(row: TableRow) -> date | None:
    text = row.cells.get("until", "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Invalid(
            f"{text[:40]!r} is not a date",
            row=row.number,
            field="until",
            mend="write it as 2027-01-31",
        ) from error


def _as_time(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.max, tzinfo=UTC)


def place_of(ref: str) -> str:
    """Name the sealed place of a range."""
    return f"number_ranges.sealed_range|{ref}"


def load_ranges(session: Session, vault: Vault, now: datetime) -> list[KnownRange]:
    """Open every range that has not lapsed."""
    return [
        _open(vault, row)
        for row in session.scalars(select(RangeRow).order_by(RangeRow.id))
        if row.until is None or row.until >= now
    ]


def _open(vault: Vault, row: RangeRow) -> KnownRange:
    first, _, last = vault.unseal(place_of(row.ref), row.sealed_range).decode().partition(" ")
    return KnownRange(
        id=row.id,
        use=RangeUse(row.use),
        span=NumberRange(
            carrier=row.carrier,
            first=first,
            last=last,
            until=row.until.date() if row.until else None,
        ),
        left=max(0, row.size - row.used),
    )


def list_ranges(session: Session, vault: Vault) -> list[dict[str, object]]:
    """List the register; numbers that may become baits are masked."""
    rows = list(session.scalars(select(RangeRow).order_by(RangeRow.id)))
    return [_show(row, _open(vault, row).span) for row in rows]


def _show(row: RangeRow, span: NumberRange) -> dict[str, object]:
    hide = row.use != RangeUse.NEVER
    return {
        "ref": row.ref,
        "carrier": row.carrier,
        "use": row.use,
        "from": mask_number(span.first) if hide else span.first,
        "to": mask_number(span.last) if hide else span.last,
        "size": row.size,
        "used": row.used,
        "until": f"{row.until:%Y-%m-%d}" if row.until else "",
        "note": row.note or "",
    }


class RangeBook:
    """Tells which range a number was taken from."""

    def __init__(self, ranges: Iterable[KnownRange]) -> None:
        self._spans = sorted(
            (known.span.carrier, len(known.span.first), known.span.first, known.span.last, known.id)
            for known in ranges
        )

    def find(self, carrier: str, number: str) -> int | None:
        """Return the id of a range that holds the number."""
        place = bisect_right(self._spans, (carrier, len(number), number, "\U0010ffff", 0)) - 1
        if place < 0:
            return None
        code, length, first, last, range_id = self._spans[place]
        held = code == carrier and length == len(number) and first <= number <= last
        return range_id if held else None


def note_used(session: Session, counts: Counter[int]) -> None:
    """Count numbers taken from ranges."""
    for range_id, count in sorted(counts.items()):
        session.execute(
            update(RangeRow)
            .where(RangeRow.id == range_id)
            .values(used=RangeRow.used + count)
            .execution_options(synchronize_session=False)
        )
