"""What every test may use: a fence, a clock, keys, and a database of either kind."""

import os
import shutil
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import event

from canary.bootstrap import configure_logging
from canary.storage.migrate import upgrade
from canary.storage.session import Database, open_database
from canary.storage.tables import Row
from canary.storage.vault import Vault
from tests.factories import Office
from tests.fakes import FakeClock
from tests.postgres import find_binaries, run_server

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_numbers = count(1)

# The same examples in every run and no limits of time: a red test is red for everybody, and a busy
# machine is no reason to fail. `pytest --hypothesis-profile=explore` draws new ones.
settings.register_profile(
    "explore", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("same", settings.get_profile("explore"), derandomize=True)
settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    configure_logging("error")
    config.addinivalue_line("markers", "may_skip: a skip of this test is no failure in CI")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    """In CI a skipped test is a failed one: what was not run is not proven."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and os.environ.get("CI") and not item.get_closest_marker("may_skip"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, Any]:
    """The same for a whole file that asks to be skipped."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing may be skipped: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and look-up that leaves loopback."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            raise AssertionError(f"a test called {address[0]}")
        connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in (*LOOPBACK, "0.0.0.0", None):
            raise AssertionError(f"a test looked up {host}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault({"k1": b"k" * 32}, "k1", b"i" * 32)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one file; each test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "canary.sqlite3"
    with closing(open_database(f"sqlite:///{path}")) as database:
        upgrade(database)
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[str], str]]:
    """Run one server a session; tell the URL of a database by its name."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server binaries (initdb, postgres) are not installed")
    with run_server(binaries) as folder:
        yield lambda name: f"postgresql://canary@/{name}?host={folder}"


@pytest.fixture(scope="session")
def postgres_migrated(postgres_server: Callable[[str], str]) -> str:
    """Migrate one database; each test leaves it empty."""
    url = postgres_server("postgres")
    with closing(open_database(url)) as database:
        upgrade(database)
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("database")


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, database_folder: Path) -> Iterator[str]:
    """Tell the URL of a database without any table."""
    if backend == "sqlite":
        yield f"sqlite:///{database_folder}/canary.sqlite3"
        return
    url = request.getfixturevalue("postgres_server")
    name = f"empty_{next(_numbers)}"
    with psycopg.connect(url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    yield url(name)


@pytest.fixture
def database_url(
    backend: str, request: pytest.FixtureRequest, database_folder: Path
) -> Iterator[str]:
    """Tell the URL of a migrated, empty database."""
    if backend == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), database_folder / "canary.sqlite3")
        yield f"sqlite:///{database_folder}/canary.sqlite3"
        return
    url = request.getfixturevalue("postgres_migrated")
    yield url
    with psycopg.connect(url, options="-c lock_timeout=60s") as cleaner:
        for table in reversed(Row.metadata.sorted_tables):
            cleaner.execute(f"DELETE FROM {table.name}")
        cleaner.execute("SELECT setval(format('%I', sequencename), 1, false) FROM pg_sequences")


@pytest.fixture
def database(backend: str, database_url: str) -> Iterator[Database]:
    """Open a migrated, empty database: each test runs on SQLite and on PostgreSQL."""
    with closing(open_database(database_url, pool_size=25)) as opened:
        if opened.is_sqlite:
            event.listen(opened.engine, "connect", _hurry_and_wait)
        yield opened


def _hurry_and_wait(connection: Any, _record: object) -> None:
    """Survive no power cut; bear twenty writers on a busy machine."""
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA busy_timeout=120000")


@pytest.fixture
def office(database: Database, vault: Vault, clock: FakeClock) -> Office:
    """An installation as services see it, with short ways to use it."""
    return Office(database=database, vault=vault, clock=clock)
