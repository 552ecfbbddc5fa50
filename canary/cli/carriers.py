"""Carriers and their number formats."""

import sys
from pathlib import Path

import click

from canary.bootstrap import open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.services.stock import ranges as range_service
from canary.services.stock.imports import read_table
from seeds.carriers import load_carriers
from seeds.numbers import identify


@click.group()
def carriers() -> None:
    """Carriers and the formats of their numbers."""


@carriers.command("list")
@as_json
def list_carriers(*, as_json: bool) -> None:
    """List the carriers and formats known."""
    rows = [
        {
            "code": carrier.code,
            "name": f"{carrier.name_zh} {carrier.name_en}",
            "format": form.code,
            "current": "yes" if form.current else "",
            "pattern": form.pattern.pattern,
        }
        for carrier in load_carriers().values()
        for form in carrier.formats
    ]
    print_rows(
        rows,
        title="Carriers",
        columns=("code", "name", "format", "current", "pattern"),
        json_wanted=as_json,
    )


@carriers.command()
@click.argument("numbers", nargs=-1)
@as_json
def check(numbers: tuple[str, ...], *, as_json: bool) -> None:
    """Say which carriers each NUMBER could belong to, best first; `-` reads one a line."""
    if not numbers:
        raise click.UsageError("give numbers, or - to read one a line from standard input")
    given = (
        [line.strip() for line in sys.stdin if line.strip()] if numbers == ("-",) else list(numbers)
    )
    rows = [
        {
            "number": number,
            "carriers": list(dict.fromkeys(found.carrier for found in identify(number))),
        }
        for number in given
    ]
    if as_json:
        print_json(rows)
        return
    print_rows(
        [
            {"number": row["number"], "carriers": " ".join(row["carriers"]) or "none"}
            for row in rows
        ],
        title="Carriers",
        columns=("number", "carriers"),
        json_wanted=False,
    )


@carriers.group()
def ranges() -> None:
    """Numbers never to be used, reserved for you, or voided for you."""


@ranges.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--use",
    type=click.Choice([use.value for use in range_service.RangeUse]),
    help="What the ranges are for, where the table has no column use.",
)
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@as_json
def import_ranges(file: Path, *, use: str | None, dry_run: bool, as_json: bool) -> None:
    """Add ranges from a table carrier,from,to,until,use,note; `to` empty is one number."""
    application = open_application()
    rows = read_table(file, required=range_service.REQUIRED, optional=range_service.OPTIONAL)
    with application.database.write() as session:
        result = range_service.import_ranges(
            session,
            application.keys.vault,
            rows,
            use=range_service.RangeUse(use) if use else None,
            actor=name_actor(),
            now=application.clock(),
        )
        if dry_run:
            session.rollback()
    if as_json:
        counts = {"created": result.created, "unchanged": result.unchanged, "dry_run": dry_run}
        print_json(counts)
    else:
        verb = "would be" if dry_run else "were"
        click.echo(f"ranges: {result.created} {verb} added, {result.unchanged} were known")


@ranges.command("list")
@as_json
def list_ranges(*, as_json: bool) -> None:
    """List the ranges; reserved and voided numbers are masked."""
    application = open_application()
    with application.database.read() as session:
        rows = range_service.list_ranges(session, application.keys.vault)
    print_rows(
        rows,
        title="Ranges",
        columns=("ref", "carrier", "use", "from", "to", "size", "used", "until", "note"),
        json_wanted=as_json,
    )
