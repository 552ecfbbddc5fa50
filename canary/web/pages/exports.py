"""The lists as files: what the address narrows a page to, as CSV, XLSX or JSON."""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from canary.domain.errors import Invalid
from canary.services.audit import record
from canary.services.exports import write_csv, write_json, write_xlsx
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.errors import show_error
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem
from canary.web.tables import MOST, TABLES, Table

SHAPES: Mapping[str, tuple[Callable[..., bytes], str]] = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "xlsx": (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": (write_json, "application/json"),
}

blueprint = Blueprint("exports", __name__)


def send(table: Table, shape: str) -> ResponseReturnValue:
    """Send a list as a file, whole or not at all; that it was taken is written down."""
    parts, viewer = get_parts(), get_viewer()
    try:
        rows = table.load(viewer)
    except Invalid as error:
        return show_error(400, tell_problem(error.flaws[0].problem))
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
    response = Response(write(table.columns.split(), rows.lines), mimetype=mimetype)
    name = f"{table.name}-{parts.clock():%Y%m%d-%H%M}.{shape}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _make_view(table: Table) -> Callable[[str], ResponseReturnValue]:
    def view(shape: str) -> ResponseReturnValue:
        return send(table, shape)

    return view


for _table in TABLES:
    blueprint.add_url_rule(
        f"/{_table.name}.<any({', '.join(SHAPES)}):shape>",
        _table.name,
        _make_view(_table),
        methods=_table.methods,
    )
