"""Design a programme: how many baits and phones, and whether baits pass for real.

Subcommands live in modules of their own, loaded when they are asked for.
"""

import importlib
from pathlib import Path

import click

from canary.cli.printing import as_json, print_json
from canary.services.baits.designing import Programme, design_programme
from canary.services.stock.imports import read_table
from canary.services.stock.sources import OPTIONAL, REQUIRED

# The module that holds each subcommand.
SUBCOMMANDS = {
    "power": "design_power",
    "check": "design_check",
    "phones": "design_attribution",
    "simulate": "design_attribution",
    "next": "design_attribution",
}


class DesignGroup(click.Group):
    """A group whose subcommands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands."""
        del ctx
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        del ctx
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f"canary.cli.{SUBCOMMANDS[cmd_name]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=DesignGroup, invoke_without_command=True)
@click.option(
    "--sources",
    "sources_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="sources.csv; without it, the sources of the database.",
)
@click.option("--phones", type=click.IntRange(0), default=0, help="Phones you own.")
@click.option("--leakers", type=click.IntRange(1), default=1, help="How many may leak at once.")
@click.option("--rows", type=click.IntRange(1), default=100, help="Rows a seller shows a day.")
@click.option("--days", type=click.IntRange(1), default=30, help="Within so many days.")
@click.option("--chance", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95)
@as_json
@click.pass_context
def design(
    ctx: click.Context,
    *,
    sources_file: Path | None,
    phones: int,
    leakers: int,
    rows: int,
    days: int,
    chance: float,
    as_json: bool,
) -> None:
    """Say how many baits and phones a network needs."""
    if ctx.invoked_subcommand is not None:
        return
    programme = design_programme(
        _load_parcels(sources_file),
        phones=phones,
        leakers=leakers,
        rows_shown=rows,
        days=days,
        chance=chance,
    )
    if as_json:
        print_json(programme.to_json())
    else:
        _show(programme, days, chance)


def _load_parcels(file: Path | None) -> dict[str, int]:
    """Return parcels a day by source."""
    if file is not None:
        table = read_table(file, required=REQUIRED, optional=OPTIONAL)
        texts = {row.cells["code"]: row.cells.get("daily_parcels", "") for row in table}
    else:
        from canary.bootstrap import open_application
        from canary.services.stock.sources import list_sources

        with open_application().database.read() as session:
            known = list_sources(session)
        texts = {str(row["code"]): str(row["daily_parcels"]) for row in known}
    return {
        code: int(text) if text.isascii() and text.isdigit() else 0 for code, text in texts.items()
    }


def _show(programme: Programme, days: int, chance: float) -> None:
    click.echo(f"{programme.sources} sources, {programme.without_volume} of them name no parcels")
    click.echo(
        f"baits a day to be seen within {days} days with chance {chance:g}: "
        f"{programme.baits_per_day} over all sources; {programme.most_for_one} for the largest"
    )
    click.echo(
        f"phones: {programme.phones_per_source} for each source from a pool of {programme.phones}; "
        f"{programme.phones_needed} are the least that give every source its own set"
    )
    for note in programme.notes:
        click.echo(f"Note: {note}")
