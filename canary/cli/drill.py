"""Send a marked message through every live path."""

import time

import click

from canary.bootstrap import Application, make_driller, open_application
from canary.cli.printing import as_json, name_actor, print_json, print_table
from canary.services.detection.drilling import DrillLine, read_drills, send_drills

PATIENCE = 30.0
POLLED_EVERY = 0.2


@click.command()
@click.option("--reporter", "reporters", multiple=True, help="Only this one; repeatable.")
@click.option(
    "--wait",
    type=click.FloatRange(0, 600),
    default=PATIENCE,
    show_default=True,
    help="Seconds to wait until the jobs have read the messages.",
)
@as_json
def drill(*, reporters: tuple[str, ...], wait: float, as_json: bool) -> None:
    """Send a marked message through the public address of each reporter; tell the path's time.

    Exits 1 when one was not answered well, or not read in time.
    """
    application = open_application()
    ids = send_drills(make_driller(application), reporters, actor=name_actor())
    lines = _wait(application, ids, wait)
    rows = [
        {
            "reporter": line.reporter,
            "status": line.status,
            "answered_ms": line.answered_ms,
            "triaged_ms": line.triaged_ms,
            "problem": line.problem or ("" if line.triaged_ms is not None else "not read in time"),
        }
        for line in lines
    ]
    if as_json:
        print_json(rows)
    else:
        columns = ("reporter", "status", "answered_ms", "triaged_ms", "problem")
        print_table("Drill", columns, ([row[name] for name in columns] for row in rows))
    if any(row["problem"] for row in rows):
        raise click.exceptions.Exit(1)


def _wait(application: Application, ids: list[int], wait: float) -> list[DrillLine]:
    deadline = time.monotonic() + wait
    while True:
        with application.database.read() as session:
            lines = read_drills(session, ids)
        if all(line.triaged_ms is not None or line.problem for line in lines):
            return lines
        if time.monotonic() >= deadline:
            return lines
        time.sleep(POLLED_EVERY)
