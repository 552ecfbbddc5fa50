"""Who may sign in: the list, invitations and their taking up, changes."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.access import Role
from canary.services.people import accounts, factors, signins
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import read_number, read_text
from canary.web.language import LOCALES
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem
from canary.web.throttle import get_gate

blueprint = Blueprint("people", __name__)


@blueprint.get("/users")
def list_all() -> ResponseReturnValue:
    """Show who may sign in, and who is invited."""
    return _render()


@blueprint.post("/users")
def change() -> ResponseReturnValue:
    """Change what somebody may do; asks for a fresh sign-in."""
    parts, viewer, change_one = get_parts(), get_viewer(), CHANGES.get(read_text("do"))
    if change_one is None:
        return _render(tell_problem("there is no such choice")), 400
    if not viewer.is_fresh(parts.clock()):
        return _render(gettext("Sign in again before changing who may do what.")), 403
    try:
        with parts.database.read() as session:
            name = accounts.get_name(session, read_number("user_id") or 0)
        said = change_one(name)
    except (Invalid, Conflict) as error:
        problem = error.flaws[0].problem if isinstance(error, Invalid) else str(error)
        return _render(tell_problem(problem)), 400
    flash(said)
    return redirect(url_for("people.list_all"), 303)


@blueprint.post("/users/invitations")
def invite() -> ResponseReturnValue:
    """Invite somebody; the code is shown this once."""
    parts, viewer = get_parts(), get_viewer()
    if not viewer.is_fresh(parts.clock()):
        return _render(gettext("Sign in again before changing who may do what.")), 403
    lang = read_text("lang")
    try:
        with parts.database.write() as session:
            code = accounts.invite(
                session,
                name=read_text("name"),
                role=read_text("role"),
                source_code=read_text("source") or None,
                lang=lang if lang in LOCALES else None,
                actor=viewer.name,
                now=parts.clock(),
            )
    except Invalid as error:
        return _render(tell_problem(error.flaws[0].problem)), 400
    return _render(invited=read_text("name"), code=code)


@blueprint.post("/users/invitations/<int:invitation_id>/withdraw")
def withdraw(invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    parts = get_parts()
    with parts.database.write() as session:
        accounts.withdraw(session, invitation_id, actor=get_viewer().name, now=parts.clock())
    flash(gettext("The invitation is withdrawn."))
    return redirect(url_for("people.list_all"), 303)


@blueprint.route("/join", methods=["GET", "POST"])
def join() -> ResponseReturnValue:
    """Take up an invitation: its code is typed or comes behind the #, which no server log sees."""
    if request.method == "GET":
        return render_template("join.html")
    parts = get_parts()
    if not get_gate().admit(request.remote_addr or "", parts.clock()):
        return _refuse_join(gettext("Too many attempts. Wait a moment.")), 429
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _refuse_join(gettext("The two new passwords are not the same.")), 400
    try:
        with parts.database.write() as session:
            who = accounts.accept(session, read_text("code"), password=new, now=parts.clock())
    except Invalid as error:
        return _refuse_join(tell_problem(error.flaws[0].problem)), 400
    except (NotFound, Conflict) as error:
        return _refuse_join(tell_problem(str(error))), 400
    flash(gettext("Welcome, %(name)s. Sign in with your new password.", name=who.name))
    return redirect(url_for("account.sign_in"), 303)


def _set_role(name: str) -> str:
    with get_parts().database.write() as session:
        accounts.set_role(
            session,
            name,
            read_text("role"),
            source_code=read_text("source") or None,
            actor=get_viewer().name,
            now=get_parts().clock(),
        )
    return gettext("Saved.")


def _switch(name: str) -> str:
    active, now = read_text("do") == "on", get_parts().clock()
    with get_parts().database.write() as session:
        accounts.switch(session, name, active=active, actor=get_viewer().name, now=now)
    return gettext("Saved.")


def _reset(name: str) -> str:
    now = get_parts().clock()
    with get_parts().database.write() as session:
        password = accounts.reset_password(session, name, actor=get_viewer().name, now=now)
    return gettext(
        "%(name)s signs in with this one-time password, shown once: %(password)s",
        name=name,
        password=password,
    )


def _end_sign_ins(name: str) -> str:
    now = get_parts().clock()
    with get_parts().database.write() as session:
        signins.end_sign_ins(session, name=name, actor=get_viewer().name, now=now)
    return gettext("Every sign-in of %(name)s has ended.", name=name)


def _remove_factor(name: str) -> str:
    now = get_parts().clock()
    with get_parts().database.write() as session:
        factors.remove_factor(session, name=name, actor=get_viewer().name, now=now)
    return gettext("The second factor is removed.")


CHANGES: dict[str, Callable[[str], str]] = {
    "role": _set_role,
    "on": _switch,
    "off": _switch,
    "reset": _reset,
    "end": _end_sign_ins,
    "factor": _remove_factor,
}


def _refuse_join(problem: str) -> str:
    return render_template("join.html", problem=problem, code=read_text("code"))


def _render(problem: str = "", *, invited: str = "", code: str = "") -> str:
    parts = get_parts()
    with parts.database.read() as session:
        lines = accounts.list_people(session, parts.clock())
        invitations = accounts.list_invitations(session, parts.clock())
    return render_template(
        "users.html",
        lines=lines,
        invitations=invitations,
        roles=tuple(Role),
        problem=problem,
        invited=invited,
        code=code,
        join_url=f"{parts.public_url}{url_for('people.join')}#{code}" if code else "",
    )
