"""The queue of incidents, the page of one, and decisions."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Invalid
from canary.services.cases import review
from canary.services.cases.casework import Step, list_workers
from canary.services.cases.queue_search import KEYS, IncidentFilter, check_filter, read_query
from canary.services.cases.undoing import can_undo
from canary.services.cases.views import list_views
from canary.services.pages.incidents import load_incident
from canary.services.pages.queue import count_incidents, list_incidents
from canary.services.pages.sightings import load_raw, load_sighting, note_reading
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import DecisionForm, read_decision, read_page
from canary.web.language import get_lang, get_zone
from canary.web.pages.casework import keep_undo
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem
from canary.web.words import label

LINKED = ("state", "verdict", "source")

blueprint = Blueprint("incidents", __name__)


@blueprint.get("/incidents")
def queue() -> ResponseReturnValue:
    """Show the queue, narrowed by the address."""
    parts, viewer = get_parts(), get_viewer()
    wanted, problem = _try_filter()
    with parts.database.read() as session:
        found = list_incidents(
            session, viewer, wanted, read_page(), now=parts.clock(), zone=get_zone()
        )
        asleep = wanted.but(snoozed="yes")
        hidden = (
            count_incidents(session, viewer, asleep, now=parts.clock(), zone=get_zone())
            if wanted.snoozed == "no" and wanted.state == "open"
            else 0
        )
        kept = list_views(session, viewer)
        workers = list_workers(session) if viewer.decides else []
    page = render_template(
        "incidents.html",
        found=found,
        wanted=wanted,
        line=wanted.to_query(),
        problem=problem,
        views=kept,
        hidden=hidden,
        workers=workers,
        keys=KEYS,
    )
    return page, 400 if problem else 200


@blueprint.get("/incidents/<int:incident_id>")
def show(incident_id: int) -> ResponseReturnValue:
    """Show one incident; reading evidence in clear is written down."""
    return _render(incident_id)


@blueprint.post("/incidents/<int:incident_id>/decision")
def decide(incident_id: int) -> ResponseReturnValue:
    """Keep a decision, or show the page again with what is in its way."""
    parts, viewer = get_parts(), get_viewer()
    form = read_decision()
    try:
        with parts.database.write() as session:
            review.decide(
                session,
                incident_id,
                decision=form.decision,
                reason=form.reason,
                version=form.version,
                viewer=viewer,
                now=parts.clock(),
                public_url=parts.public_url,
            )
    except Invalid as error:
        return _render(incident_id, form, problem=error.flaws[0].problem), 400
    except Conflict as error:
        return _render(incident_id, form, problem=str(error)), 409
    step = Step(incident_id=incident_id, after=form.version + 1)
    keep_undo(form.decision.value, [step], parts.clock())
    told = gettext("Saved: %(decision)s", decision=label("decision", form.decision.value))
    flash(told, "undo" if can_undo(form.decision.value) else "good")
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)


@blueprint.get("/sightings/<ref>")
def sighting(ref: str) -> ResponseReturnValue:
    """Show one sighting in clear; reading it is written down."""
    parts, viewer = get_parts(), get_viewer()
    with parts.database.read() as session:
        page = load_sighting(session, parts.vault, viewer, ref)
    with parts.database.write() as session:
        note_reading(session, viewer, f"sighting/{ref[:20]}", parts.clock())
    return render_template("sighting.html", page=page)


@blueprint.get("/sightings/<ref>/raw")
def raw(ref: str) -> ResponseReturnValue:
    """Send the bytes as they came in, as a download that no browser opens."""
    parts, viewer = get_parts(), get_viewer()
    with parts.database.read() as session:
        post = load_raw(session, parts.vault, viewer, ref)
    with parts.database.write() as session:
        note_reading(session, viewer, f"sighting/{ref[:20]}", parts.clock())
    response = Response(post.body, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="post-{post.ref}.bin"'
    response.headers["X-Body-SHA256"] = post.sha256
    return response


def read_filter() -> IncidentFilter:
    """Read the search line of the address, and the plain parameters that links use.

    Raises Invalid.
    """
    wanted = read_query(request.args.get("q", "").strip())
    plain = {name: request.args[name][:120] for name in LINKED if request.args.get(name)}
    wanted = wanted.but(**plain)
    check_filter(wanted)
    return wanted


def _try_filter() -> tuple[IncidentFilter, str]:
    try:
        return read_filter(), ""
    except Invalid as error:
        flaw = error.flaws[0]
        words = [flaw.field or "", tell_problem(flaw.problem), flaw.mend]
        return IncidentFilter(), " · ".join(word for word in words if word)


def _render(incident_id: int, form: DecisionForm | None = None, *, problem: str = "") -> str:
    parts, viewer = get_parts(), get_viewer()
    with parts.database.read() as session:
        page = load_incident(
            session,
            parts.vault,
            viewer,
            incident_id,
            lang=get_lang(),
            now=parts.clock(),
            number=read_page(),
        )
        workers = list_workers(session) if viewer.decides else []
    if page.shows_text:
        with parts.database.write() as session:
            note_reading(session, viewer, f"incident/{incident_id}", parts.clock())
    return render_template(
        "incident.html",
        incident=page,
        form=form,
        problem=tell_problem(problem) if problem else "",
        workers=workers,
    )
