"""Batches: plan, try, draft, make, hand over, confirm."""

import random
import re
from dataclasses import replace

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import CanaryError, Conflict, Flaw, Invalid, NotFound
from canary.services.baits import ordering
from canary.services.baits.confirming import confirm_planting, find_baits
from canary.services.baits.planting import Gardener, LabelWish
from canary.services.baits.rotation import list_gaps
from canary.services.baits.seeding import Nursery, SeedResult
from canary.services.exports import write_csv
from canary.services.pages import batches as pages_batches
from canary.services.stock.imports import read_table_bytes
from canary.web.auth import get_viewer
from canary.web.catalog import gettext, ngettext
from canary.web.flaws import tell_flaw, tell_row
from canary.web.forms import read_page, read_text
from canary.web.parts import get_parts
from canary.web.plans import COLUMNS, PlanForm, read_plan_file, read_plan_form, to_order
from canary.web.refusals import tell_problem
from seeds.templates import TEMPLATES

FORMATS = ("csv", "xlsx", "json")
LABELS = {"masked": LabelWish(), "full": LabelWish(masked=False)}
GAPS_SHOWN = 200
FLAWS_TOLD = 5

blueprint = Blueprint("batches", __name__)


@blueprint.get("/batches")
def list_all() -> ResponseReturnValue:
    """Show the batches, newest first."""
    with get_parts().database.read() as session:
        found = pages_batches.list_batches(session, read_page())
    return render_template("batches.html", found=found)


@blueprint.get("/gaps")
def gaps() -> ResponseReturnValue:
    """Show what was issued and never confirmed."""
    with get_parts().database.read() as session:
        found = list_gaps(session)
    return render_template("gaps.html", gaps=found[:GAPS_SHOWN], more=len(found) - GAPS_SHOWN)


@blueprint.route("/batches/new", methods=["GET", "POST"])
def plan() -> ResponseReturnValue:
    """Show the form; try what it says, or keep it as a draft."""
    if request.method == "GET":
        codes = request.args.get("source", "")[:64]
        return _show_plan(PlanForm(codes=codes, scope="some" if codes else "uncovered"))
    form, parts = read_plan_form(), get_parts()
    try:
        sent = read_plan_file()
        form = replace(form, plan=sent, scope="plan") if sent else form
        order = to_order(form)
        if request.form.get("action") != "draft":
            return _show_plan(form, result=ordering.try_order(_nursery(), order))
        now = parts.clock()
        number = ordering.draft_order(parts.database, order, actor=get_viewer().name, now=now)
    except (Invalid, NotFound, Conflict) as error:
        return _show_plan(form, problem=_say(error)), 400
    flash(gettext("Drafted. Nothing is made yet."))
    return redirect(url_for("batches.show", batch_id=number), 303)


@blueprint.get("/batches/<int:batch_id>")
def show(batch_id: int) -> ResponseReturnValue:
    """Show one batch."""
    return _show(batch_id)


@blueprint.get("/batches/<int:batch_id>/plan.csv")
def plan_file(batch_id: int) -> ResponseReturnValue:
    """Send the plan of a batch, to be changed and planned again."""
    with get_parts().database.read() as session:
        order = pages_batches.load_order(session, batch_id)
        rows = ordering.list_plan(session, order)
    return _send_file(write_csv(COLUMNS, rows), "text/csv", f"plan-{_plain(order.batch)}.csv")


@blueprint.post("/batches/<int:batch_id>/make")
def make(batch_id: int) -> ResponseReturnValue:
    """Have it made by the jobs."""
    parts = get_parts()
    try:
        with parts.database.write() as session:
            name = pages_batches.find_name(session, batch_id)
            ordering.start_making(session, name, actor=get_viewer().name, now=parts.clock())
    except Conflict as error:
        return _show(batch_id, tell_problem(str(error))), 409
    flash(gettext("It is being made; this page shows how far it is."))
    return redirect(url_for("batches.show", batch_id=batch_id), 303)


@blueprint.post("/batches/<int:batch_id>/sheets")
def sheets(batch_id: int) -> ResponseReturnValue:
    """Send the planting sheets; from now on the sources could leak what is in them."""
    parts = get_parts()
    template, shape = read_text("template"), read_text("format")
    with parts.database.read() as session:
        name = pages_batches.find_name(session, batch_id)
    gardener = Gardener(
        database=parts.database, vault=parts.vault, clock=parts.clock, actor=get_viewer().name
    )
    try:
        packed = pages_batches.pack_sheets(
            gardener,
            name,
            template=template if template in TEMPLATES else "generic",
            sheet_format=shape if shape in FORMATS else "csv",
            labels=LABELS.get(read_text("labels")),
        )
    except Invalid as error:
        return _show(batch_id, _say(error)), 400
    return _send_file(packed, "application/zip", f"sheets-{_plain(name)}.zip")


@blueprint.post("/batches/<int:batch_id>/confirm")
def confirm(batch_id: int) -> ResponseReturnValue:
    """Note that baits are in place: of some sources, of a list of numbers, or all of them."""
    parts, viewer = get_parts(), get_viewer()
    now, upload = parts.clock(), request.files.get("file")
    try:
        with parts.database.write() as session:
            bait_ids = None
            if upload and upload.filename:
                rows = read_table_bytes(upload.read(), upload.filename, required=("number",))
                bait_ids = find_baits(session, parts.vault, rows)
            result = confirm_planting(
                session,
                batch_name=pages_batches.find_name(session, batch_id),
                sources=[code[:64] for code in request.form.getlist("source")],
                bait_ids=bait_ids,
                confirmed_by=read_text("by")[:120] or viewer.name,
                at=now,
                actor=viewer.name,
                now=now,
            )
    except Invalid as error:
        return _show(batch_id, _say(error)), 400
    told = ngettext("%(num)s bait confirmed.", "%(num)s baits confirmed.", result.confirmed)
    flash(told)
    return redirect(url_for("batches.show", batch_id=batch_id), 303)


def _send_file(body: bytes, mimetype: str, name: str) -> Response:
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60] or "batch"


def _show(batch_id: int, problem: str = "") -> str:
    with get_parts().database.read() as session:
        page = pages_batches.load_batch(session, batch_id, read_page())
    return render_template(
        "batch.html", page=page, problem=problem, templates=list(TEMPLATES), formats=FORMATS
    )


def _show_plan(form: PlanForm, *, result: SeedResult | None = None, problem: str = "") -> str:
    with get_parts().database.read() as session:
        uncovered = len(ordering.list_uncovered(session))
    return render_template(
        "batch_plan.html",
        form=form,
        columns=COLUMNS,
        result=result,
        problem=problem,
        uncovered=uncovered,
    )


def _nursery() -> Nursery:
    parts = get_parts()
    return Nursery(
        database=parts.database,
        vault=parts.vault,
        random=random.SystemRandom(),
        clock=parts.clock,
        actor=get_viewer().name,
    )


def _say(error: CanaryError) -> str:
    if not isinstance(error, Invalid):
        return tell_problem(str(error))
    return " ".join(_say_flaw(flaw) for flaw in error.flaws[:FLAWS_TOLD])


def _say_flaw(flaw: Flaw) -> str:
    told = ": ".join(tell_flaw(part) for part in (flaw.problem, flaw.mend) if part)
    return told if flaw.row is None else tell_row(flaw.row, told)
