"""The present placements as a world without sightings, to ask what they can tell apart."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.attribution.reading import read_world
from canary.attribution.world import World
from canary.services.verdicts.worlds import SCHEMA
from canary.storage.tables import Exposure, Source


def load_placements(session: Session) -> World:
    """Return who can read which bait since when; hours since the first exposure."""
    sources = session.execute(select(Source.id, Source.code, Source.parent_id).order_by(Source.id))
    rows = sources.all()
    index = {row.id: at for at, row in enumerate(rows)}
    parents = {row.id: row.parent_id for row in rows}
    found = list(_list_readable(session, parents))
    start = min((since for _, _, since in found), default=None)
    baits = {bait: at for at, bait in enumerate(sorted({bait for bait, _, _ in found}))}
    hours = [
        0.0 if start is None else (since - start).total_seconds() / 3600 for _, _, since in found
    ]
    return read_world(
        {
            "schema": SCHEMA,
            "window": {"start": 0.0, "end": max(hours, default=0.0) + 1.0},
            "sources": {"id": [row.code for row in rows]},
            "records": {"id": [str(at) for at in baits.values()]},
            "vis_profiles": [{"waybill": 2, "phone": 2, "name": 2, "district": 2}],
            "exposures": {
                "record": [baits[bait] for bait, _, _ in found],
                "source": [index[source] for _, source, _ in found],
                "since": hours,
                "vis": [0] * len(found),
            },
            "sites": [],
            "sightings": [],
        }
    )


def _list_readable(
    session: Session, parents: dict[int, int | None]
) -> Iterator[tuple[int, int, Any]]:
    """Yield (bait, source, since), those above who can query it included."""
    query = (
        select(Exposure.bait_id, Exposure.source_id, Exposure.origin, func.min(Exposure.since))
        .where(Exposure.source_id.is_not(None))
        .group_by(Exposure.bait_id, Exposure.source_id, Exposure.origin)
    )
    first: dict[tuple[int, int], Any] = {}
    for bait_id, source_id, origin, since in session.execute(query):
        line = [source_id or 0, *(_above(source_id, parents) if origin == "placement" else ())]
        for one in line:
            known = first.get((bait_id, one))
            first[bait_id, one] = since if known is None else min(known, since)
    for (bait_id, source_id), since in first.items():
        yield bait_id, source_id, since


def _above(source_id: int | None, parents: dict[int, int | None]) -> list[int]:
    line: list[int] = []
    parent = parents.get(source_id or 0)
    while parent is not None and parent not in line:
        line.append(parent)
        parent = parents.get(parent)
    return line
