"""API keys: what programs show instead of signing in."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Invalid
from canary.services.people.keys import Scope, create_key, list_keys, revoke_key
from canary.web.api.app import OPERATIONS
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import read_number, read_text
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem

LONGEST_DAYS = 365
# Offered are the scopes that open something.
_OPENING = {Scope.METRICS_READ, *(each.scope for each in OPERATIONS)}
USABLE = tuple(one for one in Scope if one in _OPENING)

blueprint = Blueprint("keys", __name__)


@blueprint.get("/keys")
def list_all() -> ResponseReturnValue:
    """Show every key with its scopes, its end and its last use; never its secret."""
    return _render()


@blueprint.post("/keys")
def create() -> ResponseReturnValue:
    """Make a key and show it this once; asks for a fresh sign-in."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        return _render(gettext("Sign in again before changing who may do what.")), 403
    days = read_number("days") or 0
    if not 1 <= days <= LONGEST_DAYS:
        return _render(tell_problem("this end does not fit")), 400
    try:
        with parts.database.write() as session:
            shown = create_key(
                session,
                name=read_text("name"),
                scopes=request.form.getlist("scope")[: len(Scope)],
                expires_at=now + timedelta(days=days),
                actor=viewer.name,
                now=now,
            )
    except Invalid as error:
        return _render(tell_problem(error.flaws[0].problem)), 400
    return _render(shown=shown)


@blueprint.post("/keys/<ref>/revoke")
def revoke(ref: str) -> ResponseReturnValue:
    """End a key at once."""
    parts = get_parts()
    try:
        with parts.database.write() as session:
            revoke_key(session, ref[:40], actor=get_viewer().name, now=parts.clock())
    except Conflict:
        flash(gettext("It was revoked already."))
    else:
        flash(gettext("The key is revoked."))
    return redirect(url_for("keys.list_all"), 303)


def _render(problem: str = "", *, shown: str = "") -> str:
    parts = get_parts()
    with parts.database.read() as session:
        lines = list_keys(session, parts.clock())
    return render_template("keys.html", lines=lines, scopes=USABLE, problem=problem, shown=shown)
