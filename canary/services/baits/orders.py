"""What a seeder asks for, as it is kept with the batch so that it can be carried on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from canary.domain.errors import Flaw, Invalid
from canary.services.baits.custody import read_levels
from canary.services.baits.placing import LOCAL, SHEET
from canary.services.stock.imports import TableRow
from canary.storage.tables import Batch
from seeds.people import NameStyle

PLAN_REQUIRED = ("source", "count")
PLAN_OPTIONAL = ("carrier", "origin", "destination", "fields", "route")
MOST_BAITS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One row of plan.csv. `fields` are the levels its source sees, by name; None means all."""

    source: str
    count: int
    carrier: str | None = None
    origin: str | None = None
    destination: str | None = None
    fields: dict[str, int] | None = None
    route: str = SHEET
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedOrder:
    """What the seeder asks for: rows, or so many each for some sources; none means all of them.

    `reserved` takes only numbers the carriers reserved or voided; `drop` is the team's own
    address (district code, detail) where each source gets its unit; `mark_goods` gives each source
    a goods word of its own. Of the baits of each source that has a parent, `local` ones never enter
    a system the parent can query (without rows; a row says its own route). `resume` asks only to
    carry on what was begun or drafted.
    """

    batch: str
    sources: tuple[str, ...] = ()
    per_source: int = 4
    carrier: str | None = None
    controls: float = 0.05
    days: int = 1
    rows: tuple[PlanRow, ...] = ()
    reserved: bool = False
    names: NameStyle = NameStyle.BLENDED
    drop: tuple[str, str] | None = None
    mark_goods: bool = False
    local: int = 0
    forbids: bool = False
    resume: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the order as it is kept with its batch."""
        return {name: value for name, value in asdict(self).items() if name != "batch"}


def restore_order(batch: Batch) -> SeedOrder:
    """Return the order a batch was begun with."""
    stored = dict(batch.plan)
    drop = stored.get("drop")
    return SeedOrder(
        batch=batch.name,
        **{
            **stored,
            "sources": tuple(stored["sources"]),
            "rows": tuple(PlanRow(**row) for row in stored["rows"]),
            "names": NameStyle(stored["names"]),
            "drop": (drop[0], drop[1]) if drop else None,
            "resume": True,
        },
    )


def read_plan(rows: Sequence[TableRow]) -> tuple[PlanRow, ...]:
    """Read the rows of plan.csv. Raises Invalid with every flaw."""
    flaws: list[Flaw] = []
    plan: list[PlanRow] = []
    for row in rows:
        try:
            plan.append(_read_row(row))
        except Invalid as error:
            flaws.extend(error.flaws)
    if not flaws and not plan:
        raise Invalid("the plan has no rows", row=2, field="source", mend="give source and count")
    if flaws:
        raise Invalid(flaws=flaws)
    return tuple(plan)


def _read_row(row: TableRow) -> PlanRow:
    cells = {name: cell.strip() for name, cell in row.cells.items()}
    if not cells["source"]:
        raise Invalid("the source is empty", row=row.number, field="source", mend="give its code")
    route = cells.get("route") or SHEET
    if route not in (SHEET, LOCAL):
        raise Invalid(
            f"{route[:40]!r} is no route",
            row=row.number,
            field="route",
            mend=f"write {SHEET}, or {LOCAL} for what never enters a system others can query",
        )
    fields = cells.get("fields", "")
    return PlanRow(
        source=cells["source"],
        count=_read_count(row.number, cells["count"]),
        carrier=cells.get("carrier", "").upper() or None,
        origin=cells.get("origin") or None,
        destination=cells.get("destination") or None,
        fields=read_levels(fields, row=row.number) if fields else None,
        route=route,
        row=row.number,
    )


def _read_count(row: int, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 0 < int(text) <= MOST_BAITS):
        raise Invalid(
            f"{text[:40]!r} is not a count",
            row=row,
            field="count",
            mend=f"give a whole number from 1 to {MOST_BAITS}",
        )
    return int(text)
