"""Import, list and export the sources."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Flaw, Invalid, NotFound
from canary.domain.sources import SourceKind, find_cycle
from canary.services.audit import record
from canary.services.stale import mark_holders_stale
from canary.services.stock.imports import TableRow
from canary.services.viewing import list_below
from canary.storage.tables import Source

REQUIRED = ("code", "name", "kind")
OPTIONAL = ("parent", "region", "carriers", "daily_parcels", "stage", "contact")
COLUMNS = (*REQUIRED[:3], *OPTIONAL)
KINDS = ", ".join(SourceKind)
CODE_LENGTH = 64
CHUNK = 500
LONGEST = {"name": 200, "stage": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did, or would do; `notes` are what to know before relying on it."""

    created: int
    updated: int
    unchanged: int
    notes: tuple[str, ...] = ()


def import_sources(
    session: Session,
    rows: Sequence[TableRow],
    *,
    carriers: Sequence[str],
    actor: str,
    now: datetime,
) -> ImportResult:
    """Create or update sources from a table; all or nothing. Raises Invalid with every flaw."""
    # Of a network of ten thousand a table often names a few: only those are loaded as rows.
    tree = session.execute(select(Source.code, Source.id, Source.parent_id)).all()
    ids = {row.code: row.id for row in tree}
    flaws = _check_rows(rows, set(ids), carriers)
    flaws += _check_tree(rows, {row.code: (row.id, row.parent_id) for row in tree})
    if flaws:
        raise Invalid(flaws=flaws)
    known = _load_named(session, rows, ids)
    result = _apply(session, rows, known, now)
    _judge_moved_anew(session, {row.id: row.parent_id for row in tree}, known.values())
    record(
        session,
        actor,
        "sources.imported",
        "sources",
        now,
        created=result.created,
        updated=result.updated,
    )
    return result


def list_sources(session: Session) -> list[dict[str, object]]:
    """List every source as the columns of sources.csv."""
    sources = session.scalars(select(Source).order_by(Source.code)).all()
    codes = {source.id: source.code for source in sources}
    return [
        {
            "code": source.code,
            "name": source.name,
            "kind": source.kind,
            "parent": codes.get(source.parent_id or 0, ""),
            "region": source.region or "",
            "carriers": " ".join(source.carriers),
            "daily_parcels": source.daily_parcels if source.daily_parcels is not None else "",
            "stage": source.stage or "",
            "contact": source.contact or "",
        }
        for source in sources
    ]


def get_source(session: Session, code: str) -> Source:
    """Return the source with this code. Raises NotFound."""
    source = session.scalar(select(Source).where(Source.code == code))
    if source is None:
        msg = f"there is no source {code!r}; see `canary sources list`"
        raise NotFound(msg)
    return source


def _check_rows(rows: Sequence[TableRow], known: set[str], carriers: Sequence[str]) -> list[Flaw]:
    flaws: list[Flaw] = []
    seen: dict[str, int] = {}
    for row in rows:
        flaws.extend(_check_row(row, carriers))
        code = row.cells["code"]
        if code and code in seen:
            flaws.append(
                Flaw(
                    problem=f"code {code!r} stands in row {seen[code]} already",
                    row=row.number,
                    field="code",
                    mend="give each source a code of its own",
                )
            )
        seen.setdefault(code, row.number)
    for row in rows:
        parent = row.cells.get("parent", "")
        if parent and parent not in seen and parent not in known:
            flaws.append(
                Flaw(
                    problem=f"parent {parent!r} is not a source",
                    row=row.number,
                    field="parent",
                    mend="add a row for it or correct the code",
                )
            )
    return flaws


def _check_row(row: TableRow, carriers: Sequence[str]) -> list[Flaw]:
    cells = row.cells

    def flaw(field: str, problem: str, mend: str) -> Flaw:
        return Flaw(problem=problem, row=row.number, field=field, mend=mend)

    flaws: list[Flaw] = []
    code = cells.get("code", "")
    if not code:
        flaws.append(flaw("code", "the code is empty", "give each source a short unique code"))
    elif len(code) > CODE_LENGTH or any(ch.isspace() or not ch.isprintable() for ch in code):
        flaws.append(
            flaw(
                "code",
                f"{code[:80]!r} is not a code",
                f"use up to {CODE_LENGTH} characters without spaces",
            )
        )
    if not cells.get("name"):
        flaws.append(flaw("name", "the name is empty", "give the source a name people know"))
    flaws.extend(
        flaw(name, f"this is longer than {longest} characters", "shorten it")
        for name, longest in LONGEST.items()
        if len(cells.get(name, "")) > longest
    )
    if cells.get("kind", "") not in set(SourceKind):
        flaws.append(
            flaw("kind", f"unknown kind {cells.get('kind', '')[:40]!r}", f"use one of {KINDS}")
        )
    parcels = cells.get("daily_parcels", "")
    if parcels and not (parcels.isascii() and parcels.isdigit() and len(parcels) < 10):
        flaws.append(
            flaw(
                "daily_parcels",
                f"{parcels[:40]!r} is not a whole number",
                "give parcels a day, such as 1200",
            )
        )
    region = cells.get("region", "")
    if region and not (region.isascii() and region.isdigit() and len(region) in {2, 4, 6, 9}):
        flaws.append(
            flaw(
                "region",
                f"{region[:40]!r} is not a division code",
                "give 2, 4 or 6 digits such as 440305",
            )
        )
    flaws.extend(
        flaw("carriers", f"unknown carrier {carrier[:40]!r}", f"use {', '.join(carriers)}")
        for carrier in split_carriers(cells.get("carriers", ""))
        if carrier not in carriers
    )
    return flaws


def split_carriers(text: str) -> list[str]:
    """Split a cell of carrier codes at spaces, commas, semicolons or bars."""
    for mark in ",;|、，；":
        text = text.replace(mark, " ")
    return text.upper().split()


def _load_named(
    session: Session, rows: Sequence[TableRow], ids: Mapping[str, int]
) -> dict[str, Source]:
    """Load the sources that a table names as themselves or as a parent."""
    named = {code for row in rows for code in (row.cells["code"], row.cells.get("parent", ""))}
    wanted = sorted(ids[code] for code in named if code in ids)
    found: dict[str, Source] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(Source).where(Source.id.in_(wanted[start : start + CHUNK]))
        found.update({source.code: source for source in session.scalars(query)})
    return found


def _check_tree(
    rows: Sequence[TableRow], known: Mapping[str, tuple[int, int | None]]
) -> list[Flaw]:
    codes = {source_id: code for code, (source_id, _) in known.items()}
    parents: dict[str, str | None] = {
        code: codes.get(parent_id or 0) for code, (_, parent_id) in known.items()
    }
    parents.update(
        {row.cells["code"]: row.cells["parent"] or None for row in rows if "parent" in row.cells}
    )
    cycle = find_cycle(parents)
    if not cycle:
        return []
    row = next((row.number for row in rows if row.cells["code"] in cycle), None)
    return [
        Flaw(
            problem=f"{' -> '.join([*cycle, cycle[0]])} is a circle",
            row=row,
            field="parent",
            mend="a source cannot stand above itself; correct one parent",
        )
    ]


def _apply(
    session: Session, rows: Sequence[TableRow], known: dict[str, Source], now: datetime
) -> ImportResult:
    fresh = {row.cells["code"] for row in rows if row.cells["code"] not in known}
    for row in rows:
        if row.cells["code"] in fresh:
            source = Source(code=row.cells["code"], created_at=now, updated_at=now, **_values(row))
            session.add(source)
            known[source.code] = source
    session.flush()
    updated = sum(
        _update(known[row.cells["code"]], row, known, now) and row.cells["code"] not in fresh
        for row in rows
    )
    session.flush()
    return ImportResult(
        created=len(fresh), updated=updated, unchanged=len(rows) - len(fresh) - updated
    )


def _judge_moved_anew(
    session: Session, parents: Mapping[int, int | None], named: Collection[Source]
) -> None:
    """Mark the incidents below sources that moved: others could have read those baits."""
    moved = [one.id for one in named if parents.get(one.id, one.parent_id) != one.parent_id]
    below: set[int] = set()
    for start in range(0, len(moved), CHUNK):
        below.update(session.scalars(list_below(Source.id.in_(moved[start : start + CHUNK]))))
    if below:
        mark_holders_stale(session, below)


def _update(source: Source, row: TableRow, known: Mapping[str, Source], now: datetime) -> bool:
    wanted = _values(row)
    if "parent" in row.cells:
        parent = row.cells["parent"]
        wanted["parent_id"] = known[parent].id if parent else None
    if all(getattr(source, name) == value for name, value in wanted.items()):
        return False
    for name, value in wanted.items():
        setattr(source, name, value)
    source.updated_at = now
    return True


def _values(row: TableRow) -> dict[str, object]:
    """Read what the row says; a column the table does not have is left as it is."""
    return {name: _READ[name](cell) for name, cell in row.cells.items() if name in _READ}


_READ: dict[str, Callable[[str], object]] = {
    "name": str,
    "kind": str,
    "region": lambda cell: cell or None,
    "carriers": split_carriers,
    "daily_parcels": lambda cell: int(cell) if cell else None,
    "stage": lambda cell: cell or None,
    "contact": lambda cell: cell or None,
}
