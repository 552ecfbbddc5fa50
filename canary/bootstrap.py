"""The one place where the parts meet."""

import fcntl
import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from random import SystemRandom
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from canary.domain.errors import Conflict, Invalid
from canary.services.claims import release_all
from canary.settings import Settings, read_settings
from canary.storage.keys import Keys, load_keys, load_or_make_keys
from canary.storage.migrate import require_current, upgrade
from canary.storage.notes import check_keys
from canary.storage.session import Database, is_reachable, open_database, sqlite_path

if TYPE_CHECKING:
    from flask import Flask
    from waitress.server import BaseWSGIServer

    from canary.jobs import Jobs
    from canary.services.alerts.alerting import Sender
    from canary.services.baits.pushing import OrderSender
    from canary.services.detection.drilling import Driller
    from canary.services.detection.live import LiveRegister
    from canary.services.monitors.checking import Lookout


THREADS = 8


def read_clock() -> datetime:
    """Tell the time: our own clock dates everything."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Application:
    """An opened installation: settings, database, keys, clock."""

    settings: Settings
    database: Database
    keys: Keys
    clock: Callable[[], datetime] = read_clock

    @cached_property
    def live(self) -> "LiveRegister":
        """The register in memory: one for the jobs and the pages of a process."""
        from canary.services.detection.live import LiveRegister

        file = self.settings.home / "register.sealed"
        return LiveRegister(self.database, self.keys.vault, self.clock, file)


def prepare_application(**overrides: object) -> Application:
    """Create what is missing (folder, keys, schema) and open it; repeatable."""
    settings = read_settings(**overrides)
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Invalid(
            f"the folder {settings.home} cannot be made: {error.strerror}",
            field="CANARY_HOME",
            mend="choose a folder you may write to",
        ) from error
    database = open_database(settings.database_url)
    upgrade(database)
    keys = load_or_make_keys(settings.secret_file)
    return _checked(settings, database, keys)


def open_application(**overrides: object) -> Application:
    """Open an installation that `canary init` has made. Raises Conflict, Invalid."""
    settings = read_settings(**overrides)
    _require_sqlite_file(settings.database_url)
    database = open_database(settings.database_url)
    require_current(database)
    return _checked(settings, database, load_keys(settings.secret_file))


def name_scan_cluster() -> str:
    """Return the address of the cluster that scans, if one is set; needs no installation."""
    return read_settings().scan_cluster


def upgrade_application() -> None:
    """Bring an existing database to this version's schema."""
    settings = read_settings()
    _require_sqlite_file(settings.database_url)
    upgrade(open_database(settings.database_url))


def _checked(settings: Settings, database: Database, keys: Keys) -> Application:
    configure_logging(settings.log_level)
    check_keys(database, keys.vault)
    return Application(settings=settings, database=database, keys=keys)


def _require_sqlite_file(url: str) -> None:
    path = sqlite_path(url)
    if path is not None and not path.exists():
        msg = f"there is no database at {path}; run `canary init`"
        raise Conflict(msg)


@contextmanager
def hold_sole_writer(application: Application) -> Iterator[None]:
    """Keep other serving processes off an SQLite file. Raises Conflict when one is running."""
    path = sqlite_path(application.settings.database_url)
    if path is None:
        yield
        return
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            msg = (
                f"another process serves {path} already; SQLite takes one serving process, "
                "use PostgreSQL (CANARY_DATABASE_URL) for more"
            )
            raise Conflict(msg) from error
        # Nobody else works on this file, so a crash gives its rows back at once.
        with application.database.write() as session:
            release_all(session)
        yield


def configure_logging(level: str) -> None:
    """Log JSON lines to standard error, without local variables in tracebacks."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def make_sender(application: Application) -> "Sender":
    """Build the way out."""
    from canary.doors import WebhookSender

    return WebhookSender(application.settings.outbound_allow)


def make_partner_sender(application: Application) -> "OrderSender":
    """Build the way to partners' interfaces."""
    from canary.doors import PartnerSender

    return PartnerSender(application.settings.outbound_allow)


def make_driller(application: Application) -> "Driller":
    """Build what drills the public addresses of the reporters."""
    from canary.doors import OwnPoster
    from canary.services.detection.drilling import Driller

    settings = application.settings
    return Driller(
        database=application.database,
        vault=application.keys.vault,
        clock=application.clock,
        poster=OwnPoster(settings.public_url, settings.outbound_allow),
    )


def make_lookout(application: Application) -> "Lookout":
    """Build what looks at watched pages."""
    from canary.doors import PageFetcher
    from canary.services.monitors.checking import Lookout
    from webhooks.inbound.rereading import read_again

    settings = application.settings
    return Lookout(
        database=application.database,
        vault=application.keys.vault,
        fetcher=PageFetcher(settings.outbound_allow, settings.user_agent),
        read=read_again,
        clock=application.clock,
        random=SystemRandom(),
        owner=draw_owner(),
    )


def draw_owner() -> str:
    """Name this process as one that claims work."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def make_jobs(application: Application) -> "Jobs":
    """Build the jobs of this process."""
    from canary.jobs import (
        DELIVER_EVERY,
        LOOK_EVERY,
        REMATCH_EVERY,
        TRIAGE_EVERY,
        WATCH_EVERY,
        Delivering,
        Job,
        Jobs,
        Looking,
        Rematching,
        Triaging,
        Watching,
    )
    from canary.services.alerts.delivering import Outbox
    from canary.services.baits.ordering import MAKE_EVERY, make_ordered
    from canary.services.baits.seeding import Nursery
    from canary.services.detection.triage import Desk

    owner = draw_owner()
    desk = Desk(
        database=application.database,
        vault=application.keys.vault,
        clock=application.clock,
        owner=owner,
        public_url=application.settings.public_url,
        zone=ZoneInfo(application.settings.timezone),
        live=application.live,
    )
    delivering = Delivering(
        Outbox(
            database=application.database,
            vault=application.keys.vault,
            sender=make_sender(application),
            clock=application.clock,
            random=SystemRandom(),
        ),
        owner,
    )
    nursery = Nursery(
        database=application.database,
        vault=application.keys.vault,
        random=SystemRandom(),
        clock=application.clock,
        actor="jobs",
    )
    looking = Looking(make_lookout(application))
    return Jobs(
        [
            Job(name="triage", step=Triaging(desk), every=TRIAGE_EVERY),
            Job(name="deliver", step=delivering, every=DELIVER_EVERY),
            Job(name="rematch", step=Rematching(desk), every=REMATCH_EVERY),
            Job(name="look", step=looking, every=LOOK_EVERY),
            Job(name="watch", step=Watching(desk), every=WATCH_EVERY),
            Job(name="make", step=partial(make_ordered, nursery), every=MAKE_EVERY),
        ],
        on_stop=[delivering.stop, looking.stop],
    )


def make_web(application: Application, *, jobs: "Jobs | None" = None) -> "Flask":
    """Build the dashboard and the receiving routes."""
    from canary.doors import DatabaseInbox, OwnPoster
    from canary.services.access import Role
    from canary.services.people.factors import note_required
    from canary.web.app import create_app
    from canary.web.parts import WebParts

    settings, database = application.settings, application.database
    factor_roles = frozenset(Role(name) for name in settings.require_totp)
    note_required(database, factor_roles, application.clock())
    return create_app(
        WebParts(
            database=database,
            vault=application.keys.vault,
            clock=application.clock,
            inbox=DatabaseInbox(database=database, vault=application.keys.vault),
            sender=make_sender(application),
            poster=OwnPoster(settings.public_url, settings.outbound_allow),
            live=application.live,
            lookout=make_lookout(application),
            session_key=application.keys.session_key,
            public_url=settings.public_url,
            default_lang=settings.lang,
            timezone=settings.timezone,
            max_body=settings.max_body,
            trusted_proxies=settings.trusted_proxies,
            alive=lambda: {
                "database": is_reachable(database),
                "jobs": jobs is None or jobs.is_alive,
            },
            metrics_allow=settings.metrics_allow,
            factor_roles=factor_roles,
        )
    )


def serve_forever(app: "Flask", *, host: str, port: int) -> None:
    """Answer requests in threads until the process is told to stop."""
    from waitress import serve

    serve(app, host=host, port=port, threads=THREADS, ident=None)


def make_server(
    app: "Flask", listener: socket.socket, channels: dict[int, Any] | None = None
) -> "BaseWSGIServer":
    """Build a server that answers on an open socket; the caller runs and closes it.

    Its open sockets are kept in `channels`; it runs until that is empty.
    """
    from waitress import create_server

    return create_server(app, map=channels, sockets=[listener], threads=THREADS, ident=None)


@contextmanager
def serve_in_thread(app: "Flask", listener: socket.socket) -> Iterator[None]:
    """Answer requests on an open socket until the block ends."""
    from waitress.wasyncore import close_all

    channels: dict[int, Any] = {}
    server = make_server(app, listener, channels)
    thread = threading.Thread(target=server.run, name="server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.task_dispatcher.shutdown()
        # Closed by its own loop: a socket must not vanish from under its select.
        server.trigger.pull_trigger(partial(close_all, channels, ignore_all=True))
        thread.join(timeout=5)
