"""Seed baits, hand them over, take confirmations and custody events."""

from datetime import datetime
from pathlib import Path
from secrets import SystemRandom

import click

from canary.bootstrap import Application, open_application
from canary.cli.printing import as_json, name_actor, print_json, print_table, show_progress
from canary.domain.errors import Invalid
from canary.services import custody as custody_service
from canary.services.imports import read_table
from canary.services.planting import (
    Gardener,
    confirm_planting,
    export_sheets,
    find_baits,
)
from canary.services.seeding import Nursery, SeedOrder, seed_batch
from seeds.templates import TEMPLATES

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--batch", required=True, help="A name; the same name twice creates nothing new.")
@click.option("--source", "sources", multiple=True, help="Code of a source; may be repeated.")
@click.option("--all", "all_sources", is_flag=True, help="Every source.")
@click.option("--file", "plan_file", type=FILE, help="A plan: source,count per row.")
@click.option("--per-source", type=click.IntRange(1, 100_000), default=4, show_default=True)
@click.option("--carrier", help="Use this carrier for the whole batch.")
@click.option("--controls", type=float, default=0.05, show_default=True, help="Share kept home.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, change nothing.")
@as_json
def seed(
    *,
    batch: str,
    sources: tuple[str, ...],
    all_sources: bool,
    plan_file: Path | None,
    per_source: int,
    carrier: str | None,
    controls: float,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Plan and make a batch of baits."""
    if sum((bool(sources), all_sources, plan_file is not None)) != 1:
        raise click.UsageError("say which sources: --source CODE, --all or --file plan.csv")
    application = open_application()
    order = SeedOrder(
        batch=batch,
        sources=sources,
        per_source=per_source,
        carrier=carrier,
        controls=controls,
        counts=_read_plan(plan_file) if plan_file else {},
    )
    step, end = show_progress("baits")
    try:
        result = seed_batch(_nursery(application), order, dry_run=dry_run, progress=step)
    finally:
        end()
    if as_json:
        print_json({**_slots(result), "dry_run": dry_run})
        return
    for warning in result.warnings:
        click.echo(f"Note: {warning}", err=True)
    verb = "would be made" if dry_run else "made"
    count = result.baits + result.controls if dry_run else result.created
    click.echo(
        f"batch {result.batch}: {count} baits {verb} for {result.sources} sources "
        f"({result.baits} to plant, {result.controls} kept home as controls, "
        f"{result.with_phone} with a phone)"
    )


def _slots(result: object) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(result)  # type: ignore[call-overload,no-any-return]  # every result is a dataclass


def _nursery(application: Application) -> Nursery:
    return Nursery(
        database=application.database,
        vault=application.keys.vault,
        random=SystemRandom(),
        clock=application.clock,
        actor=name_actor(),
    )


def _read_plan(path: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in read_table(path, required=("source", "count")):
        text = row.cells["count"]
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= 100_000):
            raise Invalid(
                f"{text[:40]!r} is not a count",
                row=row.number,
                field="count",
                mend="give a whole number from 1 to 100000",
            )
        if row.cells["source"] in counts:
            raise Invalid(
                f"source {row.cells['source']!r} stands twice",
                row=row.number,
                field="source",
                mend="add the counts up in one row",
            )
        counts[row.cells["source"]] = int(text)
    return counts


@click.group()
def plant() -> None:
    """Hand baits over to their sources."""


@plant.command()
@click.option("--batch", required=True)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--template", type=click.Choice(list(TEMPLATES)), default="generic")
@click.option("--format", "sheet_format", type=click.Choice(["csv", "xlsx", "json"]), default="csv")
@as_json
def export(*, batch: str, out: Path, template: str, sheet_format: str, as_json: bool) -> None:
    """Write a planting sheet for each source; from now on it could leak."""
    application = open_application()
    sheets = export_sheets(
        Gardener(
            database=application.database,
            vault=application.keys.vault,
            clock=application.clock,
            actor=name_actor(),
        ),
        batch,
        out,
        template=template,
        sheet_format=sheet_format,
    )
    if as_json:
        print_json([_slots(sheet) for sheet in sheets])
        return
    print_table(
        "Sheets", ("source", "baits", "file"), ((s.source, s.baits, s.file) for s in sheets)
    )


@plant.command()
@click.option("--batch", required=True)
@click.option("--source", "sources", multiple=True, help="Only these sources.")
@click.option("--file", "list_file", type=FILE, help="Only the numbers in this table.")
@click.option("--by", "confirmed_by", default="", help="Who confirmed.")
@click.option("--at", help="When, ISO 8601 with offset; default now.")
@as_json
def confirm(
    *,
    batch: str,
    sources: tuple[str, ...],
    list_file: Path | None,
    confirmed_by: str,
    at: str | None,
    as_json: bool,
) -> None:
    """Note that baits are in place."""
    application = open_application()
    now, actor = application.clock(), name_actor()
    with application.database.write() as session:
        bait_ids = None
        if list_file is not None:
            rows = read_table(list_file, required=("number",))
            bait_ids = find_baits(session, application.keys.vault, rows)
        result = confirm_planting(
            session,
            batch_name=batch,
            sources=sources,
            bait_ids=bait_ids,
            confirmed_by=confirmed_by or actor,
            at=_parse_time(at) if at else now,
            actor=actor,
            now=now,
        )
    if as_json:
        print_json(_slots(result))
    else:
        click.echo(f"{result.confirmed} baits confirmed, {result.already} were confirmed already")


def _parse_time(text: str) -> datetime:
    return custody_service.parse_time(text, row=None)


@click.group()
def custody() -> None:
    """Scans, label prints and look-ups along the handling path."""


@custody.command("import")
@click.argument("file", type=FILE)
@as_json
def import_custody(file: Path, *, as_json: bool) -> None:
    """Open exposures from a table number,source,at,fields."""
    application = open_application()
    rows = read_table(file, required=custody_service.REQUIRED, optional=custody_service.OPTIONAL)
    with application.database.write() as session:
        result = custody_service.import_custody(
            session,
            application.keys.vault,
            rows,
            actor=name_actor(),
            now=application.clock(),
        )
    if as_json:
        print_json(_slots(result))
    else:
        click.echo(f"{result.created} exposures opened, {result.unchanged} were known")
