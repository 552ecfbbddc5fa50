"""Stored posts: look at dead letters, try them again, match sightings again."""

import click

from canary.bootstrap import open_application
from canary.cli.printing import as_json, name_actor, print_json, print_rows
from canary.domain.errors import Invalid
from canary.services.detection.rematching import DAYS, list_rematches, request_rematch
from canary.services.inbox import again
from canary.services.inbox.reporters import get_reporter
from canary.services.pages import feeds
from webhooks.inbound.rereading import read_again


@click.group()
def inbox() -> None:
    """Stored posts and their dead letters."""


@inbox.command("list")
@click.option("--state", type=click.Choice(["waiting", "done", "dead"]))
@click.option("--reporter", help="Only this one's.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@as_json
def list_posts(*, state: str | None, reporter: str | None, limit: int, as_json: bool) -> None:
    """List stored posts, newest first."""
    application = open_application()
    with application.database.read() as session:
        found = feeds.list_posts_after(
            session, feeds.Slice(limit=limit), reporter=reporter, state=state
        )
    rows = [
        {
            "ref": post.ref,
            "reporter": post.reporter,
            "received": post.received_at.isoformat(),
            "state": post.state,
            "bytes": post.size,
            "failure": post.failure or "",
        }
        for post in found
    ]
    columns = ("ref", "reporter", "received", "state", "bytes", "failure")
    print_rows(rows, title="Inbox", columns=columns, json_wanted=as_json)


@inbox.command("again")
@click.argument("ref", required=False)
@click.option("--reporter", help="Every dead letter of this one.")
def try_again(ref: str | None, *, reporter: str | None) -> None:
    """Give a dead letter another try, read anew where it could not be read."""
    application = open_application()
    database, vault, now = application.database, application.keys.vault, application.clock()
    if ref is not None and reporter is None:
        again.try_again(database, vault, read_again, ref, actor=name_actor(), now=now)
        click.echo(f"{ref} waits for triage again")
        return
    if reporter is None or ref is not None:
        raise Invalid("which dead letters?", mend="give a reference, or --reporter NAME")
    with database.read() as session:
        reporter_id = get_reporter(session, reporter).id
    revived, stay = again.try_all_again(
        database, vault, read_again, reporter_id, actor=name_actor(), now=now
    )
    click.echo(f"{revived} wait for triage again, {stay} stay dead")


@click.group()
def rematch() -> None:
    """Match stored sightings again, because baits came late or a rule changed."""


@rematch.command("start")
@click.option("--days", type=click.IntRange(1, 3650), default=DAYS, show_default=True)
@click.option("--reason", required=True, help="Kept in the audit log.")
def start_rematch(*, days: int, reason: str) -> None:
    """Ask for it; the jobs work on it in the background and go on after a crash."""
    application = open_application()
    with application.database.write() as session:
        request_rematch(session, reason, actor=name_actor(), now=application.clock(), days=days)
    click.echo(f"the sightings of the last {days} days will be matched again")


@rematch.command("list")
@as_json
def show_rematches(*, as_json: bool) -> None:
    """Show how far it has come."""
    application = open_application()
    with application.database.read() as session:
        lines = list_rematches(session, limit=20)
    rows = [
        {
            "reason": line.reason,
            "state": line.state,
            "since": line.since.isoformat(),
            "done": line.done,
            "total": line.total,
            "found": line.found,
            "by": line.requested_by,
        }
        for line in lines
    ]
    if as_json:
        print_json(rows)
        return
    columns = ("reason", "state", "since", "done", "total", "found", "by")
    print_rows(rows, title="Rematches", columns=columns, json_wanted=False)
