"""The monitors as pages show them: how they do, how they are set up, what a look would take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager, defer

from canary.domain.errors import Forbidden
from canary.matching.scan import Match as Found
from canary.matching.scan import scan_text
from canary.services.access import Role, Viewer
from canary.services.audit import record
from canary.services.baits.register import SqlRegister
from canary.services.detection.excerpts import (
    Evidence,
    Excerpt,
    Mark,
    Span,
    build_evidence,
    mask_surface,
)
from canary.services.monitors.keeping import Address, get_monitor, open_address
from canary.services.monitors.reading import Sight
from canary.services.viewing import Paged, count_groups, page_of
from canary.storage.tables import Monitor, MonitorCheck, Reporter, Sighting
from canary.storage.vault import Vault

CHECKS_SHOWN = 20
ENTRIES_SHOWN = 10
TEXT_SHOWN = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorLine:
    """A monitor and how it does; `sightings` counts what it brought."""

    name: str
    kind: str
    channel_class: str
    is_active: bool
    state: str
    rhythm_minutes: int
    venue: str
    failures: int
    last_checked_at: datetime | None
    last_changed_at: datetime | None
    last_error: str | None
    due_at: datetime
    sightings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One look."""

    at: datetime
    state: str
    status: int | None
    size: int
    added: int
    removed: int
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorPage:
    """One monitor. The address is shown without what may be a session in it."""

    line: MonitorLine
    place: str
    header_names: tuple[str, ...]
    selector: str | None
    charset: str | None
    basis: str
    robots_override: str | None
    checks: tuple[CheckLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a look would take in: the texts with what matches in them, masked."""

    sight: Sight
    pieces: tuple[Evidence, ...]
    more: int
    baits: int

    @property
    def texts(self) -> list[str]:
        """Return the excerpts as plain text."""
        return [
            "".join(segment.text for segment in excerpt.segments)
            for piece in self.pieces
            for excerpt in piece.excerpts
        ]


def list_monitors(session: Session) -> tuple[MonitorLine, ...]:
    """Return every monitor by name."""
    return _lines(session, session.scalars(_by_name()).all())


def list_some_monitors(session: Session, number: int) -> Paged[MonitorLine]:
    """Return one page of the monitors by name."""
    rows = page_of(session, _by_name(), number)
    return rows.showing(_lines(session, rows.items))


def show_monitor(session: Session, vault: Vault, name: str) -> MonitorPage:
    """Return one monitor. Raises NotFound."""
    row = get_monitor(session, name)
    address = open_address(vault, row)
    checks = session.scalars(
        select(MonitorCheck)
        .where(MonitorCheck.monitor_id == row.id)
        .order_by(MonitorCheck.id.desc())
        .limit(CHECKS_SHOWN)
    )
    return MonitorPage(
        line=_line(row, _count_sightings(session, [row.reporter_id])),
        place=_place(address.url),
        header_names=tuple(address.headers),
        selector=row.selector,
        charset=row.charset,
        basis=row.basis,
        robots_override=row.robots_override,
        checks=tuple(
            CheckLine(
                at=check.at,
                state=check.state,
                status=check.status,
                size=check.size,
                added=check.added,
                removed=check.removed,
                problem=check.problem,
            )
            for check in checks
        ),
    )


def show_address(
    session: Session, vault: Vault, name: str, *, viewer: Viewer, now: datetime
) -> Address:
    """Return the whole address, and write down who saw it. Raises NotFound, Forbidden."""
    if viewer.role is not Role.ADMIN or not viewer.is_fresh(now):
        msg = "only an administrator who has just signed in may see this"
        raise Forbidden(msg)
    row = get_monitor(session, name)
    record(session, viewer.name, "monitor.address_shown", f"monitor/{name}", now)
    return open_address(vault, row)


def show_tried(session: Session, vault: Vault, sight: Sight) -> Tried:
    """Look through what a look would take in; matches are masked."""
    register = SqlRegister(session, vault)
    baits: set[int] = set()
    pieces = []
    for report in sight.reports[:ENTRIES_SHOWN]:
        text = report.text[:TEXT_SHOWN]
        found = scan_text(text, register)
        baits |= {match.bait_id for match in found}
        pieces.append(_piece(text, found))
    return Tried(
        sight=sight,
        pieces=tuple(pieces),
        more=max(0, len(sight.reports) - ENTRIES_SHOWN),
        baits=len(baits),
    )


def _piece(text: str, found: Sequence[Found]) -> Evidence:
    spans = [
        Span(
            start=match.start,
            end=match.end,
            record_start=match.record[0],
            record_end=match.record[1],
            mark=Mark(
                bait_ref="",
                kind=match.kind,
                form=match.form,
                level=match.level,
                rule=match.rule,
                chance=match.chance,
            ),
        )
        for match in found
    ]
    evidence = build_evidence(text, spans)
    return replace(evidence, excerpts=tuple(_mask(one) for one in evidence.excerpts))


def _mask(excerpt: Excerpt) -> Excerpt:
    return replace(
        excerpt,
        segments=tuple(
            replace(one, text=mask_surface(one.text, one.marks[0].kind)) if one.marks else one
            for one in excerpt.segments
        ),
    )


def _by_name() -> Select[Monitor]:
    return (
        select(Monitor)
        .join(Monitor.reporter)
        .options(contains_eager(Monitor.reporter), defer(Monitor.row_keys))
        .order_by(Reporter.name)
    )


def _lines(session: Session, rows: Sequence[Monitor]) -> tuple[MonitorLine, ...]:
    brought = _count_sightings(session, [row.reporter_id for row in rows])
    return tuple(_line(row, brought) for row in rows)


def _count_sightings(session: Session, reporters: Sequence[int]) -> Mapping[int, int]:
    return count_groups(
        session,
        select(Sighting.reporter_id, func.count())
        .where(Sighting.reporter_id.in_(reporters))
        .group_by(Sighting.reporter_id),
    )


def _line(row: Monitor, brought: Mapping[int, int]) -> MonitorLine:
    return MonitorLine(
        name=row.reporter.name,
        kind=row.kind,
        channel_class=row.reporter.channel_class,
        is_active=row.reporter.is_active,
        state=row.state,
        rhythm_minutes=row.rhythm_minutes,
        venue=row.venue,
        failures=row.failures,
        last_checked_at=row.last_checked_at,
        last_changed_at=row.last_changed_at,
        last_error=row.last_error,
        due_at=row.due_at,
        sightings=brought.get(row.reporter_id, 0),
    )


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"
