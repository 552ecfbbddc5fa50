"""The pool of phones the operator owns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.errors import Flaw, Invalid
from canary.domain.identifiers import canonical_phone, mask_phone
from canary.matching.keys import phone_key
from canary.services.audit import record
from canary.services.refs import make_ref
from canary.services.stock.imports import TableRow
from canary.services.stock.sources import ImportResult
from canary.storage.tables import Bait, Phone, Sighting
from canary.storage.vault import Vault
from seeds.errors import SeedError
from seeds.phones import Phone as OwnedPhone
from seeds.phones import find_clashes, parse_phone

REQUIRED = ("number",)
OPTIONAL = ("label", "gateway", "owned_since", "previous_use", "burn_in_days")
LONGEST = 120
LONGEST_BURN_IN = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledPhone:
    """A phone as lists show it.

    `spam_per_day` is what arrived before any bait bore it, or ever at a control phone, by day;
    None until a day has passed.
    """

    ref: str
    number: str
    label: str
    gateway: str
    owned_since: datetime | None
    previous_use: str
    burn_in_days: int
    ready_at: datetime
    spam_per_day: float | None
    baits: int
    is_control: bool


def place_of(ref: str) -> str:
    """Name the sealed place of a phone's number."""
    return f"phones.sealed_number|{ref}"


def import_phones(
    session: Session, vault: Vault, rows: Sequence[TableRow], *, actor: str, now: datetime
) -> ImportResult:
    """Add owned phones from a table; all or nothing. Raises Invalid with every flaw."""
    known = set(session.scalars(select(Phone.number_key)))
    flaws: list[Flaw] = []
    fresh: dict[bytes, Phone] = {}
    unchanged = 0
    seen: dict[bytes, int] = {}
    notes: list[str] = []
    taken: dict[OwnedPhone, int] = {}
    for row in rows:
        try:
            owned = _parse(row)
            phone = _make_phone(vault, row, owned, now)
        except Invalid as error:
            flaws.extend(error.flaws)
            continue
        if phone.number_key in seen:
            first = seen[phone.number_key]
            flaws.append(
                Flaw(
                    problem=f"this number stands in row {first} already",
                    row=row.number,
                    field="number",
                    mend="remove one of the rows",
                )
            )
        seen[phone.number_key] = row.number
        taken[owned] = row.number
        if owned.notice:
            notes.append(f"row {row.number}: {owned.notice}")
        if phone.number_key in known:
            unchanged += 1
        else:
            fresh[phone.number_key] = phone
    if flaws:
        raise Invalid(flaws=flaws)
    session.add_all(fresh.values())
    record(session, actor, "phones.imported", "phones", now, created=len(fresh))
    notes += [_tell_clash([taken[phone] for phone in group]) for group in find_clashes(taken)]
    return ImportResult(created=len(fresh), updated=0, unchanged=unchanged, notes=tuple(notes))


def _tell_clash(rows: Sequence[int]) -> str:
    places = ", ".join(map(str, rows[:5])) + ", …" * (len(rows) > 5)
    return (
        f"rows {places} look alike under a mask (first three, last four): "
        "one of them is given out while others last"
    )


def _parse(row: TableRow) -> OwnedPhone:
    try:
        return parse_phone(row.cells["number"])
    except SeedError as error:
        raise Invalid(error.problem, row=row.number, field="number", mend=error.mend) from error


def _make_phone(vault: Vault, row: TableRow, owned: OwnedPhone, now: datetime) -> Phone:
    number = canonical_phone(str(owned))
    for name in ("label", "gateway"):
        if len(row.cells.get(name, "")) > LONGEST:
            raise Invalid(
                f"this is longer than {LONGEST} characters",
                row=row.number,
                field=name,
                mend="shorten it",
            )
    ref = make_ref("P")
    return Phone(
        ref=ref,
        number_key=vault.digest(phone_key(number)),
        sealed_number=vault.seal(place_of(ref), number.encode()),
        label=row.cells.get("label") or None,
        gateway=row.cells.get("gateway") or None,
        owned_since=_parse_day(row),
        previous_use=row.cells.get("previous_use") or None,
        burn_in_days=_parse_burn_in(row),
        created_at=now,
    )


def _parse_day(row: TableRow) -> datetime | None:
    text = row.cells.get("owned_since", "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        raise Invalid(
            f"{text[:40]!r} is not a date",
            row=row.number,
            field="owned_since",
            mend="write it as 2026-03-01",
        ) from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _parse_burn_in(row: TableRow) -> int:
    text = row.cells.get("burn_in_days", "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= LONGEST_BURN_IN):
        raise Invalid(
            f"{text[:40]!r} is no number of days",
            row=row.number,
            field="burn_in_days",
            mend=f"give 0 to {LONGEST_BURN_IN} days in which no bait bears the phone",
        )
    return int(text)


def list_phones(session: Session, vault: Vault, now: datetime) -> list[PooledPhone]:
    """List the pool, numbers masked."""
    spam = _measure_spam(session, now)
    counts = session.execute(
        select(Bait.phone_id, func.count().label("baits"))
        .where(Bait.phone_id.is_not(None))
        .group_by(Bait.phone_id)
    )
    used = {row.phone_id: row.baits for row in counts}
    return [
        PooledPhone(
            ref=phone.ref,
            number=mask_phone(reveal_number(vault, phone)),
            label=phone.label or "",
            gateway=phone.gateway or "",
            owned_since=phone.owned_since,
            previous_use=phone.previous_use or "",
            burn_in_days=phone.burn_in_days,
            ready_at=find_ready(phone),
            spam_per_day=spam[phone.id],
            baits=used.get(phone.id, 0),
            is_control=phone.is_control,
        )
        for phone in session.scalars(select(Phone).order_by(Phone.id))
    ]


def find_ready(phone: Phone) -> datetime:
    """Return from when a phone may be given out."""
    return (phone.owned_since or phone.created_at) + timedelta(days=phone.burn_in_days)


def _measure_spam(session: Session, now: datetime) -> dict[int, float | None]:
    """Count what arrived at each phone a day while no bait bore it."""
    rows = session.execute(select(Bait.phone_id, func.min(Bait.issued_at)).group_by(Bait.phone_id))
    given = {row[0]: row[1] for row in rows}
    arrived: dict[int, int] = {}
    for sighting in session.execute(
        select(Sighting.phone_id, Sighting.seen_at).where(Sighting.phone_id.is_not(None))
    ):
        if sighting.seen_at <= given.get(sighting.phone_id, now):
            arrived[sighting.phone_id] = arrived.get(sighting.phone_id, 0) + 1
    watched = session.execute(select(Phone.id, Phone.created_at))
    days = {
        row.id: (given.get(row.id, now) - row.created_at).total_seconds() / 86400 for row in watched
    }
    return {
        phone_id: round(arrived.get(phone_id, 0) / length, 3) if length >= 1 else None
        for phone_id, length in days.items()
    }


def reveal_number(vault: Vault, phone: Phone) -> str:
    """Open a phone's number."""
    return vault.unseal(place_of(phone.ref), phone.sealed_number).decode()


def read_canonical(number: str) -> OwnedPhone:
    """Read a number as it is kept: one that is no Chinese number stood behind a plus."""
    try:
        return parse_phone(number)
    except SeedError:
        return parse_phone(f"+{number}")


def list_control_numbers(session: Session, vault: Vault) -> list[str]:
    """Open the numbers of the phones that were never given out."""
    controls = session.scalars(select(Phone).where(Phone.is_control).order_by(Phone.id))
    return [reveal_number(vault, phone) for phone in controls]
