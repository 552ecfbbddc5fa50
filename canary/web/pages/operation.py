"""Reporters, stored posts, deliveries, the audit log, and reports by hand."""

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Invalid
from canary.services.alerts.delivering import redeliver as give_again
from canary.services.detection.rematching import list_rematches, request_rematch
from canary.services.inbox.again import try_again as give_post_again
from canary.services.inbox.manual import HandReport, Unchecked, report_by_hand
from canary.services.pages.audit import AuditFilter, list_audit
from canary.services.pages.operation import (
    list_deliveries,
    list_posts,
    page_reporters,
)
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import read_day, read_page, read_text
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem
from webhooks.errors import InboxBusy
from webhooks.inbound.rereading import read_again

STATES = ("waiting", "done", "dead")
# What an action is about: the part of its name before the point.
AREAS = (
    *("incident", "evidence", "bait", "batch", "sources", "user", "key"),
    *("reporter", "monitor", "endpoint"),
)

blueprint = Blueprint("operation", __name__)


@blueprint.get("/reporters")
def reporters() -> ResponseReturnValue:
    """Show who posts to us and who has gone silent."""
    parts = get_parts()
    with parts.database.read() as session:
        found = page_reporters(session, parts.clock(), read_page())
    return render_template("reporters.html", found=found, public_url=parts.public_url)


@blueprint.get("/inbox")
def inbox() -> ResponseReturnValue:
    """Show the stored posts and the dead letters among them."""
    state = read_state()
    with get_parts().database.read() as session:
        found = list_posts(session, state, read_page())
        rematches = list_rematches(session, limit=1)
    return render_template(
        "inbox.html", found=found, state=state, states=STATES, rematches=rematches
    )


@blueprint.post("/inbox/<ref>/again")
def try_again(ref: str) -> ResponseReturnValue:
    """Give a dead letter another try."""
    parts = get_parts()
    try:
        give_post_again(
            parts.database,
            parts.vault,
            read_again,
            ref,
            actor=get_viewer().name,
            now=parts.clock(),
        )
    except Invalid:
        flash(gettext("It still cannot be read. Mend the reporter's settings first."))
    else:
        flash(gettext("It will be tried again."))
    return redirect(url_for("operation.inbox", state="dead"), 303)


@blueprint.post("/inbox/rematch")
def rematch() -> ResponseReturnValue:
    """Match the stored sightings of the last days again."""
    parts, actor = get_parts(), get_viewer().name
    with parts.database.write() as session:
        request_rematch(session, "asked for in the dashboard", actor=actor, now=parts.clock())
    flash(gettext("Stored sightings will be matched again in the background."))
    return redirect(url_for("operation.inbox"), 303)


@blueprint.get("/deliveries")
def deliveries() -> ResponseReturnValue:
    """Show the alerts on their way."""
    state = read_state()
    with get_parts().database.read() as session:
        found = list_deliveries(session, state, read_page())
    return render_template("deliveries.html", found=found, state=state, states=STATES)


@blueprint.post("/deliveries/<int:delivery_id>/again")
def redeliver(delivery_id: int) -> ResponseReturnValue:
    """Give a delivery a new row of attempts."""
    parts = get_parts()
    with parts.database.write() as session:
        give_again(session, delivery_id, actor=get_viewer().name, now=parts.clock())
    flash(gettext("It will be tried again."))
    return redirect(url_for("operation.deliveries"), 303)


@blueprint.get("/audit")
def audit() -> ResponseReturnValue:
    """Show who did what."""
    wanted = read_audit_filter()
    with get_parts().database.read() as session:
        found = list_audit(session, wanted, read_page())
    given = {name: read_text(name) for name in ("q", "who", "action", "subject", "since", "until")}
    return render_template("audit.html", found=found, given=given, areas=AREAS)


@blueprint.route("/report", methods=["GET", "POST"])
def report() -> ResponseReturnValue:
    """Take what a person saw."""
    if request.method == "GET":
        return render_template("report.html")
    parts = get_parts()
    upload = request.files.get("file")
    body = upload.read() if upload and upload.filename else b""
    said = request.form.get("text", "")
    given = HandReport(
        body=body or said.encode("utf-8", "replace"),
        transcription=said.strip() if body else "",
        venue=request.form.get("venue", "").strip()[:200],
        basis=request.form.get("basis", "").strip()[:200],
        actor=get_viewer().name,
    )
    try:
        ref = report_by_hand(parts.database, parts.vault, given, now=parts.clock())
    except InboxBusy:
        abort(503)
    except Invalid as error:
        problem = tell_problem(error.flaws[0].problem)
        proposed = error.proposed if isinstance(error, Unchecked) else said
        page = render_template("report.html", problem=problem, given=given, proposed=proposed)
        return page, 400
    flash(gettext("Taken as %(ref)s. If a bait is in it, an incident opens or grows.", ref=ref))
    return redirect(url_for("incidents.queue"), 303)


def read_audit_filter() -> AuditFilter:
    """Return what the address narrows the log to; a day that cannot be read is none."""
    until = read_day("until")
    return AuditFilter(
        words=read_text("q")[:100],
        actor=read_text("who")[:120],
        action=read_text("action")[:80],
        subject=read_text("subject")[:200],
        since=read_day("since"),
        before=until + timedelta(days=1) if until else None,
    )


def read_state() -> str:
    """Return the state of work the address narrows a list to; empty for all."""
    state = request.args.get("state", "")
    return state if state in STATES else ""
