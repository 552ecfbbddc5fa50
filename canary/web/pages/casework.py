"""Work on many incidents at once, undo, and kept searches of the queue."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from canary.domain.errors import Conflict, Invalid
from canary.services.cases import casework, undoing, views
from canary.services.cases.casework import Desk, Outcome, Pick, Step
from canary.web.auth import get_viewer
from canary.web.catalog import gettext, ngettext
from canary.web.forms import read_number, read_text
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem

UNDO = "undo"
UNDO_WITHIN = timedelta(minutes=10)
ACTIONS = ("assign", "snooze", "wake", "dismiss", "merge")

blueprint = Blueprint("casework", __name__)


@blueprint.post("/incidents/work")
def work() -> ResponseReturnValue:
    """Do one thing to the incidents that were picked."""
    action, desk = read_text("action"), _desk()
    if action not in ACTIONS:
        return _back(gettext("Choose what to do."), "bad")
    change, picks = _choose(action, desk), _read_picks()
    try:
        with get_parts().database.write() as opened:
            outcome = change(opened, picks)
    except (Invalid, Conflict) as error:
        return _back(_say(error), "bad")
    keep_undo(action, outcome.steps, desk.now)
    told = ngettext("%(num)s incident done.", "%(num)s incidents done.", len(outcome.steps))
    if outcome.changed:
        numbers = ", ".join(f"#{number}" for number in outcome.changed)
        told += " " + gettext("Changed meanwhile, left as they are: %(numbers)s", numbers=numbers)
    return _back(told, "undo" if outcome.steps else "bad")


@blueprint.post("/incidents/<int:incident_id>/split")
def split(incident_id: int) -> ResponseReturnValue:
    """Move the sightings that were picked into an incident of their own."""
    pick = Pick(incident_id=incident_id, version=read_number("version") or 0)
    refs = [ref[:20] for ref in request.form.getlist("sighting")]
    try:
        with get_parts().database.write() as opened:
            fresh = casework.split(opened, pick, refs, reason=read_reason(), desk=_desk())
    except (Invalid, Conflict) as error:
        return _show(incident_id, _say(error), "bad")
    return _show(fresh, gettext("This is the new incident."), "good")


@blueprint.post("/incidents/<int:incident_id>/separate")
def separate(incident_id: int) -> ResponseReturnValue:
    """Take a merged incident out again."""
    try:
        with get_parts().database.write() as opened:
            casework.separate(opened, incident_id, reason=read_reason(), desk=_desk())
    except (Invalid, Conflict) as error:
        return _show(incident_id, _say(error), "bad")
    return _show(incident_id, gettext("It stands alone again."), "good")


@blueprint.post("/incidents/undo")
def undo() -> ResponseReturnValue:
    """Take back the last thing this person did, if it was a moment ago."""
    kept, desk = session.pop(UNDO, None), _desk()
    if not kept or desk.now > datetime.fromisoformat(kept["until"]):
        return _back(gettext("There is nothing to undo any more."), "bad")
    steps = [Step(incident_id=one[0], before=one[1], after=one[2]) for one in kept["steps"]]
    with get_parts().database.write() as opened:
        done = undoing.undo(opened, kept["action"], steps, desk)
    if done < len(steps):
        return _back(
            gettext("%(done)s of %(all)s undone; the rest changed.", done=done, all=len(steps)),
            "bad",
        )
    return _back(gettext("Undone."), "good")


@blueprint.post("/incidents/views")
def keep_view() -> ResponseReturnValue:
    """Keep the search under a name."""
    parts, query = get_parts(), read_text("q")
    try:
        with parts.database.write() as opened:
            views.keep_view(
                opened,
                get_viewer(),
                name=read_text("name"),
                query=query,
                is_shared=bool(read_text("shared")),
                now=parts.clock(),
            )
    except Invalid as error:
        return _back(_say(error), "bad")
    return _back(gettext("View kept."), "good")


@blueprint.post("/incidents/views/<int:view_id>/drop")
def drop_view(view_id: int) -> ResponseReturnValue:
    """Forget a kept search."""
    with get_parts().database.write() as opened:
        views.drop_view(opened, get_viewer(), view_id)
    return _back(gettext("View removed."), "good")


def keep_undo(action: str, steps: Sequence[Step], now: datetime) -> None:
    """Remember in the browser's signed session how to take this back."""
    if not steps or not undoing.can_undo(action):
        session.pop(UNDO, None)
        return
    kept: dict[str, Any] = {
        "action": action,
        "until": (now + UNDO_WITHIN).isoformat(),
        "steps": [[step.incident_id, step.before, step.after] for step in steps],
    }
    session[UNDO] = kept


def read_reason() -> str:
    """Return the reason as it was typed."""
    return request.form.get("reason", "")


def _choose(action: str, desk: Desk) -> Callable[..., Outcome]:
    """Return what to do with the picks, its choices read from the form."""
    match action:
        case "assign":
            return partial(casework.assign, to=_read_assignee(desk), desk=desk)
        case "snooze":
            return partial(casework.snooze, days=read_number("days"), desk=desk)
        case "wake":
            return partial(casework.wake, desk=desk)
        case "merge":
            return partial(casework.merge, reason=read_reason(), desk=desk)
        case _:
            return partial(casework.dismiss, reason=read_reason(), desk=desk)


def _read_assignee(desk: Desk) -> int | None:
    chosen = read_text("assignee")
    return desk.viewer.user_id if chosen == "me" else read_number("assignee")


def _read_picks() -> list[Pick]:
    """Read `number/version` pairs; what our page cannot have sent is left out."""
    picks = []
    for text in request.form.getlist("pick")[: casework.MOST_AT_ONCE + 1]:
        number, _, version = text[:30].partition("/")
        if number.isascii() and number.isdigit() and version.isascii() and version.isdigit():
            picks.append(Pick(incident_id=int(number), version=int(version)))
    return picks


def _desk() -> Desk:
    parts = get_parts()
    return Desk(viewer=get_viewer(), now=parts.clock(), public_url=parts.public_url)


def _say(error: Invalid | Conflict) -> str:
    return tell_problem(error.flaws[0].problem if isinstance(error, Invalid) else str(error))


def _show(incident_id: int, text: str, category: str) -> Response:
    flash(text, category)
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)


def _back(text: str, category: str) -> Response:
    """Return to the incident or to the queue as it was searched."""
    flash(text, category)
    number = read_number("incident")
    if number is not None:
        return redirect(url_for("incidents.show", incident_id=number), 303)
    return redirect(url_for("incidents.queue", q=read_text("q") or None), 303)
