"""People who sign in."""

import secrets

import click

from canary.bootstrap import open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.services.access import Role, create_user
from canary.services.people import accounts, factors


@click.group()
def user() -> None:
    """People who sign in to the dashboard."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--source", help="For partners: the code of the source they answer for.")
@click.option("--lang", type=click.Choice(["zh", "en"]))
@as_json
def add(name: str, *, role: str, source: str | None, lang: str | None, as_json: bool) -> None:
    """Add somebody and print a one-time password."""
    application = open_application()
    password = secrets.token_urlsafe(15)
    with application.database.write() as session:
        create_user(
            session,
            name=name,
            password=password,
            role=role,
            now=application.clock(),
            actor=name_actor(),
            source_code=source,
            lang=lang,
            must_change_password=True,
        )
    if as_json:
        print_json({"name": name, "role": role, "password": password})
    else:
        click.echo(f"{name} may sign in with this one-time password: {password}")


@user.command("list")
@as_json
def list_all(*, as_json: bool) -> None:
    """List who may sign in."""
    application = open_application()
    with application.database.read() as session:
        lines = accounts.list_people(session, application.clock())
    rows = [
        {
            "name": line.name,
            "role": line.role.value,
            "source": line.source.code if line.source else None,
            "active": line.is_active,
            "second_factor": line.has_factor,
            "last_sign_in_at": line.last_sign_in_at.isoformat() if line.last_sign_in_at else None,
        }
        for line in lines
    ]
    print_rows(rows, title="Users", columns=tuple(rows[0]) if rows else (), json_wanted=as_json)


@user.command()
@click.argument("name")
@as_json
def reset(name: str, *, as_json: bool) -> None:
    """Give somebody a new one-time password and take a lost second factor away."""
    application = open_application()
    now, actor = application.clock(), name_actor()
    with application.database.write() as session:
        password = accounts.reset_password(session, name, actor=actor, now=now)
        factors.remove_factor(session, name=name, actor=actor, now=now)
    if as_json:
        print_json({"name": name, "password": password})
    else:
        click.echo(f"{name} may sign in with this one-time password: {password}")
