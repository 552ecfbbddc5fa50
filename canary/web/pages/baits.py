"""Baits, masked; one in clear for somebody with a reason."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Forbidden, Invalid
from canary.domain.identifiers import BaitValues
from canary.services.access import confirm_password
from canary.services.cases.reveal import (
    answer_reveal,
    ask_reveal,
    find_own_request,
    list_requests,
    show_bait,
)
from canary.services.pages.baits import BaitFilter, list_baits, list_batches, load_bait
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import read_page
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem

blueprint = Blueprint("baits", __name__)


@blueprint.get("/baits")
def list_all() -> ResponseReturnValue:
    """Show the baits, narrowed by the address."""
    wanted = read_bait_filter()
    parts = get_parts()
    with parts.database.read() as session:
        found = list_baits(session, parts.vault, wanted, read_page())
        batches = list_batches(session)
    return render_template("baits.html", found=found, wanted=wanted, batches=batches)


@blueprint.get("/baits/<ref>")
def show(ref: str) -> ResponseReturnValue:
    """Show one bait."""
    return _render(ref)


@blueprint.post("/baits/<ref>/reveal")
def ask(ref: str) -> ResponseReturnValue:
    """Ask to see one bait in clear; somebody else must agree."""
    parts = get_parts()
    try:
        with parts.database.write() as session:
            reason = request.form.get("reason", "")
            ask_reveal(session, ref, viewer=get_viewer(), reason=reason, now=parts.clock())
    except Invalid as error:
        return _render(ref, problem=error.flaws[0].problem), 400
    except Conflict as error:
        return _render(ref, problem=str(error)), 409
    flash(gettext("Asked. Somebody else must agree before the values are shown."))
    return redirect(url_for("baits.show", ref=ref), 303)


@blueprint.post("/baits/<ref>/reveal/<int:request_id>")
def reveal(ref: str, request_id: int) -> ResponseReturnValue:
    """Show one bait in clear, once, to whoever asked, was agreed to, and gives their password."""
    parts, viewer = get_parts(), get_viewer()
    now = parts.clock()
    try:
        confirm_password(parts.database, viewer, request.form.get("password", ""), now)
        with parts.database.write() as session:
            shown = show_bait(session, parts.vault, request_id, viewer=viewer, now=now)
    except Forbidden as error:
        return _render(ref, problem=str(error)), 403
    except Conflict as error:
        return _render(ref, problem=str(error)), 409
    return _render(shown.ref, clear=shown.values)


@blueprint.get("/reveals")
def list_reveals() -> ResponseReturnValue:
    """Show who wants to see which bait in clear, and who agreed."""
    return _render_requests()


@blueprint.post("/reveals/<int:request_id>")
def answer(request_id: int) -> ResponseReturnValue:
    """Agree to somebody else's request, or refuse it."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        return _render_requests(gettext("Sign in again before you agree to a reveal.")), 403
    agreed = request.form.get("do") == "agree"
    try:
        with parts.database.write() as session:
            answer_reveal(session, request_id, agreed=agreed, viewer=viewer, now=now)
    except Forbidden as error:
        return _render_requests(tell_problem(str(error))), 403
    except Conflict as error:
        return _render_requests(tell_problem(str(error))), 409
    flash(gettext("Agreed.") if agreed else gettext("Refused."))
    return redirect(url_for("baits.list_reveals"), 303)


def read_bait_filter() -> BaitFilter:
    """Return what the address narrows the list to."""
    return BaitFilter(
        state=request.args.get("state", "")[:12],
        carrier=request.args.get("carrier", "")[:20],
        batch=request.args.get("batch", "")[:120],
        source=request.args.get("source", "")[:64],
        ref=request.args.get("ref", "").strip().upper()[:20],
    )


def _render(ref: str, *, clear: BaitValues | None = None, problem: str = "") -> str:
    parts, viewer = get_parts(), get_viewer()
    with parts.database.read() as session:
        page = load_bait(session, parts.vault, ref)
        asked = find_own_request(session, ref, viewer, parts.clock())
    problem = tell_problem(problem) if problem else ""
    return render_template("bait.html", page=page, clear=clear, problem=problem, asked=asked)


def _render_requests(problem: str = "") -> str:
    parts = get_parts()
    with parts.database.read() as session:
        found = list_requests(session, get_viewer(), parts.clock(), read_page())
    return render_template("reveals.html", found=found, problem=problem)
