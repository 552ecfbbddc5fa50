"""Signing in and out, one's own password, language and time zone."""

from functools import cache
from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Forbidden, Invalid
from canary.domain.onetime import make_uri, spell_secret
from canary.services import access
from canary.services.people import factors, signins
from canary.web.auth import REFERENCE, find_half_in, find_signed_in, get_viewer, is_local_path
from canary.web.catalog import gettext
from canary.web.language import LOCALES, SESSION_LANG
from canary.web.parts import get_parts
from canary.web.qr import draw_qr
from canary.web.refusals import tell_problem
from canary.web.throttle import get_gate

ISSUER = "Waybill Canary"

blueprint = Blueprint("account", __name__)


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Show the sign-in form, or open a sign-in."""
    if request.method == "GET":
        if find_signed_in() is not None:
            return redirect(url_for("overview.show"), 303)
        return render_template("sign_in.html", onward=_read_onward(request.args.get("next")))
    parts = get_parts()
    onward = _read_onward(request.form.get("next"))
    if not get_gate().admit(request.remote_addr or "", parts.clock()):
        problem = gettext("Too many attempts. Wait a moment.")
        return render_template("sign_in.html", onward=onward, problem=problem), 429
    try:
        reference = access.sign_in(
            parts.database,
            name=request.form.get("name", ""),
            password=request.form.get("password", ""),
            now=parts.clock(),
            address=request.remote_addr,
            agent=request.user_agent.string,
        )
    except Forbidden as error:
        problem = tell_problem(str(error))
        return render_template("sign_in.html", onward=onward, problem=problem), 403
    lang = session.get(SESSION_LANG)
    session.clear()
    session[REFERENCE] = reference
    if lang:
        session[SESSION_LANG] = lang
    return redirect(onward or url_for("overview.show"), 303)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
def give_code() -> ResponseReturnValue:
    """Take the second factor of a sign-in whose password was right."""
    parts, viewer = get_parts(), find_half_in()
    onward = _read_onward(request.values.get("next"))
    if viewer is None:
        return redirect(url_for("account.sign_in"), 303)
    if request.method == "GET":
        return render_template("code.html", onward=onward)
    if not get_gate().admit(request.remote_addr or "", parts.clock()):
        problem = gettext("Too many attempts. Wait a moment.")
        return render_template("code.html", onward=onward, problem=problem), 429
    try:
        given = request.form.get("code", "")[:100]
        factors.pass_code(parts.database, parts.vault, viewer, given, parts.clock())
    except Forbidden as error:
        problem = tell_problem(str(error))
        return render_template("code.html", onward=onward, problem=problem), 403
    return redirect(onward or url_for("overview.show"), 303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this sign-in."""
    parts = get_parts()
    access.sign_out(parts.database, get_viewer(), parts.clock())
    session.clear()
    return redirect(url_for("account.sign_in"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Change one's own password."""
    if request.method == "GET":
        return render_template("password.html")
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _refuse_password(gettext("The two new passwords are not the same."))
    parts = get_parts()
    try:
        signins.change_password(
            parts.database,
            get_viewer(),
            old=request.form.get("old", ""),
            new=new,
            now=parts.clock(),
        )
    except (Forbidden, Invalid) as error:
        text = error.flaws[0].problem if isinstance(error, Invalid) else str(error)
        return _refuse_password(tell_problem(text))
    flash(gettext("Your password is changed. Every other sign-in of yours has ended."))
    return redirect(url_for("overview.show"), 303)


@blueprint.route("/account", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    """Show and keep one's own language and time zone."""
    zones = _list_zones()
    if request.method == "POST":
        lang, zone = request.form.get("lang"), request.form.get("timezone", "").strip()
        if zone and zone not in zones:
            flash(gettext("There is no such time zone. Choose one from the list."), "bad")
            return redirect(url_for("account.show"), 303)
        with get_parts().database.write() as database_session:
            signins.set_preferences(
                database_session,
                get_viewer(),
                lang=lang if lang in LOCALES else None,
                timezone=zone or None,
            )
        session.pop(SESSION_LANG, None)
        flash(gettext("Saved."))
        return redirect(url_for("account.show"), 303)
    with get_parts().database.read() as database_session:
        open_now = signins.list_sign_ins(database_session, get_viewer(), get_parts().clock())
    return render_template("account.html", zones=zones, sign_ins=open_now)


@cache
def _list_zones() -> list[str]:
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


@blueprint.post("/account/sign-ins/<int:sign_in_id>/end")
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    """End one of one's own sign-ins."""
    parts = get_parts()
    with parts.database.write() as database_session:
        signins.end_own_sign_in(database_session, get_viewer(), sign_in_id, parts.clock())
    flash(gettext("That sign-in has ended."))
    return redirect(url_for("account.show"), 303)


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
def factor() -> ResponseReturnValue:
    """Enrol an app for one-time codes, and prove that it works."""
    parts, viewer, problem = get_parts(), get_viewer(), ""
    if viewer.has_factor:
        return render_template("factor.html")
    if request.method == "POST":
        try:
            with parts.database.write() as database_session:
                codes = factors.prove_enrolment(
                    database_session,
                    parts.vault,
                    viewer,
                    request.form.get("code", "")[:100],
                    parts.clock(),
                )
            return render_template("factor.html", codes=codes)
        except Invalid as error:
            problem = tell_problem(error.flaws[0].problem)
    with parts.database.write() as database_session:
        secret = factors.begin_enrolment(database_session, parts.vault, viewer)
    page = render_template(
        "factor.html",
        secret=spell_secret(secret),
        drawing=draw_qr(make_uri(secret, viewer.name, ISSUER)),
        problem=problem,
    )
    return page, 400 if problem else 200


@blueprint.post("/account/second-factor/remove")
def remove_factor() -> ResponseReturnValue:
    """Take one's own second factor away, with the password."""
    parts, viewer = get_parts(), get_viewer()
    try:
        given = request.form.get("password", "")
        access.confirm_password(parts.database, viewer, given, parts.clock())
    except Forbidden as error:
        return render_template("factor.html", problem=tell_problem(str(error))), 403
    with parts.database.write() as database_session:
        factors.remove_factor(
            database_session, name=viewer.name, actor=viewer.name, now=parts.clock()
        )
    flash(gettext("The second factor is removed."))
    return redirect(url_for("account.show"), 303)


def _refuse_password(problem: str) -> ResponseReturnValue:
    return render_template("password.html", problem=problem), 400


def _read_onward(path: str | None) -> str:
    return path if path and is_local_path(path) else ""
