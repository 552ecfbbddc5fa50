"""Build the world an attribution is made from: the database's rows as plain values.

Records are known to the engine by the references of baits and phones, not by their numbers;
names stand in for the baits that were seen, because their rarity counts, and small gaps between
their numbers, because runs of neighbours tell of guessing. Times are hours since the start of the
window and come from our own clock alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from canary.domain.moments import write_moment
from canary.services.baits.register import open_values
from canary.services.verdicts.displays import CHUNK, FIELDS, Seen, Sites, place_numbers, to_hours
from canary.services.verdicts.parameters import estimate_parameters, to_operator
from canary.storage.tables import Bait, Exposure, Phone, Placement, Sighting, Source
from canary.storage.vault import Vault

SCHEMA = "attribution-world/1"
STAGE_OF_KIND = {
    "platform": "platform",
    "merchant": "platform",
    "partner_api": "platform",
    "printing": "platform",
    "pickup": "pickup",
    "hub": "sorting",
    "transit": "transit",
    "outlet": "outlet",
    "account": "system",
    "system": "system",
}
READER = "reader:"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Network:
    codes: dict[int, str]
    stages: dict[int, str]
    parents: dict[int, int | None]

    def above(self, source_id: int) -> list[int]:
        line: list[int] = []
        parent = self.parents.get(source_id)
        while parent is not None and parent not in line:
            line.append(parent)
            parent = self.parents.get(parent)
        return line


@dataclass(slots=True, kw_only=True)
class _Held:
    """What may have been read, by whom, since when."""

    bait_ids: list[int] = field(default_factory=list)
    rows: list[tuple[int, str, datetime, tuple[int, int, int, int], str]] = field(
        default_factory=list
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltWorld:
    """An `attribution-world/1` object and when its window begins."""

    content: dict[str, Any]
    start: datetime

    def tell_time(self, zone: ZoneInfo) -> Callable[[float], str]:
        """Return a function that writes hours of this world as a time in `zone`."""

        def tell(hours: float) -> str:
            return write_moment(self.start + timedelta(hours=hours), zone)

        return tell


def build_world(
    session: Session, vault: Vault, incident_ids: Sequence[int], now: datetime
) -> BuiltWorld:
    """Build the world of one incident, or of several that are judged together."""
    sightings = _load_sightings(session, incident_ids)
    seen = {match.bait_id for sighting in sightings for match in sighting.matches}
    network = _load_network(session)
    held = _load_held(session, network, seen)
    baits = _load_baits(session, held.bait_ids)
    start = _find_start(baits.values(), sightings, held)
    order = {bait_id: index for index, bait_id in enumerate(baits)}
    codes = _list_codes(network, held)
    sites = Sites()
    seen_json = Seen(order, baits, network.codes, sites, start).list_rows(sightings)
    phones = _load_phone_refs(session, baits.values())
    content = {
        "schema": SCHEMA,
        "scenario": "operation",
        "seed": 0,
        "window": {"start": 0.0, "end": to_hours(now, start)},
        "sources": {
            "id": codes,
            "stage": _list_stages(network, codes),
            "parent": _list_parents(network, codes),
        },
        "records": _list_records(vault, baits, phones, seen, start),
        "vis_profiles": _list_profiles(held),
        "exposures": _list_exposures(held, order, codes, start, now),
        "sites": sites.to_json(session, sightings),
        "sightings": seen_json,
        "operator": to_operator(estimate_parameters(session, now), now - start),
    }
    return BuiltWorld(content=content, start=start)


def _load_sightings(session: Session, incident_ids: Sequence[int]) -> list[Sighting]:
    return list(
        session.scalars(
            select(Sighting)
            .where(Sighting.incident_id.in_(incident_ids))
            .options(selectinload(Sighting.matches), selectinload(Sighting.reporter))
            .order_by(Sighting.id)
        )
    )


def _load_network(session: Session) -> _Network:
    rows = session.execute(
        select(Source.id, Source.code, Source.kind, Source.stage, Source.parent_id).order_by(
            Source.id
        )
    ).all()
    stages = set(STAGE_OF_KIND.values())
    return _Network(
        codes={row.id: row.code for row in rows},
        stages={
            row.id: row.stage if row.stage in stages else STAGE_OF_KIND[row.kind] for row in rows
        },
        parents={row.id: row.parent_id for row in rows},
    )


def _load_held(session: Session, network: _Network, seen: set[int]) -> _Held:
    """Load what the possible sources of the seen baits hold, and all control baits."""
    suspects = _list_suspects(session, network, seen)
    below = {
        source_id
        for source_id in network.codes
        if source_id in suspects or suspects & set(network.above(source_id))
    }
    held = _Held()
    bait_ids = set(seen)
    for chunk in _chunks(sorted(below)):
        bait_ids.update(
            session.scalars(select(Placement.bait_id).where(Placement.source_id.in_(chunk)))
        )
    bait_ids.update(session.scalars(select(Bait.id).where(Bait.is_control)))
    held.bait_ids = sorted(bait_ids)
    for chunk in _chunks(held.bait_ids):
        for row in session.scalars(select(Exposure).where(Exposure.bait_id.in_(chunk))):
            held.rows.extend(_spread(row, network))
    return held


def _list_suspects(session: Session, network: _Network, seen: set[int]) -> set[int]:
    direct: set[int] = set()
    for chunk in _chunks(sorted(seen)):
        direct.update(
            source_id
            for source_id in session.scalars(
                select(Exposure.source_id).where(Exposure.bait_id.in_(chunk))
            )
            if source_id is not None
        )
    return direct.union(*(network.above(source_id) for source_id in direct))


def _spread(
    row: Exposure, network: _Network
) -> Iterable[tuple[int, str, datetime, tuple[int, int, int, int], str]]:
    """Give an exposure to the source itself and to everybody above who can query it."""
    view = (row.number, row.phone, row.name, row.address)
    if row.source_id is None:
        yield row.bait_id, f"{READER}{row.reader}", row.since, view, "reveal"
        return
    yield row.bait_id, network.codes[row.source_id], row.since, view, "custody"
    if row.origin == "placement":
        for source_id in network.above(row.source_id):
            yield row.bait_id, network.codes[source_id], row.since, (2, 2, 2, 2), "custody"


def _load_baits(session: Session, bait_ids: Sequence[int]) -> dict[int, Bait]:
    found: dict[int, Bait] = {}
    for chunk in _chunks(bait_ids):
        query = select(Bait).where(Bait.id.in_(chunk)).order_by(Bait.id)
        found.update({bait.id: bait for bait in session.scalars(query)})
    return found


def _load_phone_refs(session: Session, baits: Iterable[Bait]) -> dict[int, str]:
    wanted = sorted({bait.phone_id for bait in baits if bait.phone_id is not None})
    refs: dict[int, str] = {}
    for chunk in _chunks(wanted):
        rows = session.execute(select(Phone.id, Phone.ref).where(Phone.id.in_(chunk)))
        refs.update({row.id: row.ref for row in rows})
    return refs


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def _find_start(baits: Iterable[Bait], sightings: Sequence[Sighting], held: _Held) -> datetime:
    times = [bait.issued_at for bait in baits] + [sighting.seen_at for sighting in sightings]
    return min(times + [row[2] for row in held.rows])


def _list_codes(network: _Network, held: _Held) -> list[str]:
    readers = sorted({row[1] for row in held.rows if row[1].startswith(READER)})
    return list(network.codes.values()) + readers


def _list_stages(network: _Network, codes: Sequence[str]) -> list[str]:
    stages = {network.codes[source_id]: stage for source_id, stage in network.stages.items()}
    return [stages.get(code, "single") for code in codes]


def _list_parents(network: _Network, codes: Sequence[str]) -> list[int | None]:
    index = {code: position for position, code in enumerate(codes)}
    parents = {
        network.codes[source_id]: index[network.codes[parent]] if parent else None
        for source_id, parent in network.parents.items()
    }
    return [parents.get(code) for code in codes]


def _list_records(
    vault: Vault, baits: dict[int, Bait], phones: dict[int, str], seen: set[int], start: datetime
) -> dict[str, Any]:
    opened = {at: open_values(vault, bait) for at, bait in baits.items() if at in seen}
    names = {at: values.name for at, values in opened.items()}
    places = place_numbers({at: values.number or "" for at, values in opened.items()})
    return {
        "id": [bait.ref for bait in baits.values()],
        "waybill": [places.get(at, "") for at in baits],
        "phone": [phones.get(bait.phone_id or 0, "") for bait in baits.values()],
        "name": [names.get(at) or "" for at in baits],
        "issued": [to_hours(bait.issued_at, start) for bait in baits.values()],
        "control": [bait.is_control for bait in baits.values()],
    }


def _list_profiles(held: _Held) -> list[dict[str, int]]:
    return [dict(zip(FIELDS, view, strict=True)) for view in sorted({row[3] for row in held.rows})]


def _list_exposures(
    held: _Held, order: dict[int, int], codes: Sequence[str], start: datetime, now: datetime
) -> dict[str, list[Any]]:
    index = {code: position for position, code in enumerate(codes)}
    views = {view: at for at, view in enumerate(sorted({row[3] for row in held.rows}))}
    rows = [row for row in held.rows if row[2] <= now]
    return {
        "record": [order[row[0]] for row in rows],
        "source": [index[row[1]] for row in rows],
        "since": [to_hours(row[2], start) for row in rows],
        "vis": [views[row[3]] for row in rows],
        "kind": [row[4] for row in rows],
    }
