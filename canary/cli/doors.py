"""Endpoints: where alerts go."""

import click

from canary.bootstrap import Application, make_sender, open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows, read_options
from canary.domain.alerts import Rhythm
from canary.services.alerts import alerting, delivering, endpoints
from webhooks.errors import DeliveryError
from webhooks.outbound.registry import FORMATS
from webhooks.signing import new_secret


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
    config = {"url": url, "secrets": keys, "options": read_options(options)}
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
        count = delivering.redeliver_dead(
            session, name, actor=name_actor(), now=application.clock()
        )
    click.echo(f"{count} dead letters will be tried again")
