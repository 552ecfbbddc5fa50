"""The first page."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from canary.services.access import Role
from canary.services.pages.overview import load_overview
from canary.web.auth import get_viewer
from canary.web.language import get_zone
from canary.web.parts import get_parts

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """Show what is open, what is watched and what to do next."""
    parts, viewer = get_parts(), get_viewer()
    if viewer.role == Role.PARTNER:
        return redirect(url_for("incidents.queue"), 303)
    with parts.database.read() as session:
        overview = load_overview(session, viewer, parts.clock(), get_zone())
    return render_template("overview.html", overview=overview)
