"""Schema steps go up, down and up again, and say what the tables say."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from canary.domain.errors import Conflict, Unavailable
from canary.storage.migrate import (
    current_revision,
    downgrade,
    head_revision,
    require_current,
    upgrade,
)
from canary.storage.session import Database, open_database
from canary.storage.tables import Bait, InboxPost, Incident, Row, Sighting
from tests.factories import Office, listing


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    with closing(open_database(empty_url)) as database:
        yield database


@pytest.fixture
def populated(empty: Database, vault: object, clock: object) -> Office:
    """A database in which a leak was seen and attributed."""
    upgrade(empty)
    office = Office(database=empty, vault=vault, clock=clock)  # type: ignore[arg-type]
    office.plant(phones=20)
    office.add_endpoint()
    numbers = "\n".join(value.number or "" for value in office.values_at("OUT-A1"))
    office.post(office.add_reporter(), listing(numbers))
    office.work()
    return office


def test_populated_database_goes_down_and_up(populated: Office) -> None:
    database = populated.database
    assert all(populated.count(kind) for kind in (Bait, InboxPost, Sighting, Incident))
    downgrade(database, "base")
    assert current_revision(database) is None
    upgrade(database)
    assert current_revision(database) == head_revision()
    assert set(populated.count_all().values()) == {0}


def test_upgrade_twice_changes_nothing(populated: Office) -> None:
    before = populated.count_all()
    upgrade(populated.database)
    assert populated.count_all() == before


def test_migrated_schema_is_what_tables_say(database: Database) -> None:
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []


def test_every_constraint_has_its_name(database: Database) -> None:
    inspector = inspect(database.engine)
    for table in Row.metadata.sorted_tables:
        wanted = {str(one.name) for one in table.constraints}
        found = {inspector.get_pk_constraint(table.name)["name"]}
        found |= {one["name"] for one in inspector.get_foreign_keys(table.name)}
        found |= {one["name"] for one in inspector.get_unique_constraints(table.name)}
        found |= {one["name"] for one in inspector.get_check_constraints(table.name)}
        assert None not in found
        assert found == wanted, table.name


def test_names_fit_both_databases() -> None:
    """PostgreSQL cuts names at 63 bytes, silently; a cut name cannot be dropped again."""
    names = [
        str(part.name)
        for table in Row.metadata.sorted_tables
        for part in (*table.constraints, *table.indexes)
    ]
    assert max(map(len, names)) <= 63
    assert len(names) == len(set(names))


def test_empty_database_asks_for_init(empty: Database) -> None:
    with pytest.raises(Conflict, match="canary init"):
        require_current(empty)


def test_older_schema_asks_for_upgrade(empty: Database) -> None:
    upgrade(empty)
    with empty.connect(writes=True) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(Conflict, match="canary upgrade"):
        require_current(empty)


def test_newer_schema_is_left_alone(empty: Database) -> None:
    upgrade(empty)
    with empty.connect(writes=True) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Conflict, match="not known"):
        upgrade(empty)


def test_broken_step_leaves_nothing_half_done(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A schema step is one transaction on both databases."""
    from sqlalchemy import exc

    with empty.connect(writes=True) as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    with pytest.raises((Unavailable, exc.ProgrammingError)):
        upgrade(empty)
    assert inspect(empty.engine).get_table_names() == ["users"]
