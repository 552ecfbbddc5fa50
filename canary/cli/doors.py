"""Reporters who post to us, endpoints we tell."""

import secrets

import click

from canary.bootstrap import Application, make_sender, open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.cli.regrading import regrade
from canary.domain.alerts import Rhythm
from canary.domain.errors import Invalid
from canary.domain.sightings import ChannelClass
from canary.services import alerting, endpoints, intake
from webhooks.errors import DeliveryError
from webhooks.inbound.registry import READERS
from webhooks.outbound.registry import FORMATS
from webhooks.signing import new_secret


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
@click.option("--rhythm", type=click.IntRange(60), help="Seconds within which it should post.")
@click.option(
    "--receiver",
    "receivers",
    multiple=True,
    help="device/slot=number: which phone of ours a device reads; may be repeated.",
)
@as_json
def add_reporter(
    name: str,
    *,
    reader: str,
    channel_class: str,
    secret: str | None,
    secret_path: bool,
    source: str | None,
    rhythm: int | None,
    receivers: tuple[str, ...],
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
            signing=signing, path=path, options={"receivers": _read_receivers(receivers)}
        ),
        source=source,
        rhythm_seconds=rhythm,
    )
    with application.database.write() as session:
        intake.add_reporter(
            session, application.keys.vault, wanted, actor=name_actor(), now=application.clock()
        )
    url = f"{application.settings.public_url}/hooks/{name}" + (f"/{path}" if path else "")
    shown = {"name": name, "url": url, "secret": signing[0] if signing else None}
    if as_json:
        print_json(shown)
        return
    click.echo(f"post to {url}")
    if signing:
        click.echo(f"sign with {signing[0]} (shown once)")


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


@click.group()
def endpoint() -> None:
    """Where alerts go."""


@endpoint.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--format", "shape", type=click.Choice(list(FORMATS)), default="standard")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--secret", help="Secret, key or password; drawn for the standard format.")
@click.option("--option", "options", multiple=True, help="name=value of the format; repeatable.")
@click.option("--digest", type=click.Choice([one.value for one in Rhythm]), default="none")
@click.option("--quiet", help="Quiet hours such as 22:00-07:00; confirmed leaks come through.")
@click.option("--no-test", is_flag=True, help="Do not send a test message.")
@as_json
def add_endpoint(
    name: str,
    url: str,
    *,
    shape: str,
    lang: str,
    secret: str | None,
    options: tuple[str, ...],
    digest: str,
    quiet: str | None,
    no_test: bool,
    as_json: bool,
) -> None:
    """Add an endpoint and send it a test; a drawn secret is shown once."""
    application = open_application()
    now = application.clock()
    drawn = new_secret() if secret is None and shape == "standard" else None
    keys = [one for one in (secret, drawn) if one]
    config = {"url": url, "secrets": keys, "options": _read_options(options)}
    begin, _, end = (quiet or "").partition("-")
    habits = endpoints.Habits(
        digest=digest,
        quiet_from=begin.strip(),
        quiet_until=end.strip(),
        timezone=application.settings.timezone,
    )
    sender = make_sender(application)
    with application.database.write() as session:
        route = alerting.Route(name=name, format=shape, config=config)
        vault = application.keys.vault
        alerting.add_endpoint(session, vault, sender, route, lang=lang, actor=name_actor(), now=now)
        session.flush()
        endpoints.set_habits(session, name, habits, actor=name_actor(), now=now)
    tried = None if no_test else _try(application, name)
    if as_json:
        print_json({"name": name, "secret": drawn or secret, "test": tried})
        return
    click.echo(f"endpoint {name} added" + (f"; signed with {drawn} (shown once)" if drawn else ""))
    if tried:
        click.echo(f"test message: {tried}")


def _read_options(pairs: tuple[str, ...]) -> dict[str, object]:
    options: dict[str, object] = {}
    for pair in pairs:
        name, is_there, value = pair.partition("=")
        if not is_there or not name:
            raise Invalid(
                f"{pair[:40]!r} is no option", field="option", mend="write chat_id=-100123"
            )
        if name in options:
            earlier = options[name]
            options[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        else:
            options[name] = {"true": True, "false": False}.get(value, value)
    return options


def _try(application: Application, name: str) -> str:
    """Send a test message; a refusal is told and the endpoint stays."""
    vault, sender = application.keys.vault, make_sender(application)
    with application.database.read() as session:
        try:
            taken = endpoints.send_test(session, vault, sender, name, now=application.clock())
        except DeliveryError as error:
            return f"not taken: {error}"
    return f"taken (status {taken.status})"


@endpoint.command("list")
@as_json
def list_endpoints(*, as_json: bool) -> None:
    """List the endpoints."""
    application = open_application()
    with application.database.read() as session:
        rows = [
            {
                "name": row.name,
                "format": row.format,
                "lang": row.lang,
                "active": "yes" if row.is_active else "",
                "waiting": row.waiting,
                "dead": row.dead,
                "failing_since": row.failing_since.isoformat() if row.failing_since else "",
            }
            for row in endpoints.list_lines(session)
        ]
    columns = ("name", "format", "lang", "active", "waiting", "dead", "failing_since")
    print_rows(rows, title="Endpoints", columns=columns, json_wanted=as_json)


@endpoint.command("test")
@click.argument("name")
def try_endpoint(name: str) -> None:
    """Send a marked test message to an endpoint now."""
    application = open_application()
    with application.database.read() as session:
        taken = endpoints.send_test(
            session,
            application.keys.vault,
            make_sender(application),
            name,
            now=application.clock(),
        )
    click.echo(f"{name} took the test message (status {taken.status})")


@endpoint.command("switch")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
def switch_endpoint(name: str, state: str) -> None:
    """Switch an endpoint on or off; every endpoint is told, this one too."""
    application = open_application()
    with application.database.write() as session:
        endpoints.switch(
            session, name, active=state == "on", actor=name_actor(), now=application.clock()
        )
    click.echo(f"endpoint {name} is {state}")


@endpoint.command("rotate")
@click.argument("name")
@click.option("--finish", is_flag=True, help="Drop the old secret; the receiver knows the new.")
def rotate_endpoint(name: str, *, finish: bool) -> None:
    """Sign with a new secret beside the old one, until --finish."""
    application = open_application()
    vault, now = application.keys.vault, application.clock()
    secret = new_secret()
    with application.database.write() as session:
        if finish:
            endpoints.drop_old_secrets(session, vault, name, actor=name_actor(), now=now)
        else:
            endpoints.rotate_secret(session, vault, name, secret, actor=name_actor(), now=now)
    click.echo("the old secret is dropped" if finish else f"new secret {secret} (shown once)")


@endpoint.command("redeliver")
@click.argument("name")
def redeliver_dead(name: str) -> None:
    """Give every dead letter of an endpoint a new row of attempts."""
    application = open_application()
    with application.database.write() as session:
        count = alerting.redeliver_dead(session, name, actor=name_actor(), now=application.clock())
    click.echo(f"{count} dead letters will be tried again")
