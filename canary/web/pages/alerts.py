"""Where alerts go, who hears of what, what is expected, and who has seen it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canary.domain.alerts import Rhythm
from canary.domain.errors import CanaryError, Conflict, Invalid
from canary.domain.sources import SourceKind
from canary.domain.verdicts import Verdict
from canary.services.alerts import alerting, delivering, endpoints, escalating, routing
from canary.services.detection import expected
from canary.web.auth import get_viewer
from canary.web.catalog import gettext
from canary.web.forms import read_number, read_text
from canary.web.parts import get_parts
from canary.web.refusals import tell_problem
from webhooks.errors import DeliveryError
from webhooks.reports import ReportKind
from webhooks.signing import new_secret

# Formats whose settings fit this form; the others are added by command.
FORMATS = ("standard", "dingtalk", "feishu", "wecom", "slack")
KINDS = tuple(kind.value for kind in ReportKind)

blueprint = Blueprint("alerts", __name__)


@blueprint.get("/endpoints")
def list_endpoints() -> ResponseReturnValue:
    """Show where alerts go and how each endpoint does."""
    return _show_endpoints()


@blueprint.post("/endpoints")
def add_endpoint() -> ResponseReturnValue:
    """Save an endpoint, then send it a test message."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        return _show_endpoints(_sign_in_first()), 403
    name, shape = read_text("name"), read_text("format")
    given = read_text("secret")
    drawn = "" if given or shape != "standard" else new_secret()
    route = alerting.Route(
        name=name,
        format=shape,
        config={"url": read_text("url"), "secrets": [one for one in (given, drawn) if one]},
    )
    lang = "en" if read_text("lang") == "en" else "zh"
    try:
        with parts.database.write() as session:
            alerting.add_endpoint(
                session, parts.vault, parts.sender, route, lang=lang, actor=viewer.name, now=now
            )
            session.flush()
            endpoints.set_habits(session, name, _read_habits(), actor=viewer.name, now=now)
    except (Invalid, Conflict) as error:
        return _show_endpoints(_problem_of(error)), 400
    if drawn:
        flash(gettext("It is signed with %(secret)s. This is shown once.", secret=drawn))
    _try(name)
    return redirect(url_for("alerts.list_endpoints"), 303)


@blueprint.post("/endpoints/<name>/test")
def try_endpoint(name: str) -> ResponseReturnValue:
    """Send a test message now."""
    _try(name)
    return redirect(url_for("alerts.list_endpoints"), 303)


@blueprint.post("/endpoints/<name>/switch")
def switch_endpoint(name: str) -> ResponseReturnValue:
    """Switch an endpoint on or off; it and all others are told."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        return _show_endpoints(_sign_in_first()), 403
    active = read_text("state") == "on"
    with parts.database.write() as session:
        endpoints.switch(session, name, active=active, actor=viewer.name, now=now)
    flash(gettext("Saved."))
    return redirect(url_for("alerts.list_endpoints"), 303)


@blueprint.post("/deliveries/again")
def redeliver_dead() -> ResponseReturnValue:
    """Give all dead letters, or those of one endpoint, a new row of attempts."""
    parts = get_parts()
    with parts.database.write() as session:
        count = delivering.redeliver_dead(
            session,
            read_text("endpoint") or None,
            actor=get_viewer().name,
            now=parts.clock(),
        )
    flash(gettext("Dead letters that will be tried again: %(count)s", count=count))
    return redirect(url_for("operation.deliveries"), 303)


@blueprint.route("/routing", methods=["GET"])
def list_rules() -> ResponseReturnValue:
    """Show the rules, and what a rule in the address would have changed."""
    wanted = _read_rule() if request.args.get("endpoint") else None
    try:
        return _show_rules(wanted)
    except Invalid as error:
        return _show_rules(None, problem=_problem_of(error)), 400


@blueprint.post("/routing")
def add_rule() -> ResponseReturnValue:
    """Add a rule; asks for a fresh sign-in."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        return _show_rules(None, problem=_sign_in_first()), 403
    try:
        with parts.database.write() as session:
            routing.add_rule(session, _read_rule(), actor=viewer.name, now=now)
    except Invalid as error:
        return _show_rules(None, problem=_problem_of(error)), 400
    flash(gettext("Saved."))
    return redirect(url_for("alerts.list_rules"), 303)


@blueprint.post("/routing/<int:entry_id>/remove")
def remove_rule(entry_id: int) -> ResponseReturnValue:
    """Remove a rule; asks for a fresh sign-in."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        return _show_rules(None, problem=_sign_in_first()), 403
    with parts.database.write() as session:
        routing.remove_rule(session, entry_id, actor=viewer.name, now=now)
    flash(gettext("Saved."))
    return redirect(url_for("alerts.list_rules"), 303)


@blueprint.get("/expected")
def list_expected() -> ResponseReturnValue:
    """Show the rules and what they swallowed, our own echoes too."""
    return _show_expected()


@blueprint.post("/expected")
def add_expected() -> ResponseReturnValue:
    """Show what a rule would have covered, or add it; that asks for a fresh sign-in."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    wanted = expected.NewExpectation(
        reason=read_text("reason"),
        kind=read_text("kind"),
        reporter=read_text("reporter"),
        sender=read_text("sender"),
        venue=read_text("venue"),
        source=read_text("source"),
        days=read_number("days") or 0,
    )
    try:
        if read_text("do") != "save":
            return _show_expected(wanted=wanted)
        if not viewer.is_fresh(now):
            return _show_expected(wanted=wanted, problem=_sign_in_first()), 403
        with parts.database.write() as session:
            expected.add_expectation(session, wanted, actor=viewer.name, now=now)
    except Invalid as error:
        return _show_expected(problem=_problem_of(error)), 400
    flash(gettext("Saved."))
    return redirect(url_for("alerts.list_expected"), 303)


@blueprint.post("/expected/<int:entry_id>/end")
def end_expected(entry_id: int) -> ResponseReturnValue:
    """End a rule now; on request make news of what it swallowed."""
    parts = get_parts()
    with parts.database.write() as session:
        expected.end_expectation(
            session,
            entry_id,
            release=read_text("release") == "yes",
            actor=get_viewer().name,
            now=parts.clock(),
        )
    flash(gettext("Saved."))
    return redirect(url_for("alerts.list_expected"), 303)


@blueprint.post("/incidents/<int:incident_id>/acknowledge")
def acknowledge(incident_id: int) -> ResponseReturnValue:
    """Note that somebody works on an incident."""
    parts = get_parts()
    with parts.database.write() as session:
        escalating.acknowledge(
            session,
            incident_id,
            snooze=read_text("snooze") == "yes",
            viewer=get_viewer(),
            now=parts.clock(),
        )
    flash(gettext("Saved. The next message about it asks again."))
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)


def _try(name: str) -> None:
    """Send a test and say in few words how it went: answers could map an inner network."""
    parts = get_parts()
    with parts.database.read() as session:
        try:
            endpoints.send_test(session, parts.vault, parts.sender, name, now=parts.clock())
        except DeliveryError as error:
            permanent = gettext("the test message was refused")
            passing = gettext("the test message was not taken")
            flash(f"{name}: {permanent if error.permanent else passing}")
        else:
            flash(f"{name}: {gettext('the test message was taken')}")


def _read_habits() -> endpoints.Habits:
    return endpoints.Habits(
        digest=read_text("digest") or Rhythm.NONE,
        quiet_from=read_text("quiet_from"),
        quiet_until=read_text("quiet_until"),
        timezone=get_parts().timezone,
    )


def _read_rule() -> routing.NewRule:
    return routing.NewRule(
        endpoint=read_text("endpoint"),
        source=read_text("source"),
        source_kind=read_text("source_kind"),
        sighting_kind=read_text("kind"),
        region=read_text("region"),
        least_verdict=read_text("verdict"),
        lang=read_text("lang"),
        after_minutes=read_number("after"),
    )


def _show_endpoints(problem: str = "") -> str:
    with get_parts().database.read() as session:
        lines = endpoints.list_lines(session)
    return render_template(
        "endpoints.html",
        lines=lines,
        problem=problem,
        formats=FORMATS,
        rhythms=[rhythm.value for rhythm in Rhythm],
    )


def _show_rules(wanted: routing.NewRule | None, problem: str = "") -> str:
    parts = get_parts()
    with parts.database.read() as session:
        lines = endpoints.list_lines(session)
        rules = routing.list_rules(session)
        forecast = routing.forecast(session, wanted, now=parts.clock())
    return render_template(
        "routing.html",
        endpoints=[line.name for line in lines],
        rules=rules,
        forecast=forecast,
        wanted=wanted,
        problem=problem,
        source_kinds=[kind.value for kind in SourceKind],
        kinds=KINDS,
        verdicts=[verdict.value for verdict in Verdict],
    )


def _show_expected(wanted: expected.NewExpectation | None = None, problem: str = "") -> str:
    parts, now = get_parts(), get_parts().clock()
    with parts.database.read() as session:
        lines = expected.list_expectations(session, now)
        swallowed = expected.list_swallowed(session, [line.rule_id for line in lines])
        echoes = expected.list_echoes(session)
        seen = expected.preview(session, parts.vault, wanted, now) if wanted else None
    return render_template(
        "expected.html",
        lines=lines,
        swallowed=swallowed,
        echoes=echoes,
        wanted=wanted,
        seen=seen,
        problem=problem,
        kinds=KINDS,
    )


def _problem_of(error: CanaryError) -> str:
    if not isinstance(error, Invalid):
        return tell_problem(str(error))
    flaw = error.flaws[0]
    words = [tell_problem(one) for one in (flaw.problem, flaw.mend) if one]
    return ": ".join(words)


def _sign_in_first() -> str:
    return gettext("Sign in again before changing where alerts go.")
