"""Monitors: how the watched pages do, how each is set up, and what a look would take."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import Conflict, Invalid
from canary.domain.monitors import MOST_RHYTHM
from canary.services.monitors import checking, keeping
from canary.services.pages.monitors import (
    Tried,
    list_some_monitors,
    show_address,
    show_monitor,
    show_tried,
)
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import read_number, read_page, read_text
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem

LONGEST_URL = 2001
LONGEST_HEADERS = 20_000
BLANK: Mapping[str, object] = {"kind": "page", "rhythm": 30}

blueprint = Blueprint("monitors", __name__)


@blueprint.get("/monitors")
def list_all() -> ResponseReturnValue:
    """Show which pages are watched and how that does."""
    with get_parts().database.read() as session:
        found = list_some_monitors(session, read_page())
    return render_template("monitors.html", found=found)


@blueprint.get("/monitors/new")
def new() -> ResponseReturnValue:
    """Show the form for a monitor."""
    return _show_form(BLANK)


@blueprint.post("/monitors")
def add() -> ResponseReturnValue:
    """Add a monitor and lead to its page."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        return _show_form(request.form, gettext("Sign in again before changing a monitor.")), 403
    name = read_text("name")
    try:
        with parts.database.write() as session:
            keeping.add_monitor(
                session,
                parts.vault,
                parts.lookout.fetcher,
                name,
                _read_wishes({}),
                from_tip=read_text("origin") == "tip",
                actor=viewer.name,
                now=now,
            )
    except Invalid as error:
        return _show_form(request.form, _say(error)), 400
    except Conflict:
        problem = gettext("There is a reporter of this name already.")
        return _show_form(request.form, problem), 400
    flash(gettext("Added. It is looked at within seconds, and then in its rhythm."))
    return redirect(url_for("monitors.show", name=name), 303)


@blueprint.get("/monitors/<name>")
def show(name: str) -> ResponseReturnValue:
    """Show how a monitor is set up and how its last looks went."""
    return _show(name, None)


@blueprint.get("/monitors/<name>/change")
def edit(name: str) -> ResponseReturnValue:
    """Show the form with what is set, the address only after a fresh sign-in."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        flash(gettext("Sign in again before changing a monitor."))
        return redirect(url_for("monitors.show", name=name), 303)
    with parts.database.write() as session:
        page = show_monitor(session, parts.vault, name)
        address = show_address(session, parts.vault, name, viewer=viewer, now=now)
    given = {
        "kind": page.line.kind,
        "url": address.url,
        "rhythm": page.line.rhythm_minutes,
        "basis": page.basis,
        "selector": page.selector or "",
        "charset": page.charset or "",
        "venue": page.line.venue,
        "override": page.robots_override or "",
    }
    return _show_form(given, name=name)


@blueprint.post("/monitors/<name>/change")
def change(name: str) -> ResponseReturnValue:
    """Watch it otherwise from now on."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        flash(gettext("Sign in again before changing a monitor."))
        return redirect(url_for("monitors.show", name=name), 303)
    with parts.database.read() as session:
        old = keeping.open_address(parts.vault, keeping.get_monitor(session, name))
    try:
        with parts.database.write() as session:
            keeping.change_monitor(
                session,
                parts.vault,
                parts.lookout.fetcher,
                name,
                _read_wishes(old.headers),
                actor=viewer.name,
                now=now,
            )
    except Invalid as error:
        return _show_form(request.form, _say(error), name=name), 400
    flash(gettext("Saved."))
    return redirect(url_for("monitors.show", name=name), 303)


@blueprint.post("/monitors/<name>/try")
def try_now(name: str) -> ResponseReturnValue:
    """Look without filing anything, and show what would be taken."""
    parts = get_parts()
    sight = checking.try_look(parts.lookout, name)
    with parts.database.read() as session:
        tried = show_tried(session, parts.vault, sight)
    return _show(name, tried)


@blueprint.post("/monitors/<name>/check")
def check(name: str) -> ResponseReturnValue:
    """Look now."""
    try:
        checking.check_now(get_parts().lookout, name)
    except Conflict:
        flash(gettext("It is being looked at, or its site asks for a pause."), "bad")
    return redirect(url_for("monitors.show", name=name), 303)


@blueprint.post("/monitors/<name>/switch")
def switch(name: str) -> ResponseReturnValue:
    """Pause a monitor, or let it go on."""
    parts, active = get_parts(), read_text("state") == "on"
    with parts.database.write() as session:
        keeping.switch_monitor(
            session, name, active=active, actor=get_viewer().name, now=parts.clock()
        )
    flash(gettext("Saved."))
    return redirect(url_for("monitors.show", name=name), 303)


@blueprint.post("/monitors/<name>/remove")
def remove(name: str) -> ResponseReturnValue:
    """Remove a monitor; what it brought stays."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        flash(gettext("Sign in again before changing a monitor."))
        return redirect(url_for("monitors.show", name=name), 303)
    with parts.database.write() as session:
        keeping.remove_monitor(session, name, actor=viewer.name, now=now)
    flash(gettext("Removed. What it brought stays."))
    return redirect(url_for("monitors.list_all"), 303)


def _show(name: str, tried: Tried | None) -> str:
    parts = get_parts()
    with parts.database.read() as session:
        page = show_monitor(session, parts.vault, name)
    return render_template("monitor.html", page=page, tried=tried)


def _show_form(given: Mapping[str, object], problem: str = "", name: str = "") -> str:
    return render_template(
        "monitor_form.html", given=given, problem=problem, name=name, most=MOST_RHYTHM
    )


def _read_wishes(old_headers: Mapping[str, str]) -> keeping.MonitorWishes:
    text = request.form.get("headers", "")[:LONGEST_HEADERS]
    dropped = bool(request.form.get("drop_headers"))
    kind = read_text("kind")
    return keeping.MonitorWishes(
        kind=kind,
        url=request.form.get("url", "").strip()[:LONGEST_URL],
        rhythm_minutes=read_number("rhythm") or 0,
        basis=read_text("basis"),
        selector=read_text("selector") if kind == "page" else None,
        charset=read_text("charset"),
        venue=read_text("venue"),
        robots_override=read_text("override"),
        headers=keeping.read_headers(text) if text.strip() or dropped else old_headers,
    )


def _say(error: Invalid) -> str:
    flaw = error.flaws[0]
    if flaw.field == "name":
        return gettext("A name holds letters, digits, - and _ and nothing else.")
    if flaw.field == "url":
        return gettext("This address may not be called: a public http or https address is needed.")
    said = tell_problem(flaw.problem)
    return f"{said}: {tell_problem(flaw.mend)}" if flaw.mend else said
