"""Look through a text or a file for baits; file it as a report."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Invalid
from canary.services import uploads
from canary.services.detection import scanning
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import read_text
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem

blueprint = Blueprint("scan", __name__)


@blueprint.route("/scan", methods=["GET", "POST"])
def start() -> ResponseReturnValue:
    """Show the form and the last scans; keep what is sent and show what is in it."""
    parts = get_parts()
    if request.method == "GET":
        return _show_form()
    upload = request.files.get("file")
    body = upload.read() if upload and upload.filename else b""
    name = (upload.filename or "") if upload and body else gettext("pasted text")
    body = body or request.form.get("text", "").encode("utf-8", "replace")
    try:
        with parts.database.write() as session:
            ref = uploads.keep_upload(
                session,
                parts.vault,
                body,
                purpose=scanning.PURPOSE,
                name=name,
                viewer=get_viewer(),
                now=parts.clock(),
            )
    except Invalid as error:
        return _show_form(tell_problem(error.flaws[0].problem)), 400
    return redirect(url_for("scan.show", ref=ref), 303)


@blueprint.get("/scan/<ref>")
def show(ref: str) -> ResponseReturnValue:
    """Show what is in it."""
    return _show(ref)


@blueprint.post("/scan/<ref>/report")
def report(ref: str) -> ResponseReturnValue:
    """File it as a report by hand."""
    parts = get_parts()
    venue, basis = read_text("venue")[:200], read_text("basis")[:200]
    if not (venue and basis):
        return _show(ref, gettext("Say where it was seen and how it was obtained.")), 400
    try:
        filed = scanning.report_scan(
            parts.database,
            parts.vault,
            ref,
            venue=venue,
            basis=basis,
            transcription=request.form.get("text", "").strip(),
            viewer=get_viewer(),
            now=parts.clock(),
        )
    except Invalid as error:
        return _show(ref, tell_problem(error.flaws[0].problem)), 400
    except Conflict as error:
        return _show(ref, tell_problem(str(error))), 409
    flash(gettext("Taken as %(ref)s. If a bait is in it, an incident opens or grows.", ref=filed))
    return redirect(url_for("scan.show", ref=ref), 303)


def _show_form(problem: str = "") -> str:
    with get_parts().database.read() as session:
        lines = uploads.list_uploads(session, scanning.PURPOSE)
    return render_template("scan.html", lines=lines, problem=problem)


def _show(ref: str, problem: str = "") -> str:
    parts = get_parts()
    with parts.database.read() as session:
        page = scanning.run_scan(session, parts.vault, parts.live, ref)
    return render_template("scanned.html", page=page, problem=problem)
