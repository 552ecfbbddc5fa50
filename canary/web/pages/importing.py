"""Bring in sources and phones: send a table, see what would happen, take what is right."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Invalid
from canary.services import uploads
from canary.services.stock import importing
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem
from seeds.carriers import load_carriers

blueprint = Blueprint("importing", __name__)
KIND = "<any(sources, phones):kind>"


@blueprint.route(f"/import/{KIND}", methods=["GET", "POST"])
def start(kind: str) -> ResponseReturnValue:
    """Show what the table must look like; keep the one that is sent."""
    parts = get_parts()
    if request.method == "GET":
        return _show_form(kind)
    upload = request.files.get("file")
    body = upload.read() if upload and upload.filename else b""
    name = (upload.filename or "") if upload and body else "pasted.csv"
    body = body or request.form.get("text", "").encode("utf-8", "replace")
    try:
        with parts.database.write() as session:
            ref = uploads.keep_upload(
                session,
                parts.vault,
                body,
                purpose=kind,
                name=name,
                viewer=get_viewer(),
                now=parts.clock(),
            )
    except Invalid as error:
        return _show_form(kind, tell_problem(error.flaws[0].problem)), 400
    return redirect(url_for("importing.show", kind=kind, ref=ref), 303)


@blueprint.get(f"/import/{KIND}/<ref>")
def show(kind: str, ref: str) -> ResponseReturnValue:
    """Show what the import would do."""
    return _show(kind, ref)


@blueprint.post(f"/import/{KIND}/<ref>")
def carry_out(kind: str, ref: str) -> ResponseReturnValue:
    """Take the rows that are right."""
    try:
        result = importing.carry_out(_call_clerk(), ref, kind)
    except Invalid as error:
        return _show(kind, ref, tell_problem(error.flaws[0].problem)), 400
    except Conflict as error:
        return _show(kind, ref, tell_problem(str(error))), 409
    flash(
        gettext(
            "%(created)s created, %(updated)s updated, %(unchanged)s unchanged.",
            created=result.created,
            updated=result.updated,
            unchanged=result.unchanged,
        )
    )
    return redirect(url_for("sources.tree" if kind == "sources" else "phones.list_all"), 303)


@blueprint.get(f"/import/{KIND}/<ref>/rejects.csv")
def rejects(kind: str, ref: str) -> ResponseReturnValue:
    """Send the refused rows with their reasons."""
    response = Response(importing.write_rejects(_call_clerk(), ref, kind), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{kind}-rejects.csv"'
    return response


def _call_clerk() -> importing.Clerk:
    parts = get_parts()
    return importing.Clerk(
        database=parts.database,
        vault=parts.vault,
        carriers=list(load_carriers()),
        actor=get_viewer().name,
        now=parts.clock(),
    )


def _show_form(kind: str, problem: str = "") -> str:
    form = importing.FORMS[kind]
    with get_parts().database.read() as session:
        lines = uploads.list_uploads(session, kind)
    return render_template("import.html", kind=kind, form=form, lines=lines, problem=problem)


def _show(kind: str, ref: str, problem: str = "") -> str:
    page = importing.preview(_call_clerk(), ref, kind)
    return render_template("imported.html", kind=kind, page=page, problem=problem)
