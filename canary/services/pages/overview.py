"""The first page: what is open, what is watched, what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from canary.domain.baits import BaitState
from canary.domain.verdicts import Verdict
from canary.services.access import Viewer
from canary.services.cases.queue_search import IncidentFilter
from canary.services.pages.queue import IncidentLine, list_incidents
from canary.services.viewing import (
    SourceLabel,
    count_groups,
    is_control,
    is_in_place,
    limit_incidents,
)
from canary.storage.tables import (
    Bait,
    Delivery,
    Drill,
    InboxPost,
    Incident,
    Phone,
    Placement,
    Reporter,
    Sighting,
    Source,
)

DAYS = 14
LEAGUE_DAYS = 30
LEAGUE_PLACES = 6
QUEUE_SHOWN = 5
DEFAULT_RHYTHM = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCount:
    """How many open incidents stand at one verdict."""

    verdict: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """Sightings with matches on one day of the viewer's zone; `height` from 0 to 100."""

    day: date
    count: int
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaguePlace:
    """A source with its incidents of this period and of the one before."""

    source: SourceLabel
    count: int
    before: int
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the network is watched."""

    sources: int
    covered: int
    baits: int
    live: int
    controls: int
    phones: int

    @property
    def share(self) -> float:
        """Return the share of sources with a bait in place, 0 to 1."""
        return self.covered / self.sources if self.sources else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors:
    """How the reporters and the ways in and out are."""

    active: int
    silent: tuple[str, ...]
    never: tuple[str, ...]
    waiting: int
    dead_posts: int
    dead_deliveries: int

    @property
    def posting(self) -> int:
        """How many post within their rhythm."""
        return self.active - len(self.silent) - len(self.never)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything the overview shows."""

    verdicts: tuple[VerdictCount, ...]
    queue: tuple[IncidentLine, ...]
    mine: int
    has_drill: bool
    days: tuple[DayCount, ...]
    sightings: int
    league: tuple[LeaguePlace, ...]
    coverage: Coverage
    sensors: Sensors


def load_overview(session: Session, viewer: Viewer, now: datetime, zone: tzinfo) -> Overview:
    """Return the overview as it stands."""
    days = _count_days(session, now, zone)
    return Overview(
        verdicts=_count_verdicts(session, viewer),
        queue=list_incidents(
            session, viewer, IncidentFilter(), 1, QUEUE_SHOWN, now=now, zone=zone
        ).items,
        mine=session.scalar(_count_mine(viewer)) or 0,
        has_drill=session.scalar(select(Drill.id).limit(1)) is not None,
        days=days,
        sightings=sum(day.count for day in days),
        league=_rank_sources(session, now),
        coverage=load_coverage(session),
        sensors=load_sensors(session, now),
    )


def _count_mine(viewer: Viewer) -> Select[int]:
    return select(func.count(Incident.id)).where(
        Incident.assignee_id == viewer.user_id, Incident.state == "open"
    )


def load_coverage(session: Session) -> Coverage:
    """Count what is watched."""
    covered = (
        select(Placement.id)
        .join(Bait, Placement.bait_id == Bait.id)
        .where(Placement.source_id == Source.id, is_in_place())
        .exists()
    )
    out = count_groups(session, _count_out_of_place())
    baits = session.scalar(select(func.count()).select_from(Bait)) or 0
    controls = select(func.count()).select_from(Bait).where(is_control())
    return Coverage(
        sources=session.scalar(select(func.count()).select_from(Source)) or 0,
        covered=session.scalar(select(func.count(Source.id)).where(covered)) or 0,
        baits=baits,
        live=baits - sum(out.values()),
        controls=session.scalar(controls) or 0,
        phones=session.scalar(select(func.count()).select_from(Phone)) or 0,
    )


def _count_out_of_place() -> Select[str, int]:
    """Count the baits that are not in place; nearly all are, and need not be gone through."""
    states = [state.value for state in BaitState if not state.is_in_place]
    return select(Bait.state, func.count()).where(Bait.state.in_(states)).group_by(Bait.state)


def load_sensors(session: Session, now: datetime) -> Sensors:
    """Tell which reporters are late and what is stuck."""
    rows = session.scalars(select(Reporter).where(Reporter.is_active).order_by(Reporter.name)).all()
    waiting, dead = _count_states(session)
    dead_deliveries = select(func.count(Delivery.id)).where(Delivery.state == "dead")
    return Sensors(
        active=len(rows),
        silent=tuple(row.name for row in rows if is_silent(row, now)),
        never=tuple(row.name for row in rows if row.last_post_at is None),
        waiting=waiting,
        dead_posts=dead,
        dead_deliveries=session.scalar(dead_deliveries) or 0,
    )


def is_silent(reporter: Reporter, now: datetime) -> bool:
    """Tell whether a reporter that has posted before is late by more than its rhythm."""
    if reporter.last_post_at is None:
        return False
    seconds = reporter.rhythm_seconds
    rhythm = timedelta(seconds=seconds) if seconds else DEFAULT_RHYTHM
    return now - reporter.last_post_at > rhythm


def _count_states(session: Session) -> tuple[int, int]:
    query = (
        select(InboxPost.state, func.count())
        .where(InboxPost.state.in_(["waiting", "dead"]))
        .group_by(InboxPost.state)
    )
    states = count_groups(session, query)
    return states.get("waiting", 0), states.get("dead", 0)


def _count_verdicts(session: Session, viewer: Viewer) -> tuple[VerdictCount, ...]:
    query = (
        select(Incident.verdict, func.count())
        .where(Incident.state == "open", *limit_incidents(viewer))
        .group_by(Incident.verdict)
    )
    counts = count_groups(session, query)
    return tuple(
        VerdictCount(verdict=verdict.value, count=counts.get(verdict.value, 0))
        for verdict in reversed(Verdict)
    )


def _count_days(session: Session, now: datetime, zone: tzinfo) -> tuple[DayCount, ...]:
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    starts = [_start_of(day, zone) for day in [*days, today + timedelta(days=1)]]
    # One count for each day, so that each is a short stretch of the index.
    each = [
        select(func.count())
        .where(Sighting.seen_at >= start, Sighting.seen_at < end)
        .where(Sighting.incident_id.is_not(None))
        .scalar_subquery()
        for start, end in pairwise(starts)
    ]
    counts = [count or 0 for count in session.execute(select(*each)).one()]
    most = max(counts)
    return tuple(
        DayCount(day=day, count=count, height=_scale(count, most))
        for day, count in zip(days, counts, strict=True)
    )


def _start_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=zone).astimezone(UTC)


def _rank_sources(session: Session, now: datetime) -> tuple[LeaguePlace, ...]:
    half = now - timedelta(days=LEAGUE_DAYS)
    recent = func.sum(case((Incident.last_sighting_at >= half, 1), else_=0)).label("recent")
    before = func.sum(case((Incident.last_sighting_at < half, 1), else_=0)).label("before")
    sums = (
        select(Incident.scope_source_id, recent, before)
        .where(Incident.last_sighting_at >= half - timedelta(days=LEAGUE_DAYS))
        .where(Incident.state != "dismissed", Incident.scope_source_id.is_not(None))
        .group_by(Incident.scope_source_id)
        .order_by(recent.desc(), before.desc(), Incident.scope_source_id)
        .limit(LEAGUE_PLACES)
        .subquery()
    )
    rows: Sequence[tuple[str, str, str, int, int]] = session.execute(
        select(Source.code, Source.name, Source.kind, sums.c.recent, sums.c.before)
        .join(sums, Source.id == sums.c.scope_source_id)
        .order_by(sums.c.recent.desc(), sums.c.before.desc(), Source.code)
    ).all()
    most = max((row[3] for row in rows), default=0)
    return tuple(
        LeaguePlace(
            source=SourceLabel(code=code, name=name, kind=kind),
            count=count,
            before=earlier,
            height=_scale(count, most),
        )
        for code, name, kind, count, earlier in rows
    )


def _scale(count: int, most: int) -> float:
    return round(100.0 * count / most, 1) if most else 0.0
