"""Regrade a reporter."""

import click

from canary.bootstrap import open_application
from canary.cli.printing import as_json, name_actor, print_json
from canary.domain.sightings import ChannelClass
from canary.services.baits.custody import parse_time
from canary.services.verdicts.regrading import regrade_reporter


@click.command()
@click.argument("name")
@click.option(
    "--class",
    "channel_class",
    type=click.Choice([one.value for one in ChannelClass]),
    required=True,
    help="What it may carry from now on.",
)
@click.option("--since", help="From when on, by our clock, as 2026-03-01T14:05:00+08:00; or all.")
@click.option("--reason", required=True, help="Why: kept in the audit log.")
@as_json
def regrade(
    name: str, *, channel_class: str, since: str | None, reason: str, as_json: bool
) -> None:
    """Change what a reporter's sightings may carry, also those judged already."""
    application = open_application()
    with application.database.write() as session:
        done = regrade_reporter(
            session,
            name,
            ChannelClass(channel_class),
            since=parse_time(since, row=None) if since else None,
            reason=reason,
            actor=name_actor(),
            now=application.clock(),
        )
    if as_json:
        print_json(
            {
                "reporter": done.reporter,
                "from": done.old_class,
                "to": done.new_class,
                "sightings": done.sightings,
                "incidents": list(done.incidents),
            }
        )
        return
    click.echo(
        f"{done.reporter}: {done.old_class} -> {done.new_class}; {done.sightings} sightings "
        f"regraded, {len(done.incidents)} incidents will be judged anew"
    )
