"""API keys of programs."""

from datetime import timedelta

import click

from canary.bootstrap import open_application
from canary.cli.numbers import DAYS
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.services.people import keys
from canary.services.people.keys import Scope


@click.group()
def key() -> None:
    """API keys of programs."""


@key.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="What it may do; repeatable.",
)
@click.option("--days", type=DAYS, help="Days until it ends; never if not given.")
@as_json
def create(name: str, *, scopes: tuple[str, ...], days: int | None, as_json: bool) -> None:
    """Make a key; it is shown once."""
    application = open_application()
    now = application.clock()
    with application.database.write() as session:
        shown = keys.create_key(
            session,
            name=name,
            scopes=scopes,
            expires_at=now + timedelta(days=days) if days else None,
            actor=name_actor(),
            now=now,
        )
    if as_json:
        print_json({"name": name, "key": shown, "scopes": sorted(set(scopes))})
    else:
        click.echo(f"{shown} (shown once; send it as `Authorization: Bearer …`)")


@key.command()
@click.argument("ref")
def revoke(ref: str) -> None:
    """End a key at once; REF is its middle part, such as K-7K3M2Q5XWP."""
    application = open_application()
    with application.database.write() as session:
        keys.revoke_key(session, ref, actor=name_actor(), now=application.clock())
    click.echo(f"key {ref} is revoked")


@key.command("list")
@as_json
def list_keys(*, as_json: bool) -> None:
    """List the keys; their secrets are not kept."""
    application = open_application()
    with application.database.read() as session:
        lines = keys.list_keys(session, application.clock())
    rows = [
        {
            "ref": line.ref,
            "name": line.name,
            "scopes": " ".join(line.scopes),
            "state": line.state,
            "expires": line.expires_at.isoformat() if line.expires_at else "",
            "last_used": line.last_used_at.isoformat() if line.last_used_at else "",
        }
        for line in lines
    ]
    columns = ("ref", "name", "scopes", "state", "expires", "last_used")
    print_rows(rows, title="API keys", columns=columns, json_wanted=as_json)
