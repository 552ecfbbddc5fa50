"""The script that brings a modem's messages here."""

from importlib.resources import files

import click


@click.command()
def bridge() -> None:
    """Print the bridge for SMS Server Tools 3 and Gammu; it stands alone, copy it to the modem."""
    click.echo(files("webhooks").joinpath("bridge.py").read_text("utf-8"), nl=False)
