"""Baits, masked."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from canary.services.pages_baits import BaitFilter, list_baits, list_batches, load_bait
from canary.web.forms import read_page
from canary.web.parts import get_parts

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
    parts = get_parts()
    with parts.database.read() as session:
        page = load_bait(session, parts.vault, ref)
    return render_template("bait.html", page=page)
