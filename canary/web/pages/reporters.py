"""Reporters: add one, see how its sender is set up, send a test through its public address."""

import secrets
import shlex

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from canary.domain.errors import CanaryError, Conflict, Invalid, NotFound
from canary.domain.sightings import ChannelClass
from canary.services.detection.drilling import Driller, read_drills, send_drills, send_one
from canary.services.inbox import intake, reporters
from canary.services.monitors.keeping import is_monitor
from canary.services.pages.reporter import ReporterProof, show_proof, show_reporter
from canary.web.auth import get_viewer
from canary.web.catalog import gettext, ngettext
from canary.web.forms import read_number, read_text
from canary.web.parts import get_parts
from canary.web.setups import SETUPS
from webhooks.inbound.examples import Ask, Example, make_example
from webhooks.inbound.registry import READERS
from webhooks.paths import draw_path
from webhooks.signing import new_secret

EXAMPLE_TEXT = "canary test 通路测试"

blueprint = Blueprint("reporters", __name__)


@blueprint.get("/reporters/new")
def new() -> ResponseReturnValue:
    """Show the form for a reporter."""
    return _show_form()


@blueprint.post("/reporters")
def add() -> ResponseReturnValue:
    """Add a reporter and lead to its set-up page."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        return _show_form(gettext("Sign in again before changing who may post.")), 403
    name = read_text("name")
    try:
        with parts.database.write() as session:
            intake.add_reporter(session, parts.vault, _read_new(), actor=viewer.name, now=now)
    except (Invalid, Conflict, NotFound) as error:
        return _show_form(_problem_of(error)), 400
    flash(gettext("Added. Set its sender up as told here, then send a test."))
    return redirect(url_for("reporters.show", name=name), 303)


@blueprint.get("/reporters/<name>")
def show(name: str) -> ResponseReturnValue:
    """Show how a reporter's sender is set up and how it does; a monitor has a page of its own."""
    with get_parts().database.read() as session:
        watched = is_monitor(session, name)
    return redirect(url_for("monitors.show", name=name)) if watched else _show(name, None)


@blueprint.post("/reporters/<name>/secrets")
def secrets_of(name: str) -> ResponseReturnValue:
    """Show what proves a reporter, with an example to copy; it is written down who saw it."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        flash(gettext("Sign in again before looking at secrets."))
        return redirect(url_for("reporters.show", name=name), 303)
    with parts.database.write() as session:
        proof = show_proof(session, parts.vault, name, viewer=viewer, now=now)
    return _show(name, proof)


@blueprint.post("/reporters/<name>/test")
def drill(name: str) -> ResponseReturnValue:
    """Send a marked message through the public address."""
    parts = get_parts()
    with parts.database.read() as session:
        row = reporters.get_reporter(session, name)
    driller = Driller(
        database=parts.database, vault=parts.vault, clock=parts.clock, poster=parts.poster
    )
    send_one(driller, row, actor=get_viewer().name)
    return redirect(url_for("reporters.show", name=name), 303)


@blueprint.post("/drill")
def drill_all() -> ResponseReturnValue:
    """Send a marked message through the public address of every reporter in use."""
    parts = get_parts()
    driller = Driller(
        database=parts.database, vault=parts.vault, clock=parts.clock, poster=parts.poster
    )
    ids = send_drills(driller, actor=get_viewer().name)
    with parts.database.read() as session:
        missed = [line.reporter for line in read_drills(session, ids) if line.problem]
    flash(ngettext("%(num)s test message sent.", "%(num)s test messages sent.", len(ids)))
    if missed:
        flash(gettext("Not taken: %(problem)s", problem=", ".join(missed)[:200]), "bad")
    return redirect(url_for("operation.reporters"), 303)


@blueprint.post("/reporters/<name>/switch")
def switch(name: str) -> ResponseReturnValue:
    """Take a reporter's posts, or refuse them from now on."""
    parts, active = get_parts(), read_text("state") == "on"
    with parts.database.write() as session:
        reporters.switch_reporter(
            session, name, active=active, actor=get_viewer().name, now=parts.clock()
        )
    flash(gettext("Saved."))
    return redirect(url_for("reporters.show", name=name), 303)


@blueprint.post("/reporters/<name>/rotate")
def rotate(name: str) -> ResponseReturnValue:
    """Add a second live secret, or drop the old one."""
    parts, viewer, now = get_parts(), get_viewer(), get_parts().clock()
    if not viewer.is_fresh(now):
        flash(gettext("Sign in again before changing who may post."))
        return redirect(url_for("reporters.show", name=name), 303)
    said = {"actor": viewer.name, "now": now}
    with parts.database.write() as session:
        if read_text("step") == "finish":
            reporters.drop_old_secret(session, parts.vault, name, **said)  # type: ignore[arg-type]  # a mapping of both
        else:
            reporters.rotate_secret(session, parts.vault, name, new_secret(), **said)  # type: ignore[arg-type]  # a mapping of both
    flash(gettext("Saved."))
    return redirect(url_for("reporters.show", name=name), 303)


def _show(name: str, proof: ReporterProof | None) -> ResponseReturnValue:
    parts = get_parts()
    with parts.database.read() as session:
        page = show_reporter(session, parts.vault, name, parts.clock())
    url = f"{parts.public_url}/hooks/{name}"
    if page.has_path:
        url += f"/{proof.path}" if proof else "/…"
    return render_template(
        "reporter.html",
        page=page,
        url=url,
        proof=proof,
        steps=SETUPS.get(page.line.format, ()),
        methods=sorted(READERS[page.line.format].methods) if page.line.format in READERS else (),
        example=_write_example(page.line.format, url, proof) if proof else None,
    )


def _write_example(shape: str, url: str, proof: ReporterProof) -> str:
    """Return a command that posts one proven message; signed now, so good for some minutes."""
    example = make_example(
        shape,
        Ask(
            text=EXAMPLE_TEXT,
            url=url,
            secret=proof.secret,
            message_id=secrets.token_hex(12),
            now=get_parts().clock(),
            options=proof.options,
        ),
    )
    return as_command(example)


def as_command(example: Example) -> str:
    """Write a request as a curl command."""
    words = ["curl", "-X", example.method, example.url]
    for name, value in example.headers.items():
        words += ["-H", f"{name}: {value}"]
    words += ["--data-binary", example.body.decode("utf-8", "replace")]
    return shlex.join(words)


def _read_new() -> intake.NewReporter:
    by_path = read_text("proof") == "path"
    given = read_text("secret")
    shape, channel = read_text("format"), read_text("channel_class")
    if shape not in READERS:
        raise Invalid("choose a format", field="format")
    if channel not in {one.value for one in ChannelClass}:
        raise Invalid("choose a class", field="channel_class")
    rhythm = read_number("rhythm")
    return intake.NewReporter(
        name=read_text("name"),
        format=shape,
        channel_class=ChannelClass(channel),
        secrets=intake.Secrets(
            signing=() if by_path and not given else (given or new_secret(),),
            path=draw_path() if by_path else None,
        ),
        source=read_text("source") or None,
        rhythm_seconds=rhythm * 3600 if rhythm else None,
    )


def _show_form(problem: str | None = None) -> str:
    return render_template(
        "reporter_new.html",
        formats=tuple(READERS),
        classes=tuple(one.value for one in ChannelClass),
        problem=problem,
    )


def _problem_of(error: CanaryError) -> str:
    if isinstance(error, Conflict):
        return gettext("There is a reporter of this name already.")
    if isinstance(error, NotFound):
        return gettext("There is no source of this code.")
    if isinstance(error, Invalid) and error.flaws[0].field == "name":
        return gettext("A name holds letters, digits, - and _ and nothing else.")
    return gettext("Choose a format and a channel.")
