"""The queue of incidents, the page of one, and decisions."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Invalid
from canary.services import review
from canary.services.audit import record
from canary.services.exports import write_csv
from canary.services.pages_incidents import (
    IncidentFilter,
    IncidentLine,
    list_incidents,
    load_incident,
)
from canary.services.pages_sightings import load_raw, note_reading
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import DecisionForm, read_decision, read_page
from canary.web.language import get_lang
from canary.web.parts import get_parts
from canary.web.words import label, tell_problem

EXPORTED = 5000
COLUMNS = (
    "incident",
    "state",
    "verdict",
    "named",
    "names",
    "confidence",
    "sightings",
    "opened_at",
    "last_sighting_at",
)

blueprint = Blueprint("incidents", __name__)


@blueprint.get("/incidents")
def queue() -> ResponseReturnValue:
    """Show the queue, narrowed by the address."""
    wanted = _read_filter()
    with get_parts().database.read() as session:
        found = list_incidents(session, get_viewer(), wanted, read_page())
    return render_template("incidents.html", found=found, wanted=wanted)


@blueprint.get("/incidents.csv")
def export() -> ResponseReturnValue:
    """Send the queue as it is narrowed now, for a spreadsheet."""
    parts, viewer = get_parts(), get_viewer()
    with parts.database.read() as session:
        found = list_incidents(session, viewer, _read_filter(), 1, EXPORTED)
    with parts.database.write() as session:
        record(session, viewer.name, "incidents.exported", "incidents", parts.clock())
    response = Response(
        write_csv(COLUMNS, [_to_row(line) for line in found.items]), mimetype="text/csv"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="incidents.csv"'
    return response


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
    flash(gettext("Saved: %(decision)s", decision=label("decision", form.decision.value)))
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)


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


def _read_filter() -> IncidentFilter:
    return IncidentFilter(
        state=request.args.get("state", "open")[:20].removeprefix("all"),
        verdict=request.args.get("verdict", "")[:20],
        source=request.args.get("source", "")[:64],
    )


def _to_row(line: IncidentLine) -> dict[str, object]:
    return {
        "incident": line.incident_id,
        "state": line.state,
        "verdict": line.verdict,
        "named": " ".join(one.code for one in line.named),
        "names": " ".join(one.name for one in line.named),
        "confidence": f"{line.confidence:.4f}",
        "sightings": line.sighting_count,
        "opened_at": line.opened_at.isoformat(),
        "last_sighting_at": line.last_sighting_at.isoformat(),
    }


def _render(incident_id: int, form: DecisionForm | None = None, *, problem: str = "") -> str:
    parts, viewer = get_parts(), get_viewer()
    with parts.database.read() as session:
        page = load_incident(
            session, parts.vault, viewer, incident_id, lang=get_lang(), number=read_page()
        )
    if page.shows_text:
        with parts.database.write() as session:
            note_reading(session, viewer, f"incident/{incident_id}", parts.clock())
    return render_template(
        "incident.html", incident=page, form=form, problem=tell_problem(problem) if problem else ""
    )
