"""Write many rows at once, past the unit of work."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, insert, select, text
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
    """Let this connection hold 64 MiB of pages: digests land all over their tree."""
    if not _is_postgresql(session):
        session.connection().exec_driver_sql("PRAGMA cache_size=-65536")


def write_rows(session: Session, table: Bulky, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows of the same columns."""
    if rows:
        session.connection().execute(insert(table.__table__), rows)  # type: ignore[arg-type]


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
