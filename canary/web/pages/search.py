"""Search over the stored texts of sightings."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from canary.domain.errors import Invalid
from canary.services.detection.textindex import search_texts
from canary.services.pages.sightings import note_reading
from canary.web.auth import get_viewer
from canary.web.forms import read_number
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem

blueprint = Blueprint("search", __name__)


@blueprint.route("/search", methods=["GET", "POST"])
def texts() -> ResponseReturnValue:
    """Show the form, and what was found; the words are posted, so that no address holds them."""
    if request.method == "GET":
        return render_template("search.html")
    parts, viewer = get_parts(), get_viewer()
    line = request.form.get("line", "")
    try:
        with parts.database.read() as session:
            found = search_texts(session, parts.vault, viewer, line, older=read_number("older"))
    except Invalid as error:
        problem = tell_problem(error.flaws[0].problem)
        return render_template("search.html", line=line[:100], problem=problem), 400
    with parts.database.write() as session:
        note_reading(session, viewer, "sightings/search", parts.clock())
    return render_template("search.html", line=line, found=found)
