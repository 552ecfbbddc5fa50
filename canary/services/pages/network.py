"""The network as a picture: the tree on the left, where its baits surfaced on the right.

Everything is drawn from the latest sightings only, a bounded number of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.incidents import IncidentState
from canary.services.viewing import SourceLabel
from canary.storage.tables import Incident, Sighting, Source

LATEST = 5000
SOURCES = 14
VENUES = 10
LEVELS = 5
STEP = 34
INDENT = 30
LEFT_WIDTH = 330
RIGHT = 810
WIDTH = 1080
THICKEST = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A source in the drawing; `sightings` is 0 for one that only stands above others."""

    source: SourceLabel
    x: int
    y: int
    parent_x: int | None
    parent_y: int | None
    sightings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A place where baits surfaced; `share` of all shown, from 0 to 1. The rest has no name."""

    name: str
    y: int
    sightings: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Sightings of one source's incidents at one venue; `width` in units of the drawing."""

    source: SourceLabel
    venue: str
    sightings: int
    y: int
    venue_y: int
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """Sightings in one hour of the day in the viewer's zone; `height` from 0 to 100."""

    hour: int
    sightings: int
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Everything the network page draws."""

    nodes: tuple[Node, ...]
    venues: tuple[Venue, ...]
    flows: tuple[Flow, ...]
    hours: tuple[Hour, ...]
    height: int
    sightings: int
    since: datetime | None
    more_sources: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    source_id: int | None
    venue: str
    seen_at: datetime


def load_network(session: Session, zone: tzinfo) -> Network:
    """Return the drawing of the latest sightings in incidents that nobody dismissed."""
    seen = _load_seen(session)
    pairs = Counter((one.source_id, one.venue) for one in seen if one.source_id is not None)
    by_source = Counter[int]()
    for (source_id, _), count in pairs.items():
        by_source[source_id] += count
    shown = [source_id for source_id, _ in by_source.most_common(SOURCES)]
    nodes = _place_nodes(_load_lines(session, shown), by_source)
    venues = _place_venues(Counter(one.venue for one in seen))
    bottom = max([node.y for node in nodes.values()] + [venue.y for venue in venues], default=0)
    return Network(
        nodes=tuple(nodes.values()),
        venues=venues,
        flows=_join(pairs, nodes, venues),
        hours=_count_hours(seen, zone),
        height=bottom + STEP,
        sightings=len(seen),
        since=min((one.seen_at for one in seen), default=None),
        more_sources=len(by_source) - len(shown),
    )


def _load_seen(session: Session) -> list[_Seen]:
    rows = session.execute(
        select(Incident.scope_source_id, Sighting.venue, Sighting.seen_at)
        .join(Incident, Incident.id == Sighting.incident_id)
        .where(Incident.state != IncidentState.DISMISSED)
        .order_by(Sighting.seen_at.desc(), Sighting.id.desc())
        .limit(LATEST)
    )
    return [_Seen(source_id=row[0], venue=row[1], seen_at=row[2]) for row in rows]


def _load_lines(session: Session, source_ids: Sequence[int]) -> dict[int, Source]:
    """Load sources and what stands above them, level by level."""
    found: dict[int, Source] = {}
    wanted = set(source_ids)
    for _ in range(LEVELS):
        if not wanted:
            break
        rows = session.scalars(select(Source).where(Source.id.in_(wanted))).all()
        found.update({row.id: row for row in rows})
        wanted = {row.parent_id for row in rows if row.parent_id} - set(found)
    return found


def _place_nodes(sources: Mapping[int, Source], counts: Mapping[int, int]) -> dict[int, Node]:
    """Lay the tree out line by line, the busiest branch first."""
    children: dict[int | None, list[Source]] = {}
    for row in sources.values():
        parent = row.parent_id if row.parent_id in sources else None
        children.setdefault(parent, []).append(row)
    nodes: dict[int, Node] = {}
    stack = [(row, 0) for row in _sort(children.get(None, []), counts)[::-1]]
    while stack:
        row, depth = stack.pop()
        above = nodes.get(row.parent_id or 0)
        nodes[row.id] = Node(
            source=SourceLabel(code=row.code, name=row.name, kind=row.kind),
            x=8 + depth * INDENT,
            y=STEP // 2 + len(nodes) * STEP,
            parent_x=above.x if above else None,
            parent_y=above.y if above else None,
            sightings=counts.get(row.id, 0),
        )
        below = _sort(children.get(row.id, []), counts)
        stack.extend((child, depth + 1) for child in below[::-1])
    return nodes


def _sort(rows: Sequence[Source], counts: Mapping[int, int]) -> list[Source]:
    return sorted(rows, key=lambda row: (-counts.get(row.id, 0), row.code))


def _place_venues(counts: Counter[str]) -> tuple[Venue, ...]:
    top = counts.most_common(VENUES)
    rest = counts.total() - sum(count for _, count in top)
    lines = [*top, ("", rest)] if rest else top
    return tuple(
        Venue(
            name=name,
            y=STEP // 2 + place * STEP,
            sightings=count,
            share=count / counts.total(),
        )
        for place, (name, count) in enumerate(lines)
    )


def _join(
    pairs: Mapping[tuple[int, str], int],
    nodes: Mapping[int, Node],
    venues: Sequence[Venue],
) -> tuple[Flow, ...]:
    places = {venue.name: venue for venue in venues}
    rest = places.get("")
    sums = Counter[tuple[int, str]]()
    for (source_id, name), count in pairs.items():
        venue = places.get(name) if name in places else rest
        if source_id in nodes and venue is not None:
            sums[source_id, venue.name] += count
    most = max(sums.values(), default=1)
    return tuple(
        Flow(
            source=nodes[source_id].source,
            venue=name,
            sightings=count,
            y=nodes[source_id].y,
            venue_y=places[name].y,
            width=round(1.5 + (THICKEST - 1.5) * count / most, 1),
        )
        for (source_id, name), count in sums.most_common()
    )


def _count_hours(seen: Sequence[_Seen], zone: tzinfo) -> tuple[Hour, ...]:
    counts = Counter(one.seen_at.astimezone(zone).hour for one in seen)
    most = max(counts.values(), default=1)
    return tuple(
        Hour(hour=hour, sightings=counts[hour], height=round(100.0 * counts[hour] / most, 1))
        for hour in range(24)
    )
