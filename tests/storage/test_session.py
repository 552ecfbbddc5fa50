"""How a database is opened: durable, patient, and refusing what it cannot be."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from canary.domain.errors import Invalid, Unavailable
from canary.storage.session import Database, is_reachable, open_database, sqlite_path
from canary.storage.tables import Note


@pytest.fixture
def embedded(tmp_path: Path, sqlite_template: Path) -> Database:
    path = tmp_path / "one.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    return open_database(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
def test_sqlite_keeps_its_promises(embedded: Database, pragma: str, value: object) -> None:
    with closing(embedded), embedded.read() as session:
        assert session.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


def test_writing_transaction_takes_lock_at_once(embedded: Database) -> None:
    """A reader that turns writer would be refused whatever the timeout."""
    assert embedded.engine.url.database
    with closing(embedded), embedded.write() as session:
        session.execute(text("SELECT 1"))
        other = sqlite3.connect(embedded.engine.url.database, timeout=0)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_reader_does_not_wait_for_writer(embedded: Database) -> None:
    with closing(embedded), embedded.write() as writer:
        writer.add(Note(name="n", value=b"v"))
        writer.flush()
        with embedded.read() as reader:
            assert reader.get(Note, "n") is None


def test_many_threads_may_write(database: Database) -> None:
    def write(place: int) -> None:
        with database.write() as session:
            session.add(Note(name=f"n{place}", value=b"v"))

    threads = [threading.Thread(target=write, args=(place,)) for place in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM notes")).scalar_one() == 16


def test_failed_write_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            session.add(Note(name="n", value=b"v"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.read() as session:
        assert session.get(Note, "n") is None


def test_full_disk_is_told_as_unavailable(embedded: Database) -> None:
    def fill() -> None:
        with embedded.write() as session:
            session.add(Note(name="n", value=bytes(200_000)))

    with closing(embedded):
        with embedded.read() as session:
            pages = session.execute(text("PRAGMA page_count")).scalar_one()
        embedded.engine.dispose()
        event.listen(
            embedded.engine,
            "connect",
            lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}"),
        )
        with pytest.raises(Unavailable, match="full"):
            fill()


def test_error_text_holds_no_parameters(database: Database) -> None:
    """Whatever is logged of a failed statement must not carry its values."""
    statement = text("INSERT INTO notes (name, value) VALUES (:name, NULL)")
    with pytest.raises(IntegrityError) as failure, database.write() as session:
        session.execute(statement, {"name": "secret-19340"})
    assert "parameters hidden" in str(failure.value)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "oracle://x", "://"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        open_database(url)
    flaw = refusal.value.flaws[0]
    assert flaw.field == "CANARY_DATABASE_URL"
    assert "PostgreSQL" in flaw.mend or "postgresql" in flaw.mend


def test_absent_database_is_not_reachable(tmp_path: Path) -> None:
    with closing(open_database(f"sqlite:///{tmp_path}/no/such/folder/x.sqlite3")) as database:
        assert not is_reachable(database)


def test_open_database_is_reachable(database: Database) -> None:
    assert is_reachable(database)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////var/x.sqlite3", Path("/var/x.sqlite3")),
        ("sqlite://", None),
        ("postgresql://h/x", None),
    ],
)
def test_sqlite_file_is_known(url: str, path: Path | None) -> None:
    assert sqlite_path(url) == path
