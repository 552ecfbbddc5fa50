"""The page of one source."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.errors import NotFound
from canary.services.access import Viewer
from canary.services.cases.queue_search import EVERY, IncidentFilter
from canary.services.pages.baits import BaitLine, list_baits_of
from canary.services.pages.queue import IncidentLine, list_incidents
from canary.services.pages.tree import SourceLine, load_above, load_children
from canary.services.viewing import (
    Paged,
    SourceLabel,
    label_source,
)
from canary.storage.tables import Bait, Exposure, Phone, Placement, Sighting, Source
from canary.storage.vault import Vault

INCIDENTS_SHOWN = 20
PHONE_BAITS = 200
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureCount:
    """How many baits a source could see for one reason, and since when the first of them."""

    origin: str
    baits: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What reaches the phones on this source's baits without any leak.

    `per_day` counts what came to such a phone a day before a bait bore it; None when not known.
    """

    phones: int
    per_day: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """Everything the page of one source shows."""

    source: SourceLabel
    region: str | None
    carriers: tuple[str, ...]
    daily_parcels: int | None
    stage: str | None
    contact: str | None
    created_at: datetime
    above: tuple[SourceLabel, ...]
    children: tuple[SourceLine, ...]
    baits: Paged[BaitLine]
    exposed: int
    exposures: tuple[ExposureCount, ...]
    background: Background
    incidents: tuple[IncidentLine, ...]


def load_source(
    session: Session,
    vault: Vault,
    viewer: Viewer,
    code: str,
    *,
    now: datetime,
    zone: tzinfo,
    number: int = 1,
) -> SourcePage:
    """Return the page of one source. Raises NotFound."""
    row = session.scalar(select(Source).where(Source.code == code))
    if row is None:
        msg = f"there is no source {code}"
        raise NotFound(msg)
    wanted = IncidentFilter(state=EVERY, snoozed=EVERY, source=code)
    return SourcePage(
        source=label_source(row),
        region=row.region,
        carriers=tuple(str(carrier) for carrier in row.carriers),
        daily_parcels=row.daily_parcels,
        stage=row.stage,
        contact=row.contact,
        created_at=row.created_at,
        above=load_above(session, row.id),
        children=load_children(session, row.id),
        baits=list_baits_of(session, vault, row.id, number),
        exposed=_count_exposed(session, row.id),
        exposures=_list_exposures(session, row.id),
        background=_measure_background(session, row.id),
        incidents=list_incidents(
            session, viewer, wanted, 1, INCIDENTS_SHOWN, now=now, zone=zone
        ).items,
    )


def _count_exposed(session: Session, source_id: int) -> int:
    query = select(func.count(Exposure.bait_id.distinct())).where(Exposure.source_id == source_id)
    return session.scalar(query) or 0


def _list_exposures(session: Session, source_id: int) -> tuple[ExposureCount, ...]:
    rows = session.execute(
        select(Exposure.origin, func.count(Exposure.bait_id.distinct()), func.min(Exposure.since))
        .where(Exposure.source_id == source_id)
        .group_by(Exposure.origin)
        .order_by(Exposure.origin)
    )
    return tuple(
        ExposureCount(origin=origin, baits=count, since=since) for origin, count, since in rows
    )


def _measure_background(session: Session, source_id: int) -> Background:
    """Look at the phones on the latest baits; a source of many thousand is not gone through."""
    own = select(Placement.bait_id).where(Placement.source_id == source_id)
    latest = own.order_by(Placement.id.desc()).limit(PHONE_BAITS).subquery()
    borne = (
        select(Bait.phone_id)
        .where(Bait.id.in_(select(latest.c.bait_id)), Bait.phone_id.is_not(None))
        .distinct()
    )
    ids = [phone_id for phone_id in session.scalars(borne) if phone_id is not None]
    first = select(Bait.issued_at).where(Bait.phone_id == Phone.id).order_by(Bait.id).limit(1)
    given = first.scalar_subquery()
    early = (
        select(func.count())
        .where(Sighting.phone_id == Phone.id, Sighting.seen_at <= given)
        .scalar_subquery()
    )
    rows = session.execute(select(Phone.created_at, given, early).where(Phone.id.in_(ids))).all()
    days = sum((until - begun) / DAY for begun, until, _ in rows)
    arrived = sum(count for _, _, count in rows)
    return Background(phones=len(ids), per_day=round(arrived / days, 3) if days >= 1 else None)
