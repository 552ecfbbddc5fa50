"""The drawing of who could know: when each source got the baits, and when they were seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.services.viewing import SourceLabel, label_source
from canary.storage.tables import Exposure, Match, Sighting, Source

LANES = 8
BAITS = 500
DRAWN_FROM, DRAWN_TO = 2.0, 98.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One source: how many of the surfaced baits it held, and since when.

    `offset` is where its first exposure stands on the drawing, in percent of the width.
    """

    source: SourceLabel
    held: int
    since: datetime
    offset: float
    could_know: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The lanes with the first sighting; `seen_offset` in percent of the width."""

    lanes: tuple[Lane, ...]
    more_lanes: int
    bait_count: int
    started_at: datetime
    seen_at: datetime
    ended_at: datetime
    seen_offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    source: Source
    since: Mapping[int, datetime]

    @property
    def first(self) -> datetime:
        return min(self.since.values())


def load_path(
    session: Session, incident_id: int, ranked: Sequence[tuple[str, float]]
) -> Path | None:
    """Return the drawing of an incident; None when nothing was exposed or seen."""
    bait_ids = _list_baits(session, incident_id)
    first, last = session.execute(
        select(func.min(Sighting.seen_at), func.max(Sighting.seen_at)).where(
            Sighting.incident_id == incident_id
        )
    ).one()
    own = _list_held(session, bait_ids)
    if not own or first is None:
        return None
    held = _add_ancestors(own, _load_line(session, list(own)))
    order = {code: place for place, (code, _) in enumerate(ranked)}
    held.sort(key=lambda one: (order.get(one.source.code, 99), -len(one.since), one.first))
    return _draw(held, first, last, len(bait_ids))


def _draw(held: Sequence[_Held], seen: datetime, last: datetime, bait_count: int) -> Path:
    shown = held[:LANES]
    started = min([seen, *(one.first for one in shown)])
    ended = max([last, *(one.first for one in shown)])
    lanes = tuple(
        Lane(
            source=label_source(one.source),
            held=len(one.since),
            since=one.first,
            offset=_place(one.first, started, ended),
            could_know=one.first <= seen,
        )
        for one in shown
    )
    return Path(
        lanes=lanes,
        more_lanes=len(held) - len(shown),
        bait_count=bait_count,
        started_at=started,
        seen_at=seen,
        ended_at=ended,
        seen_offset=_place(seen, started, ended),
    )


def _place(at: datetime, started: datetime, ended: datetime) -> float:
    span = (ended - started) / timedelta(seconds=1)
    share = (at - started) / timedelta(seconds=1) / span if span > 0 else 0.0
    return round(DRAWN_FROM + (DRAWN_TO - DRAWN_FROM) * min(max(share, 0.0), 1.0), 2)


def _list_baits(session: Session, incident_id: int) -> list[int]:
    query = (
        select(Match.bait_id)
        .join(Sighting, Match.sighting_id == Sighting.id)
        .where(Sighting.incident_id == incident_id, Match.level == "exact")
        .distinct()
        .limit(BAITS)
    )
    return list(session.scalars(query))


def _list_held(session: Session, bait_ids: Sequence[int]) -> dict[int, dict[int, datetime]]:
    """Return, per source, since when it held each bait."""
    rows = session.execute(
        select(Exposure.source_id, Exposure.bait_id, func.min(Exposure.since))
        .where(Exposure.bait_id.in_(bait_ids), Exposure.source_id.is_not(None))
        .group_by(Exposure.source_id, Exposure.bait_id)
    )
    held: dict[int, dict[int, datetime]] = {}
    for source_id, bait_id, since in rows:
        if source_id is not None:
            held.setdefault(source_id, {})[bait_id] = since
    return held


def _load_line(session: Session, source_ids: Sequence[int]) -> dict[int, Source]:
    """Load sources and everything above them."""
    above = select(Source.id, Source.parent_id).where(Source.id.in_(source_ids))
    tree = above.cte("above", recursive=True)
    tree = tree.union(select(Source.id, Source.parent_id).where(Source.id == tree.c.parent_id))
    rows = session.scalars(select(Source).where(Source.id.in_(select(tree.c.id))))
    return {row.id: row for row in rows}


def _add_ancestors(
    own: Mapping[int, Mapping[int, datetime]], sources: Mapping[int, Source]
) -> list[_Held]:
    """Add what sources higher up could query from the same moment."""
    held = {source_id: dict(since) for source_id, since in own.items()}
    for source_id, baits in own.items():
        for above_id in _list_above(source_id, sources):
            line = held.setdefault(above_id, {})
            for bait_id, since in baits.items():
                line[bait_id] = min(since, line.get(bait_id, since))
    return [_Held(source=sources[key], since=since) for key, since in held.items()]


def _list_above(source_id: int, sources: Mapping[int, Source]) -> list[int]:
    above: list[int] = []
    parent_id = sources[source_id].parent_id
    while parent_id is not None and parent_id not in above:
        above.append(parent_id)
        parent_id = sources[parent_id].parent_id
    return above
