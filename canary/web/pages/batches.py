"""Batches: plan, try, draft, make, hand over, confirm."""

import random
import re
from dataclasses import dataclass, field

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import CanaryError, Conflict, Invalid, NotFound
from canary.services.baits import ordering
from canary.services.baits.orders import SeedOrder
from canary.services.baits.planting import Gardener, confirm_planting
from canary.services.baits.rotation import list_gaps
from canary.services.baits.seeding import Nursery, SeedResult
from canary.services.pages import batches as pages_batches
from canary.web.auth import get_viewer
from canary.web.catalog import gettext, ngettext
from canary.web.flaws import tell_flaw
from canary.web.forms import read_number, read_page, read_text
from canary.web.parts import get_parts
from canary.web.words import tell_problem
from seeds.carriers import load_carriers
from seeds.templates import TEMPLATES

SCOPES = ("uncovered", "all", "some")
FORMATS = ("csv", "xlsx", "json")
GAPS_SHOWN = 200
MOST_EACH = 1000

blueprint = Blueprint("batches", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanForm:
    """A plan as it was typed. `controls` in percent."""

    name: str = ""
    scope: str = "uncovered"
    codes: str = ""
    per_source: int = 4
    controls: int = 5
    days: int = 1
    carrier: str = ""
    carriers: list[str] = field(default_factory=lambda: list(load_carriers()))


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
    form, parts = _read_plan(), get_parts()
    try:
        order = _to_order(form)
        if request.form.get("action") != "draft":
            return _show_plan(form, result=ordering.try_order(_nursery(), order))
        ordering.draft_order(parts.database, order, actor=get_viewer().name, now=parts.clock())
    except (Invalid, NotFound, Conflict) as error:
        return _show_plan(form, problem=_say(error)), 400
    with parts.database.read() as session:
        found = pages_batches.list_batches(session, 1).items
    number = next(line.batch_id for line in found if line.name == order.batch)
    flash(gettext("Drafted. Nothing is made yet."))
    return redirect(url_for("batches.show", batch_id=number), 303)


@blueprint.get("/batches/<int:batch_id>")
def show(batch_id: int) -> ResponseReturnValue:
    """Show one batch."""
    return _show(batch_id)


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
        )
    except Invalid as error:
        return _show(batch_id, _say(error)), 400
    response = Response(packed, mimetype="application/zip")
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60] or "batch"
    response.headers["Content-Disposition"] = f'attachment; filename="sheets-{plain}.zip"'
    return response


@blueprint.post("/batches/<int:batch_id>/confirm")
def confirm(batch_id: int) -> ResponseReturnValue:
    """Note that baits are in place at some sources, or at all of them."""
    parts, viewer = get_parts(), get_viewer()
    now = parts.clock()
    try:
        with parts.database.write() as session:
            result = confirm_planting(
                session,
                batch_name=pages_batches.find_name(session, batch_id),
                sources=[code[:64] for code in request.form.getlist("source")],
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
        "batch_plan.html", form=form, result=result, problem=problem, uncovered=uncovered
    )


def _read_plan() -> PlanForm:
    scope, carrier = read_text("scope"), read_text("carrier").upper()
    return PlanForm(
        name=read_text("name"),
        scope=scope if scope in SCOPES else "some",
        codes=request.form.get("codes", "")[:200_000],
        per_source=read_number("per_source") or 0,
        controls=min(max(read_number("controls") or 0, 0), 50),
        days=min(max(read_number("days") or 1, 1), 365),
        carrier=carrier[:20],
    )


def _to_order(form: PlanForm) -> SeedOrder:
    with get_parts().database.read() as session:
        if form.scope == "uncovered":
            codes = tuple(ordering.list_uncovered(session))
        else:
            codes = ordering.read_codes(form.codes) if form.scope == "some" else ()
        ordering.check_codes(session, codes)
    if not 1 <= form.per_source <= MOST_EACH:
        raise Invalid("this is too many or too few", field="per_source")
    if form.scope != "all" and not codes:
        raise Invalid("say which sources", field="sources")
    return SeedOrder(
        batch=form.name,
        sources=codes,
        per_source=form.per_source,
        carrier=form.carrier or None,
        controls=form.controls / 100,
        days=form.days,
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
    flaw = error.flaws[0]
    return ": ".join(tell_flaw(part) for part in (flaw.problem, flaw.mend) if part)
