"""The present placements as a world without sightings: what can they tell apart?

No values are needed and none leave: the records bear made-up numbers.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.attribution.reading import read_world
from canary.attribution.world import World
from canary.domain.baits import BaitState
from canary.services.verdicts.parameters import estimate_parameters, to_operator
from canary.services.verdicts.worlds import SCHEMA, STAGE_OF_KIND
from canary.storage.tables import Bait, Exposure, Source

# How long a leak is watched for, and a resale site of the usual size that shows whole numbers.
WATCHED = timedelta(days=30)
SITE = {"id": "resale", "channel": "resale", "corpus": 2e6, "show": {"waybill": [1.0, 0.0]}}
_HIDDEN = {"phone": 0, "name": 0, "district": 0}


def load_placements(session: Session, now: datetime) -> World:
    """Return who can read which bait in place since when; hours since the first exposure."""
    sources = session.execute(
        select(Source.id, Source.code, Source.kind, Source.parent_id).order_by(Source.id)
    ).all()
    index = {row.id: at for at, row in enumerate(sources)}
    found = list(_list_readable(session, {row.id: row.parent_id for row in sources}))
    start = min((since for *_, since, _ in found), default=now)
    baits = {bait: at for at, bait in enumerate(sorted({bait for bait, *_ in found}))}
    hours = [(since - start) / timedelta(hours=1) for *_, since, _ in found]
    length = timedelta(hours=max(hours, default=0.0)) + WATCHED
    return read_world(
        {
            "schema": SCHEMA,
            "window": {"start": 0.0, "end": length / timedelta(hours=1)},
            "sources": {
                "id": [row.code for row in sources],
                "stage": [STAGE_OF_KIND[row.kind] for row in sources],
                "parent": [index.get(row.parent_id) for row in sources],
            },
            "records": {
                "id": [f"B{at}" for at in baits.values()],
                "waybill": [f"9{at:012d}" for at in baits.values()],
            },
            "vis_profiles": [{"waybill": level, **_HIDDEN} for level in range(3)],
            "exposures": {
                "record": [baits[bait] for bait, *_ in found],
                "source": [index[source] for _, source, *_ in found],
                "since": hours,
                "vis": [level for *_, level in found],
            },
            "sites": [SITE],
            "sightings": [],
            "operator": to_operator(estimate_parameters(session, now), length),
        }
    )


def _list_readable(
    session: Session, parents: dict[int, int | None]
) -> Iterator[tuple[int, int, datetime, int]]:
    """Yield (bait, source, since, level of the number), those above who can query it included."""
    query = (
        select(
            Exposure.bait_id,
            Exposure.source_id,
            Exposure.origin,
            func.min(Exposure.since),
            func.max(Exposure.number),
        )
        .join(Bait, Bait.id == Exposure.bait_id)
        .where(
            Exposure.source_id.is_not(None),
            Bait.state.in_([state for state in BaitState if state.is_in_place]),
        )
        .group_by(Exposure.bait_id, Exposure.source_id, Exposure.origin)
    )
    first: dict[tuple[int, int], tuple[datetime, int]] = {}
    for bait_id, source_id, origin, since, level in session.execute(query):
        above = _above(source_id, parents) if origin == "placement" else []
        for one, seen in [(source_id or 0, level), *((one, 2) for one in above)]:
            known, most = first.get((bait_id, one), (since, seen))
            first[bait_id, one] = (min(known, since), max(most, seen))
    for (bait_id, source_id), (since, level) in first.items():
        yield bait_id, source_id, since, level


def _above(source_id: int | None, parents: dict[int, int | None]) -> list[int]:
    line: list[int] = []
    parent = parents.get(source_id or 0)
    while parent is not None and parent not in line:
        line.append(parent)
        parent = parents.get(parent)
    return line
