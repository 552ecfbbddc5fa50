"""Sources and phones."""

from pathlib import Path
from secrets import SystemRandom

import click

from canary.bootstrap import open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows, write_file
from canary.services.stock import phones as phone_service
from canary.services.stock import sources as source_service
from canary.services.stock.imports import read_table
from canary.services.stock.sources import ImportResult
from seeds.carriers import load_carriers
from seeds.fiction import RANGES, draw_fictional

NOTES_SHOWN = 20
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
dry = click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")


def _show_import(result: ImportResult, what: str, *, dry_run: bool, json_wanted: bool) -> None:
    if json_wanted:
        print_json(
            {
                "created": result.created,
                "updated": result.updated,
                "unchanged": result.unchanged,
                "notes": list(result.notes),
                "dry_run": dry_run,
            }
        )
        return
    verb = "would be" if dry_run else "were"
    click.echo(
        f"{what}: {result.created} {verb} created, {result.updated} updated, "
        f"{result.unchanged} unchanged"
    )
    for note in result.notes[:NOTES_SHOWN]:
        click.echo(f"Note: {note}", err=True)
    if len(result.notes) > NOTES_SHOWN:
        click.echo(f"Note: {len(result.notes) - NOTES_SHOWN} more notes like these", err=True)


@click.group()
def sources() -> None:
    """Who holds waybill data: outlets, hubs, accounts, interfaces."""


@sources.command("import")
@click.argument("file", type=FILE)
@dry
@as_json
def import_sources(file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Create or update sources from a CSV, XLSX or JSON table."""
    application = open_application()
    rows = read_table(file, required=source_service.REQUIRED, optional=source_service.OPTIONAL)
    with application.database.write() as session:
        result = source_service.import_sources(
            session,
            rows,
            carriers=list(load_carriers()),
            actor=name_actor(),
            now=application.clock(),
        )
        if dry_run:
            session.rollback()
    _show_import(result, "sources", dry_run=dry_run, json_wanted=as_json)


@sources.command("list")
@as_json
def list_sources(*, as_json: bool) -> None:
    """List the sources."""
    application = open_application()
    with application.database.read() as session:
        rows = source_service.list_sources(session)
    print_rows(
        rows,
        title="Sources",
        columns=("code", "name", "kind", "parent", "region", "carriers"),
        json_wanted=as_json,
    )


@sources.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_sources(file: Path) -> None:
    """Write the sources as sources.csv."""
    from canary.services.exports import write_csv

    application = open_application()
    with application.database.read() as session:
        rows = source_service.list_sources(session)
    write_file(file, write_csv(source_service.COLUMNS, rows))
    click.echo(f"{len(rows)} sources written to {file}")


@click.group()
def phones() -> None:
    """The pool of phones you own."""


@phones.command("import")
@click.argument("file", type=FILE)
@dry
@as_json
def import_phones(file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Add owned phones from a CSV, XLSX or JSON table."""
    application = open_application()
    rows = read_table(file, required=phone_service.REQUIRED, optional=phone_service.OPTIONAL)
    with application.database.write() as session:
        result = phone_service.import_phones(
            session,
            application.keys.vault,
            rows,
            actor=name_actor(),
            now=application.clock(),
        )
        if dry_run:
            session.rollback()
    _show_import(result, "phones", dry_run=dry_run, json_wanted=as_json)


@phones.command("trial")
@click.option("--country", type=click.Choice(list(RANGES)), required=True)
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def draw_trial_phones(country: str, *, count: int, out: Path) -> None:
    """Write numbers kept for fiction, for trials abroad: they never ring."""
    from canary.services.exports import write_csv

    numbers = draw_fictional(country, count, SystemRandom())
    rows = [{"number": number, "label": "trial"} for number in numbers]
    write_file(out, write_csv(("number", "label"), rows))
    click.echo(f"{count} numbers for trials are in {out}; `canary phones import {out}` takes them")


@phones.command("list")
@as_json
def list_phones(*, as_json: bool) -> None:
    """List the pool; numbers are masked."""
    application = open_application()
    with application.database.read() as session:
        pool = phone_service.list_phones(session, application.keys.vault, application.clock())
    rows = [
        {
            "ref": phone.ref,
            "number": phone.number,
            "label": phone.label,
            "gateway": phone.gateway,
            "owned_since": f"{phone.owned_since:%Y-%m-%d}" if phone.owned_since else "",
            "previous_use": phone.previous_use,
            "burn_in_days": phone.burn_in_days,
            "ready": f"{phone.ready_at:%Y-%m-%d}",
            "spam_per_day": "" if phone.spam_per_day is None else phone.spam_per_day,
            "baits": phone.baits,
            "control": "yes" if phone.is_control else "",
        }
        for phone in pool
    ]
    print_rows(
        rows,
        title="Phones",
        columns=tuple(rows[0]) if rows else ("ref", "number"),
        json_wanted=as_json,
    )
