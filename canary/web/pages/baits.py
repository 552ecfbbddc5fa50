"""Baits, masked; one in clear for somebody with a reason."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from canary.domain.errors import Forbidden, Invalid
from canary.domain.identifiers import BaitValues
from canary.services.access import confirm_password
from canary.services.pages_baits import BaitFilter, list_baits, list_batches, load_bait
from canary.services.reveal import reveal_bait
from canary.web.auth import get_viewer
from canary.web.forms import read_page
from canary.web.parts import get_parts
from canary.web.words import tell_problem

blueprint = Blueprint("baits", __name__)


@blueprint.get("/baits")
def list_all() -> ResponseReturnValue:
    """Show the baits, narrowed by the address."""
    wanted = BaitFilter(
        state=request.args.get("state", "")[:12],
        carrier=request.args.get("carrier", "")[:20],
        batch=request.args.get("batch", "")[:120],
        source=request.args.get("source", "")[:64],
        ref=request.args.get("ref", "").strip().upper()[:20],
    )
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
def reveal(ref: str) -> ResponseReturnValue:
    """Show one bait in clear, once, to somebody who gives their password and a reason."""
    parts, viewer = get_parts(), get_viewer()
    now = parts.clock()
    try:
        confirm_password(parts.database, viewer, request.form.get("password", ""), now)
        with parts.database.write() as session:
            values = reveal_bait(
                session,
                parts.vault,
                ref,
                viewer=viewer,
                reason=request.form.get("reason", ""),
                now=now,
            )
    except Forbidden as error:
        return _render(ref, problem=str(error)), 403
    except Invalid as error:
        return _render(ref, problem=error.flaws[0].problem), 400
    return _render(ref, clear=values)


def _render(ref: str, *, clear: BaitValues | None = None, problem: str = "") -> str:
    parts = get_parts()
    with parts.database.read() as session:
        page = load_bait(session, parts.vault, ref)
    problem = tell_problem(problem) if problem else ""
    return render_template("bait.html", page=page, clear=clear, problem=problem)
