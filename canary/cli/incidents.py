"""Incidents, and what a person reports by hand."""

from pathlib import Path

import click

from canary.bootstrap import open_application
from canary.cli.numbers import ROW_ID
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.services.inbox import manual
from canary.services.pages.summaries import list_summaries, load_summary


@click.group()
def incidents() -> None:
    """What people review."""


@incidents.command("list")
@as_json
def list_incidents(*, as_json: bool) -> None:
    """List the incidents, newest first."""
    application = open_application()
    with application.database.read() as session:
        rows = list_summaries(session)
    print_rows(
        rows,
        title="Incidents",
        columns=("id", "state", "verdict", "named", "sightings", "last_sighting_at"),
        json_wanted=as_json,
    )


@incidents.command()
@click.argument("incident_id", type=ROW_ID, metavar="ID")
@click.option("--revision", type=ROW_ID, metavar="N", help="An older attribution of it.")
@as_json
def show(incident_id: int, *, revision: int | None, as_json: bool) -> None:
    """Show one incident with its reasons."""
    application = open_application()
    with application.database.read() as session:
        summary = load_summary(session, incident_id, revision)
    if as_json:
        print_json(summary)
        return
    text = summary["explanations"].get(application.settings.lang, {})
    click.echo(f"incident {summary['id']} ({summary['state']}): {summary['verdict']}")
    for part in ("headline", "reasons", "exclusions", "settle"):
        lines = text.get(part, [])
        for line in [lines] if isinstance(lines, str) else lines:
            click.echo(f"  {line}")


@click.command()
@click.option("--text", help="What was seen; beside --file, what can be read in a picture.")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--venue", default="", help="Where: site, group, shop.")
@click.option("--basis", default="", help="How it was lawfully obtained.")
@as_json
def report(*, text: str | None, path: Path | None, venue: str, basis: str, as_json: bool) -> None:
    """Take a manual report into the inbox; triage works on it like on any other."""
    if text is None and path is None:
        raise click.UsageError("give --text or --file")
    application = open_application()
    said = text or ""
    given = manual.HandReport(
        body=path.read_bytes() if path else said.encode("utf-8", "replace"),
        venue=venue,
        basis=basis,
        actor=name_actor(),
        transcription=said if path else "",
    )
    ref = manual.report_by_hand(
        application.database,
        application.keys.vault,
        given,
        now=application.clock(),
    )
    if as_json:
        print_json({"inbox": ref})
    else:
        click.echo(f"taken as {ref}; the serving process will work on it")
