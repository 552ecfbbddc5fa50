"""Write many rows at once, past the unit of work."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from canary.storage.tables import Bait, Exposure, Identifier, Placement

Bulky = type[Bait] | type[Exposure] | type[Placement]
IdentifierRow = tuple[bytes, int, str]


def reserve_ids(session: Session, table: type[Bait], count: int) -> list[int]:
    """Return `count` unused ids, to be written in this transaction."""
    if _is_postgresql(session):
        drawn = text(
            "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)"
        )
        return list(session.scalars(drawn, {"name": table.__tablename__, "count": count}))
    # SQLite has one writer, and this transaction is it.
    last = session.scalar(select(func.max(table.id))) or 0
    return list(range(last + 1, last + 1 + count))


def widen_cache(session: Session) -> None:
    """Let this connection hold 64 MiB of pages, and the log 256 MiB before they are copied back.

    Digests land all over their tree, so that each chunk touches most of its pages once more.
    """
    if not _is_postgresql(session):
        connection = session.connection()
        connection.exec_driver_sql("PRAGMA cache_size=-65536")
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint=65536")


def write_rows(session: Session, table: Bulky, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows of the same columns."""
    if not rows:
        return
    connection = session.connection()
    if _is_postgresql(session):
        connection.execute(insert(table.__table__), rows)  # type: ignore[arg-type]
        return
    # Binding each value through the statement costs as much as writing it: columns are bound
    # by their types here, and only where a type has something to do.
    names = list(rows[0])
    columns = [[row[name] for row in rows] for name in names]
    for place, name in enumerate(names):
        kind = table.__table__.c[name].type.dialect_impl(connection.dialect)
        bind = kind.bind_processor(connection.dialect)
        if bind is not None:
            columns[place] = list(map(bind, columns[place]))
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - no value in it
    connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def add_exposures(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert exposures; one that is known from the same moment on stays as it is."""
    if rows:
        new = postgresql.insert if _is_postgresql(session) else sqlite.insert
        session.execute(new(Exposure).on_conflict_do_nothing(), rows)


def write_identifiers(session: Session, rows: Sequence[IdentifierRow]) -> None:
    """Insert (value_key, bait_id, kind) rows; a million baits have seven million of them.

    The statement goes to the driver as it is, because building each row's parameters costs more
    than writing them.
    """
    if not rows:
        return
    mark = "%s" if _is_postgresql(session) else "?"
    statement = (
        f"INSERT INTO {Identifier.__tablename__} (value_key, bait_id, kind) "  # noqa: S608 - no value in it
        f"VALUES ({mark}, {mark}, {mark})"
    )
    session.connection().exec_driver_sql(statement, list(rows))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
