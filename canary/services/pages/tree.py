"""The source tree, laid out line by line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import Select, func, literal, or_, select
from sqlalchemy.orm import Session

from canary.domain.errors import NotFound
from canary.domain.verdicts import Verdict
from canary.services.viewing import (
    Paged,
    SourceLabel,
    clamp_page,
    count_groups,
    is_in_place,
    label_source,
)
from canary.storage.tables import Bait, Incident, Placement, Source

TREE_SIZE = 100
DEEPEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One source in the tree. `depth` counts from 0 at the level shown first.

    `risk`: `named` by an open incident, `suspected` in one, `watched`, or `blind` without a bait.
    """

    source: SourceLabel
    depth: int
    region: str | None
    baits: int
    live: int
    incidents: int
    risk: str
    children: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTree:
    """A part of the tree, laid out line by line."""

    lines: Paged[SourceLine]
    above: tuple[SourceLabel, ...]
    query: str
    total: int


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
    named: frozenset[int]


def load_tree(
    session: Session,
    *,
    under: str = "",
    query: str = "",
    number: int = 1,
    size: int = TREE_SIZE,
) -> SourceTree:
    """Return the tree below `under`, or what `query` finds, one page of lines."""
    number = clamp_page(number)
    first = (number - 1) * size
    root = _find_source(session, under) if under else None
    if query:
        laid, total = _find_page(session, query, first, size)
    else:
        everything = _lay_out(session, root)
        laid, total = everything[first : first + size], len(everything)
    nodes = _load_nodes(session, [source_id for source_id, _ in laid])
    counts = _count(session, list(nodes))
    children = _count_children(session, list(nodes))
    lines = tuple(
        _line(nodes[source_id], depth, counts, children.get(source_id, 0))
        for source_id, depth in laid
    )
    return SourceTree(
        lines=Paged(items=lines, number=number, size=size, total=total),
        above=load_above(session, root) if root else (),
        query=query,
        total=session.scalar(select(func.count()).select_from(Source)) or 0,
    )


NODES = select(
    Source.id, Source.code, Source.name, Source.kind, Source.parent_id, Source.region
).order_by(Source.code)


def _load_nodes(session: Session, source_ids: Sequence[int]) -> dict[int, _Node]:
    rows = session.execute(NODES.where(Source.id.in_(source_ids)))
    return {row[0]: _to_node(*row) for row in rows}


def load_children(session: Session, source_id: int) -> tuple[SourceLine, ...]:
    """Return the sources directly below one."""
    rows = session.execute(NODES.where(Source.parent_id == source_id).limit(TREE_SIZE))
    nodes = [_to_node(*row) for row in rows]
    ids = [node.source_id for node in nodes]
    below, counts = _count_children(session, ids), _count(session, ids)
    return tuple(_line(node, 0, counts, below.get(node.source_id, 0)) for node in nodes)


def _count_children(session: Session, source_ids: Sequence[int]) -> Mapping[int | None, int]:
    query = (
        select(Source.parent_id, func.count())
        .where(Source.parent_id.in_(source_ids))
        .group_by(Source.parent_id)
    )
    return count_groups(session, query)


def load_above(session: Session, source_id: int) -> tuple[SourceLabel, ...]:
    """Return the line from the top down to a source's parent."""
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


def _lay_out(session: Session, root: int | None) -> list[tuple[int, int]]:
    """Walk the tree depth first and return each source's id with its depth.

    Ten thousand sources are laid out for the hundred shown: ids alone, no rows. They are read
    in the table's own order and sorted here: by the index of codes each row is a jump.
    """
    rows: Iterable[tuple[str, int, int | None]] = session.execute(
        select(Source.code, Source.id, Source.parent_id)
    )
    rows = sorted(rows, key=itemgetter(0), reverse=True)
    below: dict[int | None, list[int]] = {}
    for _, source_id, parent_id in rows:
        below.setdefault(parent_id, []).append(source_id)
    laid: list[tuple[int, int]] = []
    stack = [(source_id, 0) for source_id in below.get(root, ())]
    while stack:
        source_id, depth = stack.pop()
        laid.append((source_id, depth))
        stack += [(child, depth + 1) for child in below.get(source_id, ())]
    return laid


def _find_page(
    session: Session, query: str, first: int, size: int
) -> tuple[list[tuple[int, int]], int]:
    columns = (Source.code, Source.name)
    fits = or_(*(column.icontains(query, autoescape=True) for column in columns))
    found = select(Source.id).where(fits).order_by(Source.code).offset(first).limit(size)
    total = session.scalar(select(func.count(Source.id)).where(fits)) or 0
    return [(source_id, 0) for source_id in session.scalars(found)], total


def _line(node: _Node, depth: int, counts: _Counts, children: int) -> SourceLine:
    return SourceLine(
        source=node.label,
        depth=min(depth, 8),
        region=node.region,
        baits=counts.baits.get(node.source_id, 0),
        live=counts.live.get(node.source_id, 0),
        incidents=counts.incidents.get(node.source_id, 0),
        risk=_weigh_risk(node.source_id, counts),
        children=children,
    )


def _weigh_risk(source_id: int, counts: _Counts) -> str:
    if source_id in counts.named:
        return "named"
    if counts.incidents.get(source_id):
        return "suspected"
    return "watched" if counts.live.get(source_id) else "blind"


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
        named=frozenset(filter(None, session.scalars(_select_named(ids)))),
    )


def _select_named(ids: Sequence[int]) -> Select[int | None]:
    """Select the sources whose open incident may name them."""
    naming = [verdict.value for verdict in Verdict if verdict.names_a_source]
    return (
        select(Incident.scope_source_id)
        .where(Incident.scope_source_id.in_(ids), Incident.state == "open")
        .where(Incident.verdict.in_(naming))
        .distinct()
    )


def _find_source(session: Session, code: str) -> int:
    source_id = session.scalar(select(Source.id).where(Source.code == code))
    if source_id is None:
        msg = f"there is no source {code}"
        raise NotFound(msg)
    return source_id
