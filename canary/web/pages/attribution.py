"""The page of the attribution's parameters, and drafting the next seeding of an incident."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.pages.attribution import load_attribution_page
from canary.services.verdicts.nextseeding import draft_next
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem

blueprint = Blueprint("attribution", __name__)


@blueprint.get("/attribution")
def show() -> ResponseReturnValue:
    """Show the parameters with what they rest on, and how firm the open verdicts are."""
    parts = get_parts()
    with parts.database.read() as session:
        page = load_attribution_page(session, parts.clock())
    return render_template("attribution.html", page=page)


@blueprint.post("/incidents/<int:incident_id>/next-seeding")
def draft(incident_id: int) -> ResponseReturnValue:
    """Draft the batch that should settle an incident."""
    parts = get_parts()
    try:
        with parts.database.write() as session:
            made = draft_next(session, incident_id, actor=get_viewer().name, now=parts.clock())
    except (Conflict, NotFound):
        flash(gettext("This seeding was drafted already, or there is nothing to draft."))
    except Invalid as error:
        flash(tell_problem(error.flaws[0].problem))
    else:
        flash(
            gettext(
                "Batch %(name)s is drafted: %(count)s baits. Its page makes them.",
                name=made.batch,
                count=made.baits,
            )
        )
        return redirect(url_for("batches.list_all"), 303)
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)
