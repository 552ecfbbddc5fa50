"""The source tree and the page of one source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from canary.domain.errors import NotFound
from canary.services.access import Viewer
from canary.services.pages_baits import BaitLine, list_baits_of
from canary.services.pages_common import Paged, SourceLabel, count_groups, is_in_place, label_source
from canary.services.pages_incidents import IncidentFilter, IncidentLine, list_incidents
from canary.storage.tables import Bait, Exposure, Incident, Placement, Source
from canary.storage.vault import Vault

TREE_SIZE = 100
INCIDENTS_SHOWN = 20
DEEPEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One source in the tree. `depth` counts from 0 at the level shown first."""

    source: SourceLabel
    depth: int
    region: str | None
    baits: int
    live: int
    incidents: int
    children: int
    leads: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTree:
    """A part of the tree, laid out line by line."""

    lines: Paged[SourceLine]
    above: tuple[SourceLabel, ...]
    query: str
    total: int


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
    incidents: tuple[IncidentLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    source_id: int
    label: SourceLabel
    parent_id: int | None
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    baits: Mapping[int, int]
    live: Mapping[int, int]
    incidents: Mapping[int, int]


Laid = tuple[_Node, int, tuple[bool, ...]]


def load_tree(session: Session, *, under: str = "", query: str = "", number: int = 1) -> SourceTree:
    """Return the tree below `under`, or what `query` finds, one page of lines."""
    nodes = _load_nodes(session)
    children = _group(nodes)
    root = _find_node(nodes, under) if under else None
    if query:
        laid: list[Laid] = [(node, 0, ()) for node in nodes.values() if _fits(node, query)]
    else:
        laid = _lay_out(children, root.source_id if root else None)
    shown = laid[(number - 1) * TREE_SIZE : number * TREE_SIZE]
    counts = _count(session, [node.source_id for node, _, _ in shown])
    lines = tuple(
        _line(node, depth, leads, counts, len(children.get(node.source_id, ())))
        for node, depth, leads in shown
    )
    return SourceTree(
        lines=Paged(items=lines, number=number, size=TREE_SIZE, total=len(laid)),
        above=_list_above(nodes, root) if root else (),
        query=query,
        total=len(nodes),
    )


def load_source(
    session: Session, vault: Vault, viewer: Viewer, code: str, *, number: int = 1
) -> SourcePage:
    """Return the page of one source. Raises NotFound."""
    row = session.scalar(select(Source).where(Source.code == code))
    if row is None:
        msg = f"there is no source {code}"
        raise NotFound(msg)
    below = _load_children(session, row.id)
    grand = _count_children(session, [node.source_id for node in below])
    counts = _count(session, [node.source_id for node in below])
    wanted = IncidentFilter(state="", source=code)
    return SourcePage(
        source=label_source(row),
        region=row.region,
        carriers=tuple(str(carrier) for carrier in row.carriers),
        daily_parcels=row.daily_parcels,
        stage=row.stage,
        contact=row.contact,
        created_at=row.created_at,
        above=_load_above(session, row.id),
        children=tuple(_line(node, 0, (), counts, grand.get(node.source_id, 0)) for node in below),
        baits=list_baits_of(session, vault, row.id, number),
        exposed=_count_exposed(session, row.id),
        incidents=list_incidents(session, viewer, wanted, 1, INCIDENTS_SHOWN).items,
    )


NODES = select(
    Source.id, Source.code, Source.name, Source.kind, Source.parent_id, Source.region
).order_by(Source.code)


def _load_nodes(session: Session) -> dict[int, _Node]:
    return {row[0]: _to_node(*row) for row in session.execute(NODES)}


def _load_children(session: Session, source_id: int) -> list[_Node]:
    rows = session.execute(NODES.where(Source.parent_id == source_id).limit(TREE_SIZE))
    return [_to_node(*row) for row in rows]


def _count_children(session: Session, source_ids: Sequence[int]) -> Mapping[int | None, int]:
    query = (
        select(Source.parent_id, func.count())
        .where(Source.parent_id.in_(source_ids))
        .group_by(Source.parent_id)
    )
    return count_groups(session, query)


def _load_above(session: Session, source_id: int) -> tuple[SourceLabel, ...]:
    """Load the line from the top down to a source's parent."""
    start = select(Source.id, Source.parent_id, literal(0).label("depth"))
    line = start.where(Source.id == source_id).cte("line", recursive=True)
    above = select(Source.id, Source.parent_id, line.c.depth + 1)
    line = line.union_all(above.where(Source.id == line.c.parent_id, line.c.depth < DEEPEST))
    rows = session.scalars(
        select(Source)
        .join(line, Source.id == line.c.id)
        .where(line.c.depth > 0)
        .order_by(line.c.depth.desc())
    )
    return tuple(label_source(row) for row in rows)


def _to_node(
    source_id: int, code: str, name: str, kind: str, parent_id: int | None, region: str | None
) -> _Node:
    return _Node(
        source_id=source_id,
        label=SourceLabel(code=code, name=name, kind=kind),
        parent_id=parent_id,
        region=region,
    )


def _group(nodes: Mapping[int, _Node]) -> dict[int | None, list[_Node]]:
    grouped: dict[int | None, list[_Node]] = {}
    for node in nodes.values():
        grouped.setdefault(node.parent_id, []).append(node)
    return grouped


def _lay_out(children: Mapping[int | None, Sequence[_Node]], root: int | None) -> list[Laid]:
    """Walk the tree depth first; `leads` tells for each level whether its line goes on."""
    laid: list[Laid] = []
    stack = _step(children.get(root, ()), 0, ())
    while stack:
        node, depth, leads = stack.pop()
        laid.append((node, depth, leads))
        stack.extend(_step(children.get(node.source_id, ()), depth + 1, leads))
    return laid


def _step(nodes: Sequence[_Node], depth: int, leads: tuple[bool, ...]) -> list[Laid]:
    """Return nodes of one level in the order a stack gives them back."""
    placed: list[Laid] = [
        (node, depth, (*leads, place < len(nodes) - 1)) for place, node in enumerate(nodes)
    ]
    return placed[::-1]


def _line(
    node: _Node, depth: int, leads: tuple[bool, ...], counts: _Counts, children: int
) -> SourceLine:
    return SourceLine(
        source=node.label,
        depth=min(depth, 8),
        region=node.region,
        baits=counts.baits.get(node.source_id, 0),
        live=counts.live.get(node.source_id, 0),
        incidents=counts.incidents.get(node.source_id, 0),
        children=children,
        leads=leads[:8],
    )


def _count(session: Session, ids: Sequence[int]) -> _Counts:
    placed = (
        select(Placement.source_id, func.count())
        .where(Placement.source_id.in_(ids))
        .group_by(Placement.source_id)
    )
    live = placed.join(Bait, Placement.bait_id == Bait.id).where(is_in_place())
    incidents = (
        select(Incident.scope_source_id, func.count())
        .where(Incident.scope_source_id.in_(ids), Incident.state == "open")
        .group_by(Incident.scope_source_id)
    )
    return _Counts(
        baits=count_groups(session, placed),
        live=count_groups(session, live),
        incidents={key or 0: count for key, count in session.execute(incidents)},
    )


def _count_exposed(session: Session, source_id: int) -> int:
    query = select(func.count(Exposure.bait_id.distinct())).where(Exposure.source_id == source_id)
    return session.scalar(query) or 0


def _fits(node: _Node, query: str) -> bool:
    wanted = query.casefold()
    return wanted in node.label.code.casefold() or wanted in node.label.name.casefold()


def _find_node(nodes: Mapping[int, _Node], code: str) -> _Node:
    found = next((node for node in nodes.values() if node.label.code == code), None)
    if found is None:
        msg = f"there is no source {code}"
        raise NotFound(msg)
    return found


def _list_above(nodes: Mapping[int, _Node], node: _Node) -> tuple[SourceLabel, ...]:
    """Return the line from the top down to this node's parent."""
    line: list[SourceLabel] = []
    parent_id = node.parent_id
    while parent_id is not None and parent_id in nodes and len(line) < DEEPEST:
        line.append(nodes[parent_id].label)
        parent_id = nodes[parent_id].parent_id
    return tuple(reversed(line))
