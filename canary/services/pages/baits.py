"""Baits as every screen may show them: masked, with where they are and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from canary.domain.errors import NotFound
from canary.services.viewing import (
    PAGE_SIZE,
    MaskedBait,
    Paged,
    SourceLabel,
    count_groups,
    mask_bait,
    page_of,
)
from canary.storage.tables import Bait, Batch, Exposure, Match, Phone, Placement, Sighting, Source
from canary.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class BaitFilter:
    """What the list is narrowed to; empty means no limit."""

    state: str = ""
    carrier: str = ""
    batch: str = ""
    source: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaitLine:
    """One bait in a list."""

    ref: str
    carrier: str
    state: str
    is_control: bool
    values: MaskedBait
    goods: str
    source: SourceLabel | None
    issued_at: datetime
    surfaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BaitExposure:
    """Who could see a bait, since when and how much of it (0 none, 1 masked, 2 full)."""

    source: SourceLabel | None
    reader: str | None
    origin: str
    since: datetime
    until: datetime | None
    fields: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaitSighting:
    """One place where a bait surfaced."""

    incident_id: int | None
    kind: str
    venue: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BaitPage:
    """Everything the page of one bait shows."""

    line: BaitLine
    batch: str
    route: str | None
    phone_label: str | None
    life: tuple[tuple[str, datetime], ...]
    confirmed_by: str | None
    exposures: tuple[BaitExposure, ...]
    sightings: tuple[BaitSighting, ...]


def list_baits(
    session: Session, vault: Vault, wanted: BaitFilter, number: int, size: int = PAGE_SIZE
) -> Paged[BaitLine]:
    """Return one page of the baits, newest first."""
    return _to_lines(session, vault, page_of(session, _select_baits(wanted), number, size))


def list_baits_of(session: Session, vault: Vault, source_id: int, number: int) -> Paged[BaitLine]:
    """Return one page of the baits placed at one source."""
    placed = select(Placement.bait_id).where(Placement.source_id == source_id)
    query = select(Bait).where(Bait.id.in_(placed)).order_by(Bait.id.desc())
    return _to_lines(session, vault, page_of(session, query, number, PAGE_SIZE))


def list_batches(session: Session) -> tuple[str, ...]:
    """Return the names of the latest batches."""
    return tuple(session.scalars(select(Batch.name).order_by(Batch.id.desc()).limit(100)))


def load_bait(session: Session, vault: Vault, ref: str) -> BaitPage:
    """Return the page of one bait. Raises NotFound."""
    row = session.scalar(select(Bait).where(Bait.ref == ref))
    if row is None:
        msg = f"there is no bait {ref}"
        raise NotFound(msg)
    placement = session.scalar(select(Placement).where(Placement.bait_id == row.id))
    phone = session.get(Phone, row.phone_id) if row.phone_id else None
    line = _to_lines(session, vault, Paged(items=(row,), number=1, size=1, total=1)).items[0]
    return BaitPage(
        line=line,
        batch=session.scalar(select(Batch.name).where(Batch.id == row.batch_id)) or "",
        route=placement.route if placement else None,
        phone_label=(phone.label or phone.ref) if phone else None,
        life=_list_life(row, placement),
        confirmed_by=placement.confirmed_by if placement else None,
        exposures=_list_exposures(session, row.id),
        sightings=_list_sightings(session, row.id),
    )


def _select_baits(wanted: BaitFilter) -> Select[Bait]:
    query = select(Bait)
    if wanted.state:
        query = query.where(Bait.state == wanted.state)
    if wanted.carrier:
        query = query.where(Bait.carrier == wanted.carrier)
    if wanted.ref:
        query = query.where(Bait.ref == wanted.ref)
    if wanted.batch:
        query = query.where(Bait.batch_id.in_(select(Batch.id).where(Batch.name == wanted.batch)))
    if wanted.source:
        placed = (
            select(Placement.bait_id)
            .join(Source, Placement.source_id == Source.id)
            .where(Source.code == wanted.source)
        )
        query = query.where(Bait.id.in_(placed))
    return query.order_by(Bait.id.desc())


def _to_lines(session: Session, vault: Vault, rows: Paged[Bait]) -> Paged[BaitLine]:
    ids = [row.id for row in rows.items]
    homes = _load_homes(session, ids)
    surfaced = count_groups(
        session,
        select(Match.bait_id, func.count(Match.sighting_id.distinct()))
        .where(Match.bait_id.in_(ids))
        .group_by(Match.bait_id),
    )
    return rows.showing(
        BaitLine(
            ref=row.ref,
            carrier=row.carrier,
            state=row.state,
            is_control=row.is_control,
            values=mask_bait(vault, row),
            goods=row.goods,
            source=homes.get(row.id),
            issued_at=row.issued_at,
            surfaced=surfaced.get(row.id, 0),
        )
        for row in rows.items
    )


def _load_homes(session: Session, bait_ids: Sequence[int]) -> dict[int, SourceLabel]:
    rows = session.execute(
        select(Placement.bait_id, Source.code, Source.name, Source.kind)
        .join(Source, Placement.source_id == Source.id)
        .where(Placement.bait_id.in_(bait_ids))
    )
    return {
        bait_id: SourceLabel(code=code, name=name, kind=kind) for bait_id, code, name, kind in rows
    }


def _list_life(row: Bait, placement: Placement | None) -> tuple[tuple[str, datetime], ...]:
    steps = (
        ("issued", row.issued_at),
        ("handed_over", placement.handed_over_at if placement else None),
        ("planted", row.planted_at),
        ("live", row.live_at),
        ("burned", row.burned_at),
        ("retired", row.retired_at),
    )
    return tuple((name, at) for name, at in steps if at is not None)


def _list_exposures(session: Session, bait_id: int) -> tuple[BaitExposure, ...]:
    rows = session.execute(
        select(Exposure, Source)
        .outerjoin(Source, Exposure.source_id == Source.id)
        .where(Exposure.bait_id == bait_id)
        .order_by(Exposure.since, Exposure.id)
        .limit(200)
    )
    return tuple(
        BaitExposure(
            source=SourceLabel(code=source.code, name=source.name, kind=source.kind)
            if row.source_id
            else None,
            reader=row.reader,
            origin=row.origin,
            since=row.since,
            until=row.until,
            fields=(
                ("number", row.number),
                ("name", row.name),
                ("phone", row.phone),
                ("address", row.address),
            ),
        )
        for row, source in rows
    )


def _list_sightings(session: Session, bait_id: int) -> tuple[BaitSighting, ...]:
    rows = session.execute(
        select(Sighting.incident_id, Sighting.kind, Sighting.venue, Sighting.seen_at)
        .where(Sighting.id.in_(select(Match.sighting_id).where(Match.bait_id == bait_id)))
        .order_by(Sighting.seen_at.desc(), Sighting.id.desc())
        .limit(100)
    )
    return tuple(
        BaitSighting(incident_id=incident_id, kind=kind, venue=venue, seen_at=seen_at)
        for incident_id, kind, venue, seen_at in rows
    )
