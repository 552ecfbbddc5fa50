"""Seed baits, hand them over, take confirmations and custody events."""

import os
import time
from datetime import datetime
from pathlib import Path
from secrets import SystemRandom

import click

from canary.bootstrap import Application, make_partner_sender, open_application
from canary.cli.numbers import DAYS
from canary.cli.printing import as_json, name_actor, print_json, print_table, show_progress
from canary.services.baits import custody as custody_service
from canary.services.baits import rotation
from canary.services.baits.confirming import confirm_planting, find_baits
from canary.services.baits.connectors import read_connector
from canary.services.baits.orders import PLAN_OPTIONAL, PLAN_REQUIRED, PlanRow, SeedOrder, read_plan
from canary.services.baits.planting import Gardener, LabelWish, export_sheets
from canary.services.baits.pushing import push_batch
from canary.services.baits.seeding import Nursery, SeedResult, seed_batch
from canary.services.stock.imports import read_table
from seeds.people import ForbiddenNames, NameScript, NameStyle
from seeds.templates import TEMPLATES

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--batch", required=True, help="A name; the same name twice creates nothing new.")
@click.option("--source", "sources", multiple=True, help="Code of a source; may be repeated.")
@click.option("--all", "all_sources", is_flag=True, help="Every source.")
@click.option(
    "--file",
    "plan_file",
    type=FILE,
    help="A plan: source,count and perhaps carrier,origin,destination,fields,route per row.",
)
@click.option("--per-source", type=click.IntRange(1, 1_000_000), default=4, show_default=True)
@click.option("--carrier", help="Use this carrier for the whole batch.")
@click.option("--controls", type=float, default=0.05, show_default=True, help="Share kept home.")
@click.option("--days", type=DAYS, default=1, show_default=True, help="Spread orders over so many.")
@click.option("--reserved", is_flag=True, help="Take reserved and voided numbers only.")
@click.option("--forbid", "forbid_file", type=FILE, help="Names no bait may bear: column name.")
@click.option(
    "--names",
    type=click.Choice([style.value for style in NameStyle]),
    default=NameStyle.BLENDED.value,
    show_default=True,
    help="rare: surnames of rank 60-400 only, for networks where nobody compares rows.",
)
@click.option("--drop", nargs=2, help="Your own address: district code and street with number.")
@click.option("--mark-goods", is_flag=True, help="Give each source a goods word of its own.")
@click.option(
    "--local",
    type=click.IntRange(min=0),
    default=0,
    help="So many of each source's baits stay out of systems its parents can query.",
)
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
    days: int,
    reserved: bool,
    forbid_file: Path | None,
    names: str,
    drop: tuple[str, str] | None,
    mark_goods: bool,
    local: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Plan and make a batch of baits; a batch begun or drafted before is carried on."""
    chosen = sum((bool(sources), all_sources, plan_file is not None))
    if chosen > 1:
        raise click.UsageError("say which sources: one of --source, --all, --file plan.csv")
    application = open_application()
    order = SeedOrder(
        batch=batch,
        sources=sources,
        per_source=per_source,
        carrier=carrier.upper() if carrier else None,
        controls=controls,
        days=days,
        rows=_read_plan(plan_file) if plan_file else (),
        reserved=reserved,
        names=NameStyle(names),
        drop=drop,
        mark_goods=mark_goods,
        local=local,
        resume=chosen == 0,
    )
    step, end = show_progress("baits")
    try:
        result = seed_batch(
            _nursery(application),
            order,
            forbidden=_read_forbidden(forbid_file) if forbid_file else None,
            dry_run=dry_run,
            progress=step,
        )
    finally:
        end()
    _show_seeded(result, dry_run=dry_run, json_wanted=as_json)


def _show_seeded(result: SeedResult, *, dry_run: bool, json_wanted: bool) -> None:
    if json_wanted:
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


def _read_plan(path: Path) -> tuple[PlanRow, ...]:
    return read_plan(read_table(path, required=PLAN_REQUIRED, optional=PLAN_OPTIONAL))


def _read_forbidden(path: Path) -> ForbiddenNames:
    """Read a list of names, which is hashed under a key of this run and forgotten."""
    rows = read_table(path, required=("name",))
    return ForbiddenNames.from_names(
        SystemRandom().randbytes(32), (row.cells["name"] for row in rows)
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


@click.group()
def plant() -> None:
    """Hand baits over to their sources."""


@plant.command()
@click.option("--batch", required=True)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--template", type=click.Choice(list(TEMPLATES)), default="generic")
@click.option("--format", "sheet_format", type=click.Choice(["csv", "xlsx", "json"]), default="csv")
@click.option(
    "--names",
    type=click.Choice([script.value for script in NameScript]),
    default=NameScript.SIMPLIFIED.value,
    show_default=True,
    help="How names are written; all forms are found again.",
)
@click.option("--until", help="Only orders dated up to here, ISO 8601 with offset.")
@click.option("--labels", is_flag=True, help="Label PDFs as well, 100 x 150 mm.")
@click.option(
    "--mask/--no-mask", default=True, help="Hide personal data on labels as the law asks."
)
@click.option("--font", type=FILE, help="A Chinese font for labels.")
@as_json
def export(
    *,
    batch: str,
    out: Path,
    template: str,
    sheet_format: str,
    names: str,
    until: str | None,
    labels: bool,
    mask: bool,
    font: Path | None,
    as_json: bool,
) -> None:
    """Write a planting sheet for each source; from now on it could leak."""
    application = open_application()
    sheets = export_sheets(
        _gardener(application),
        batch,
        out,
        template=template,
        sheet_format=sheet_format,
        script=NameScript(names),
        labels=LabelWish(masked=mask, font=font) if labels else None,
        until=_parse_time(until) if until else None,
    )
    if as_json:
        print_json([_slots(sheet) for sheet in sheets])
        return
    print_table(
        "Sheets",
        ("source", "baits", "file", "labels"),
        ((s.source, s.baits, s.file, s.labels) for s in sheets),
    )
    if any(sheet.is_local for sheet in sheets):
        click.echo("Note: what is in the sheets +local must enter no system others query", err=True)
    if TEMPLATES[template].note:
        click.echo(f"Note: {TEMPLATES[template].note}", err=True)


def _gardener(application: Application) -> Gardener:
    return Gardener(
        database=application.database,
        vault=application.keys.vault,
        clock=application.clock,
        actor=name_actor(),
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


@plant.command()
@click.option("--batch", help="Only this batch.")
@as_json
def gaps(*, batch: str | None, as_json: bool) -> None:
    """List baits issued for sources and never confirmed, and batches drafted and not made."""
    application = open_application()
    with application.database.read() as session:
        found = rotation.list_gaps(session, batch)
        drafts = rotation.list_drafts(session)
    if as_json:
        print_json(
            {
                "gaps": [_slots(gap) for gap in found],
                "drafts": [{"batch": name, "baits": count} for name, count in drafts],
            }
        )
        return
    print_table(
        "Gaps",
        ("source", "batch", "not confirmed", "handed over", "issued since"),
        (
            (gap.source, gap.batch, gap.issued, gap.handed_over, f"{gap.since:%Y-%m-%d}")
            for gap in found
        ),
    )
    for name, count in drafts:
        click.echo(f"drafted: {count} baits, made by `canary seed --batch {name}`")


@plant.command()
@click.option("--older-than", type=DAYS, required=True, help="Days since issued.")
@click.option("--batch", help="Only this batch.")
@click.option("--replace", is_flag=True, help="Draft a batch of as many for the same sources.")
@as_json
def rotate(*, older_than: int, batch: str | None, replace: bool, as_json: bool) -> None:
    """Retire baits that have done their time; they still match."""
    application = open_application()
    with application.database.write() as session:
        result = rotation.retire_older(
            session,
            days=older_than,
            replace=replace,
            batch=batch,
            actor=name_actor(),
            now=application.clock(),
        )
    if as_json:
        print_json(_slots(result))
        return
    click.echo(f"{result.ended} baits retired")
    if result.batch:
        click.echo(f"drafted: {result.drafted} baits, made by `canary seed --batch {result.batch}`")


@plant.command()
@click.option("--batch", required=True)
@click.option("--connector", type=FILE, required=True, help="How the partner takes orders.")
@click.option("--source", "sources", multiple=True, help="Only these sources.")
@click.option("--dry-run", is_flag=True, help="Render every order, send none.")
@as_json
def push(
    *, batch: str, connector: Path, sources: tuple[str, ...], dry_run: bool, as_json: bool
) -> None:
    """Post orders to a partner's HTTP interface; what is taken counts as confirmed."""
    application = open_application()
    read = read_connector(connector.read_bytes(), os.environ)
    step, end = show_progress("orders")
    try:
        result = push_batch(
            _gardener(application),
            batch,
            read,
            make_partner_sender(application),
            sources=sources,
            pause=time.sleep,
            dry_run=dry_run,
            progress=step,
        )
    finally:
        end()
    if as_json:
        print_json({**_slots(result), "dry_run": dry_run})
    else:
        for problem in result.problems:
            click.echo(f"Note: {problem}", err=True)
        verb = "would be pushed" if dry_run else f"pushed, {result.taken} taken"
        click.echo(f"{result.orders} orders {verb}, {result.already} were confirmed already")
    if result.failed:
        raise click.exceptions.Exit(1)


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
