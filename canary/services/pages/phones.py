"""The pool of phones as a page shows it: who bears which, what arrives anyway."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import Session

from canary.domain.identifiers import mask_phone
from canary.services.stock.phones import find_ready, reveal_number
from canary.services.viewing import PAGE_SIZE, Paged, clamp_page, count_rows
from canary.storage.tables import Bait, Phone, Sighting
from canary.storage.vault import SealBroken, Vault

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLine:
    """One phone. `spam_per_day` counts what came while no bait bore it; None before a day."""

    ref: str
    number: str
    label: str
    gateway: str
    is_control: bool
    is_ready: bool
    ready_at: datetime
    baits: int
    given_at: datetime | None
    arrivals: int
    last_arrival_at: datetime | None
    spam_per_day: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A page of the pool, and how much of it is free."""

    lines: Paged[PhoneLine]
    free: int
    controls: int


def list_pool(
    session: Session,
    vault: Vault,
    now: datetime,
    *,
    use: str = "",
    number: int = 1,
    size: int = PAGE_SIZE,
) -> Pool:
    """Return one page of the phones; `use` narrows to `free`, `given` or `control`."""
    number = clamp_page(number)
    query = _narrow(select(Phone), use)
    given, last = _find_given(), _find_last()
    rows = session.execute(
        query.add_columns(_count_baits(), given, _count_arrivals(), last)
        .order_by(Phone.id)
        .limit(size)
        .offset((number - 1) * size)
    ).all()
    early = _count_early(session, {phone.id: given_at for phone, _, given_at, _, _ in rows})
    lines = tuple(
        _to_line(vault, phone, baits, given_at, arrivals, last_at, early.get(phone.id, 0), now)
        for phone, baits, given_at, arrivals, last_at in rows
    )
    free = select(func.count()).select_from(_narrow(select(Phone.id), "free").subquery())
    controls = select(func.count(Phone.id)).where(Phone.is_control)
    return Pool(
        lines=Paged(items=lines, number=number, size=size, total=count_rows(session, query)),
        free=session.scalar(free) or 0,
        controls=session.scalar(controls) or 0,
    )


def _narrow(query: Select[Phone], use: str) -> Select[Phone]:
    given = select(Bait.id).where(Bait.phone_id == Phone.id).exists()
    if use == "free":
        return query.where(~given, ~Phone.is_control)
    if use == "given":
        return query.where(given)
    return query.where(Phone.is_control) if use == "control" else query


def _count_baits() -> ScalarSelect[int]:
    return select(func.count()).where(Bait.phone_id == Phone.id).scalar_subquery()


def _find_given() -> ScalarSelect[datetime]:
    """Select when the first bait that bears a phone was issued; ids grow with time."""
    query = select(Bait.issued_at).where(Bait.phone_id == Phone.id).order_by(Bait.id).limit(1)
    return query.scalar_subquery()


def _count_arrivals() -> ScalarSelect[int]:
    return select(func.count()).where(Sighting.phone_id == Phone.id).scalar_subquery()


def _find_last() -> ScalarSelect[datetime]:
    query = select(Sighting.seen_at).where(Sighting.phone_id == Phone.id)
    return query.order_by(Sighting.id.desc()).limit(1).scalar_subquery()


def _count_early(session: Session, given: dict[int, datetime | None]) -> dict[int, int]:
    """Count what arrived before a bait bore the phone."""
    first = select(Bait.issued_at).where(Bait.phone_id == Sighting.phone_id)
    first_issued = first.order_by(Bait.id).limit(1).scalar_subquery()
    rows = session.execute(
        select(Sighting.phone_id, func.count())
        .where(Sighting.phone_id.in_(given))
        .where(func.coalesce(Sighting.seen_at <= first_issued, True))
        .group_by(Sighting.phone_id)
    )
    return {phone_id: count for phone_id, count in rows if phone_id is not None}


def _to_line(
    vault: Vault,
    phone: Phone,
    baits: int,
    given_at: datetime | None,
    arrivals: int,
    last_at: datetime | None,
    early: int,
    now: datetime,
) -> PhoneLine:
    watched = (given_at or now) - phone.created_at
    ready_at = find_ready(phone)
    return PhoneLine(
        ref=phone.ref,
        number=_mask(vault, phone),
        label=phone.label or "",
        gateway=phone.gateway or "",
        is_control=phone.is_control,
        is_ready=ready_at <= now,
        ready_at=ready_at,
        baits=baits,
        given_at=given_at,
        arrivals=arrivals,
        last_arrival_at=last_at,
        spam_per_day=round(early / (watched / DAY), 3) if watched >= DAY else None,
    )


def _mask(vault: Vault, phone: Phone) -> str:
    try:
        return mask_phone(reveal_number(vault, phone))
    except SealBroken:
        return "?"
