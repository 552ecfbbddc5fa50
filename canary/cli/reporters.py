"""Reporters: who posts to us."""

import ipaddress
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import click

from canary.bootstrap import open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows, read_options
from canary.cli.regrading import regrade
from canary.domain.errors import Invalid
from canary.domain.sightings import ChannelClass
from canary.services.inbox import intake, reporters
from webhooks.inbound.registry import READERS
from webhooks.signing import new_secret

Command = TypeVar("Command", bound=Callable[..., Any])


def _reading_options(command: Command) -> Command:
    """Add the options that say how a reporter's posts are read."""
    for option in (
        click.option(
            "--allow",
            "allowed",
            multiple=True,
            help="Address or network it may post from; repeatable.",
        ),
        click.option(
            "--field",
            "field_map",
            multiple=True,
            help="ours=theirs, such as text=data.0.body; repeatable.",
        ),
        click.option(
            "--option",
            "options",
            multiple=True,
            help="name=value of the reader: timezone, kind, items, html, venue; repeatable.",
        ),
        click.option(
            "--receiver",
            "receivers",
            multiple=True,
            help="device/slot=number: which phone of ours a device reads; repeatable.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def reporter() -> None:
    """Who posts to us."""


reporter.add_command(regrade)


@reporter.command("add")
@click.argument("name")
@click.option("--format", "reader", type=click.Choice(list(READERS)), required=True)
@click.option(
    "--class",
    "channel_class",
    type=click.Choice([c.value for c in ChannelClass]),
    required=True,
    help="Decides how far its sightings can carry.",
)
@click.option("--secret", help="Signing secret; one is drawn when the format signs.")
@click.option("--secret-path", is_flag=True, help="Prove posts by a secret path instead.")
@click.option("--source", help="The source that runs this channel, if one does.")
@click.option(
    "--rhythm",
    type=click.IntRange(0),
    default=86_400,
    show_default=True,
    help="Seconds within which it should post; 0 expects nothing.",
)
@_reading_options
@as_json
def add_reporter(
    name: str,
    *,
    reader: str,
    channel_class: str,
    secret: str | None,
    secret_path: bool,
    source: str | None,
    rhythm: int,
    receivers: tuple[str, ...],
    options: tuple[str, ...],
    field_map: tuple[str, ...],
    allowed: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add a reporter; its secret is shown once."""
    application = open_application()
    path = secrets.token_urlsafe(24) if secret_path else None
    signing = () if path and not secret else (secret or new_secret(),)
    wanted = intake.NewReporter(
        name=name,
        format=reader,
        channel_class=ChannelClass(channel_class),
        secrets=intake.Secrets(
            signing=signing,
            path=path,
            options=_gather_options(receivers, options, field_map, allowed),
        ),
        source=source,
        rhythm_seconds=rhythm or None,
    )
    with application.database.write() as session:
        intake.add_reporter(
            session, application.keys.vault, wanted, actor=name_actor(), now=application.clock()
        )
    with application.database.read() as session:
        known = intake.find_reporter(session, application.keys.vault, name)
    phrase = known.secrets.options.get(intake.HEARTBEAT_OPTION) if known else None
    url = f"{application.settings.public_url}/hooks/{name}" + (f"/{path}" if path else "")
    secret = signing[0] if signing else None
    shown = {"name": name, "url": url, "secret": secret, "heartbeat": phrase}
    if as_json:
        print_json(shown)
        return
    click.echo(f"post to {url}")
    if signing:
        click.echo(f"sign with {signing[0]} (shown once)")
    if phrase:
        click.echo(f"a message with {phrase} in it is a heartbeat; send one a day to every SIM")


def _gather_options(
    receivers: tuple[str, ...],
    options: tuple[str, ...],
    field_map: tuple[str, ...],
    allowed: tuple[str, ...],
) -> dict[str, object]:
    found: dict[str, object] = read_options(options)
    if receivers:
        found["receivers"] = _read_receivers(receivers)
    if field_map:
        found["fields"] = read_options(field_map)
    if allowed:
        found["allowed_addresses"] = [_read_network(one) for one in allowed]
    return found


def _read_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise Invalid(
            f"{text[:60]!r} is no network", field="allow", mend="write 203.0.113.0/24"
        ) from error


def _read_receivers(pairs: tuple[str, ...]) -> dict[str, str]:
    receivers: dict[str, str] = {}
    for pair in pairs:
        where, _, number = pair.rpartition("=")
        if not where or not number:
            raise Invalid(
                f"{pair[:40]!r} names no phone",
                field="receiver",
                mend="write pixel-7/1=13900000000",
            )
        receivers[where] = number
    return receivers


@reporter.command("switch")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
def switch_reporter(name: str, state: str) -> None:
    """Take a reporter's posts, or refuse them from now on."""
    application = open_application()
    with application.database.write() as session:
        reporters.switch_reporter(
            session, name, active=state == "on", actor=name_actor(), now=application.clock()
        )
    click.echo(f"reporter {name} is {state}")


@reporter.command("rotate")
@click.argument("name")
@click.option("--finish", is_flag=True, help="Drop the old secret; the sender knows the new.")
def rotate_reporter(name: str, *, finish: bool) -> None:
    """Take posts under a new secret beside the old one, until --finish."""
    application = open_application()
    vault, now, secret = application.keys.vault, application.clock(), new_secret()
    with application.database.write() as session:
        if finish:
            reporters.drop_old_secret(session, vault, name, actor=name_actor(), now=now)
        else:
            reporters.rotate_secret(session, vault, name, secret, actor=name_actor(), now=now)
    click.echo("the old secret is dropped" if finish else f"new secret {secret} (shown once)")


@reporter.command("set")
@click.argument("name")
@click.option(
    "--rhythm", type=click.IntRange(0), help="Seconds within which it should post; 0 none."
)
@_reading_options
def set_reporter(
    name: str,
    *,
    rhythm: int | None,
    receivers: tuple[str, ...],
    options: tuple[str, ...],
    field_map: tuple[str, ...],
    allowed: tuple[str, ...],
) -> None:
    """Change a reporter's rhythm and how its posts are read."""
    application = open_application()
    wanted = _gather_options(receivers, options, field_map, allowed)
    said: dict[str, Any] = {"actor": name_actor(), "now": application.clock()}
    with application.database.write() as session:
        if rhythm is not None:
            reporters.set_rhythm(session, name, rhythm or None, **said)
        if wanted:
            reporters.set_options(session, application.keys.vault, name, wanted, **said)
    click.echo(f"reporter {name} is changed")


@reporter.command("list")
@as_json
def list_reporters(*, as_json: bool) -> None:
    """List the reporters."""
    application = open_application()
    with application.database.read() as session:
        rows = [
            {
                "name": row.name,
                "format": row.format,
                "class": row.channel_class,
                "active": "yes" if row.is_active else "",
                "last_post": row.last_post_at.isoformat() if row.last_post_at else "",
            }
            for row in intake.list_reporters(session)
        ]
    print_rows(
        rows,
        title="Reporters",
        columns=("name", "format", "class", "active", "last_post"),
        json_wanted=as_json,
    )
