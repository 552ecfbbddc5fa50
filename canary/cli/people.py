"""People who sign in."""

import secrets

import click

from canary.bootstrap import open_application
from canary.cli.printing import as_json, name_actor, print_json
from canary.services.access import Role, create_user


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
