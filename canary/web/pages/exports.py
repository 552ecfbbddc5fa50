"""The lists as files: what the address narrows a page to, as CSV, XLSX or JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from canary.services.access import Viewer
from canary.services.audit import record
from canary.services.exports import write_csv, write_json, write_xlsx
from canary.services.pages.audit import list_audit
from canary.services.pages.baits import list_baits
from canary.services.pages.incidents import list_incidents
from canary.services.pages.operation import list_deliveries, list_posts
from canary.services.pages.sources import load_tree
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.errors import show_error
from canary.web.language import get_zone
from canary.web.pages.baits import read_bait_filter
from canary.web.pages.incidents import read_filter
from canary.web.pages.operation import read_audit_filter, read_state
from canary.web.parts import get_parts

MOST = 20_000
Line = Mapping[str, object]

SHAPES: Mapping[str, tuple[Callable[..., bytes], str]] = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "xlsx": (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": (write_json, "application/json"),
}

blueprint = Blueprint("exports", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a list holds; `lines` is empty when there are more than one file takes."""

    total: int
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list that can be taken along: its columns, and how its rows are found."""

    name: str
    columns: tuple[str, ...]
    load: Callable[[Viewer], Rows]


def send(table: Table, shape: str) -> ResponseReturnValue:
    """Send a list as a file, whole or not at all; that it was taken is written down."""
    parts, viewer = get_parts(), get_viewer()
    rows = table.load(viewer)
    if rows.total > MOST:
        return show_error(
            400,
            gettext(
                "%(total)s rows are too many for one file; narrow the list to %(most)s.",
                total=rows.total,
                most=MOST,
            ),
        )
    with parts.database.write() as session:
        action = f"{table.name}.exported"
        record(session, viewer.name, action, table.name, parts.clock(), rows=len(rows.lines))
    write, mimetype = SHAPES[shape]
    response = Response(write(table.columns, rows.lines), mimetype=mimetype)
    name = f"{table.name}-{parts.clock():%Y%m%d-%H%M}.{shape}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _load_incidents(viewer: Viewer) -> Rows:
    now = get_parts().clock()
    with get_parts().database.read() as session:
        found = list_incidents(session, viewer, read_filter(), 1, MOST, now=now, zone=get_zone())
    lines = [
        {
            "incident": line.incident_id,
            "state": line.state,
            "verdict": line.verdict,
            "named": " ".join(one.code for one in line.named),
            "names": " ".join(one.name for one in line.named),
            "confidence": round(line.confidence, 4),
            "assignee": line.assignee,
            "sightings": line.sighting_count,
            "opened_at": _tell(line.opened_at),
            "last_sighting_at": _tell(line.last_sighting_at),
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_sources(viewer: Viewer) -> Rows:
    del viewer
    under, query = request.args.get("under", "")[:64], request.args.get("q", "").strip()[:100]
    with get_parts().database.read() as session:
        found = load_tree(session, under=under, query=query, size=MOST).lines
    lines = [
        {
            "code": line.source.code,
            "name": line.source.name,
            "kind": line.source.kind,
            "depth": line.depth,
            "region": line.region,
            "baits": line.baits,
            "in_place": line.live,
            "open_incidents": line.incidents,
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_baits(viewer: Viewer) -> Rows:
    del viewer
    # Looked at first: opening a million sealed values to refuse them would take minutes.
    vault, wanted = get_parts().vault, read_bait_filter()
    with get_parts().database.read() as session:
        total = list_baits(session, vault, wanted, 1, 1).total
        found = list_baits(session, vault, wanted, 1, MOST).items if total <= MOST else ()
    lines = [
        {
            "bait": line.ref,
            "state": line.state,
            "control": line.is_control,
            "carrier": line.carrier,
            "number": line.values.number,
            "name": line.values.name,
            "phone": line.values.phone,
            "address": line.values.address,
            "goods": line.goods,
            "source": line.source.code if line.source else None,
            "issued_at": _tell(line.issued_at),
            "surfaced": line.surfaced,
        }
        for line in found
    ]
    return Rows(total=total, lines=lines)


def _load_posts(viewer: Viewer) -> Rows:
    del viewer
    with get_parts().database.read() as session:
        found = list_posts(session, read_state(), 1, MOST)
    lines = [
        {
            "post": line.ref,
            "reporter": line.reporter,
            "received_at": _tell(line.received_at),
            "bytes": line.size,
            "grade": line.grade,
            "state": line.state,
            "attempts": line.attempts,
            "failure": line.failure,
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_deliveries(viewer: Viewer) -> Rows:
    del viewer
    with get_parts().database.read() as session:
        found = list_deliveries(session, read_state(), 1, MOST)
    lines = [
        {
            "delivery": line.delivery_id,
            "endpoint": line.endpoint,
            "type": line.type,
            "incident": line.incident_id,
            "state": line.state,
            "attempts": line.attempts,
            "due_at": _tell(line.due_at),
            "finished_at": _tell(line.finished_at),
            "last_status": line.last_status,
            "last_answer": line.last_answer,
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_audit(viewer: Viewer) -> Rows:
    del viewer
    with get_parts().database.read() as session:
        found = list_audit(session, read_audit_filter(), 1, MOST)
    lines = [
        {
            "at": _tell(line.at),
            "actor": line.actor,
            "action": line.action,
            "subject": line.subject,
            "reason": line.reason,
            "details": " ".join(f"{key}={value}" for key, value in line.details),
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _tell(at: datetime | None) -> str | None:
    """Return a time with the offset of the viewer's zone."""
    return at.astimezone(get_zone()).isoformat(timespec="seconds") if at else None


TABLES = (
    Table(
        name="incidents",
        columns=(
            "incident",
            "state",
            "verdict",
            "named",
            "names",
            "confidence",
            "assignee",
            "sightings",
            "opened_at",
            "last_sighting_at",
        ),
        load=_load_incidents,
    ),
    Table(
        name="sources",
        columns=(
            "code",
            "name",
            "kind",
            "depth",
            "region",
            "baits",
            "in_place",
            "open_incidents",
        ),
        load=_load_sources,
    ),
    Table(
        name="baits",
        columns=(
            "bait",
            "state",
            "control",
            "carrier",
            "number",
            "name",
            "phone",
            "address",
            "goods",
            "source",
            "issued_at",
            "surfaced",
        ),
        load=_load_baits,
    ),
    Table(
        name="inbox",
        columns=(
            "post",
            "reporter",
            "received_at",
            "bytes",
            "grade",
            "state",
            "attempts",
            "failure",
        ),
        load=_load_posts,
    ),
    Table(
        name="deliveries",
        columns=(
            "delivery",
            "endpoint",
            "type",
            "incident",
            "state",
            "attempts",
            "due_at",
            "finished_at",
            "last_status",
            "last_answer",
        ),
        load=_load_deliveries,
    ),
    Table(
        name="audit",
        columns=("at", "actor", "action", "subject", "reason", "details"),
        load=_load_audit,
    ),
)


def _make_view(table: Table) -> Callable[[str], ResponseReturnValue]:
    def view(shape: str) -> ResponseReturnValue:
        return send(table, shape)

    return view


for _table in TABLES:
    blueprint.add_url_rule(
        f"/{_table.name}.<any({', '.join(SHAPES)}):shape>", _table.name, _make_view(_table)
    )
