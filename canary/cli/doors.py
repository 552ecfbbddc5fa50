"""Reporters who post to us, endpoints we tell."""

import secrets

import click

from canary.bootstrap import make_sender, open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.domain.alerts import AlertType
from canary.domain.errors import Invalid
from canary.domain.sightings import ChannelClass
from canary.services import alerting, intake
from webhooks.inbound.registry import READERS
from webhooks.messages import Message
from webhooks.outbound.registry import FORMATS
from webhooks.signing import new_secret


@click.group()
def reporter() -> None:
    """Who posts to us."""


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
@click.option("--secret", help="Signing secret; drawn when left out.")
@as_json
def add_endpoint(
    name: str, url: str, *, shape: str, lang: str, secret: str | None, as_json: bool
) -> None:
    """Add an endpoint; its secret is shown once."""
    application = open_application()
    key = secret or new_secret()
    route = alerting.Route(name=name, format=shape, config={"url": url, "secrets": [key]})
    with application.database.write() as session:
        alerting.add_endpoint(
            session,
            application.keys.vault,
            make_sender(application),
            route,
            lang=lang,
            actor=name_actor(),
            now=application.clock(),
        )
    if as_json:
        print_json({"name": name, "secret": key})
    else:
        click.echo(f"endpoint {name} added; it is signed with {key} (shown once)")
        click.echo(f"try it: canary endpoint test {name}")


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
            }
            for row in alerting.list_endpoints(session)
        ]
    print_rows(
        rows, title="Endpoints", columns=("name", "format", "lang", "active"), json_wanted=as_json
    )


@endpoint.command("test")
@click.argument("name")
def try_endpoint(name: str) -> None:
    """Send a marked test message to an endpoint now."""
    application = open_application()
    now = application.clock()
    with application.database.read() as session:
        route = alerting.get_route(session, application.keys.vault, name)
    message = Message(
        id=f"msg_{secrets.token_hex(12)}",
        type=AlertType.TEST,
        occurred_at=now,
        data={
            "title": "Waybill Canary: test / 测试",
            "lines": ["This is a test. 这是一条测试消息。"],
        },
    )
    taken = make_sender(application).send(message, route, now)
    click.echo(f"{name} took the test message (status {taken.status})")
