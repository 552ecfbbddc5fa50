"""Open a database: SQLite in one file, or PostgreSQL; one URL decides.

SQLite runs in WAL mode with `synchronous=FULL` (a commit survives power loss) and every writing
transaction begins with `BEGIN IMMEDIATE`, because a reader that turns writer gets SQLITE_BUSY
at once whatever the timeout.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from canary.domain.errors import Invalid, Unavailable

BUSY_TIMEOUT_MS = 5000
WRITE = "canary_write"


class Database:
    """An engine with two ways in: `read` and `write`, one transaction each."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reading = sessionmaker(engine, expire_on_commit=False)
        self._write_engine = engine.execution_options(**{WRITE: True})
        self._writing = sessionmaker(self._write_engine, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session for reading; nothing is kept.

        Raises Unavailable when the database does not answer now.
        """
        with _told_plainly(), self._reading() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose transaction is committed at the end.

        Raises Unavailable when the database cannot take the write now.
        """
        with _told_plainly(), self._writing.begin() as session:
            yield session

    @contextmanager
    def connect(self, *, writes: bool = False) -> Iterator[Connection]:
        """Give a bare connection in one transaction. Raises Unavailable."""
        engine = self._write_engine if writes else self.engine
        with _told_plainly(), engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Turn what the driver says of a database that cannot be used now into Unavailable."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        # The driver's own first line names no values; the statement and its parameters stay out.
        cause = str(getattr(error, "orig", None) or "too many connections").partition("\n")[0]
        msg = f"the database cannot take this now: {cause[:200]}"
        raise Unavailable(msg, retry_after=2) from error


def open_database(url: str, *, pool_size: int = 10) -> Database:
    """Open the database behind `url`. Raises Invalid for a URL that cannot be used."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Invalid(
            "the database URL cannot be read",
            field="CANARY_DATABASE_URL",
            mend="use sqlite:////path/file.sqlite3 or postgresql+psycopg://user@host/name",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return Database(_open_sqlite(url, pool_size))
    if backend == "postgresql":
        return Database(_open_postgresql(url, pool_size))
    raise Invalid(
        f"the database {backend} is not supported",
        field="CANARY_DATABASE_URL",
        mend="use SQLite or PostgreSQL",
    )


def _open_postgresql(url: str, pool_size: int) -> Engine:
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    try:
        return create_engine(parsed, pool_size=pool_size, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise Invalid(
            "the PostgreSQL driver is not installed",
            field="CANARY_DATABASE_URL",
            mend="pip install 'waybill-canary[postgres]'",
        ) from error


def _open_sqlite(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        connect_args={"check_same_thread": False, "timeout": 5},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late and is never IMMEDIATE: switch it off.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite URL; None for any other database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def is_reachable(database: Database) -> bool:
    """Whether the database answers."""
    try:
        with database.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except Unavailable:
        return False
    return True
