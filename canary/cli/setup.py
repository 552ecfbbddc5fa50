"""Set up, serve, work, upgrade."""

import secrets
import signal
import threading
from types import FrameType

import click

from canary.bootstrap import (
    Application,
    hold_sole_writer,
    make_jobs,
    make_web,
    open_application,
    prepare_application,
    serve_forever,
    upgrade_application,
)
from canary.cli.printing import as_json, name_actor, print_json
from canary.services.access import create_user, has_users

ADMINISTRATOR = "admin"


@click.command()
@as_json
def init(*, as_json: bool) -> None:
    """Create the database, the keys and the first administrator; may be repeated."""
    application = prepare_application()
    password = make_administrator(application)
    if as_json:
        print_json(
            {
                "database": application.settings.database_url.partition("://")[0],
                "home": str(application.settings.home),
                "administrator": ADMINISTRATOR if password else None,
                "password": password,
            }
        )
        return
    click.echo(f"ready in {application.settings.home}")
    if password:
        click.echo(f"sign in as {ADMINISTRATOR} with this one-time password: {password}")
    else:
        click.echo("an administrator exists already; nothing was changed")


def make_administrator(application: Application) -> str | None:
    """Make the first administrator and return the one-time password; None if there is one."""
    with application.database.write() as session:
        if has_users(session):
            return None
        password = secrets.token_urlsafe(15)
        create_user(
            session,
            name=ADMINISTRATOR,
            password=password,
            role="admin",
            now=application.clock(),
            actor=name_actor(),
            must_change_password=True,
        )
    return password


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes; more than one needs PostgreSQL.",
)
@click.option("--no-jobs", is_flag=True, help="Leave the jobs to `canary work`.")
def serve(*, host: str, port: int, workers: int, no_jobs: bool) -> None:
    """Serve the dashboard and the webhooks; jobs run inside."""
    application = open_application()
    if workers > 1:
        if application.database.is_sqlite:
            raise click.UsageError("SQLite takes one process; use PostgreSQL for more")
        from canary.cli.many import serve_with_workers

        serve_with_workers(host=host, port=port, workers=workers, with_jobs=not no_jobs)
        return
    with hold_sole_writer(application):
        jobs = None if no_jobs else make_jobs(application)
        app = make_web(application, jobs=jobs)
        if jobs is not None:
            jobs.start()
        click.echo(f"serving on http://{host}:{port}")
        try:
            serve_forever(app, host=host, port=port)
        finally:
            if jobs is not None:
                jobs.stop()


@click.command()
def work() -> None:
    """Run the jobs only, for more machines (PostgreSQL)."""
    application = open_application()
    with hold_sole_writer(application):
        jobs = make_jobs(application)
        jobs.start()
        click.echo("working; stop with Ctrl-C")
        _wait_for_stop()
        jobs.stop()


def _wait_for_stop() -> None:
    stopped = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    stopped.wait()


@click.command()
def upgrade() -> None:
    """Bring the database to this version's schema."""
    upgrade_application()
    click.echo("the database is at this version's schema")
