"""Insert rows where some may be there already."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect

from canary.storage.tables import InboxPost

Bind = Callable[[Any], Any] | None


def insert_new(
    connection: Connection, table: type[InboxPost], rows: Sequence[Mapping[str, Any]], key: str
) -> set[Any]:
    """Insert rows of the same columns past the unit of work, leaving out what is there already.

    Returns the values of the column `key` of the rows that were written. The statement goes to
    the driver as it is: it is written for every post that comes in.
    """
    names = tuple(rows[0])
    binds = _binds(table, names, connection.dialect)
    values = [
        row[name] if bind is None else bind(row[name])
        for row in rows
        for name, bind in zip(names, binds, strict=True)
    ]
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    statement = _statement(table, names, len(rows), mark, key)
    return set(connection.exec_driver_sql(statement, tuple(values)).scalars())


@cache
def _statement(
    table: type[InboxPost], names: tuple[str, ...], rows: int, mark: str, key: str
) -> str:
    one = f"({', '.join([mark] * len(names))})"
    return (
        f"INSERT INTO {table.__tablename__} ({', '.join(names)}) "  # noqa: S608 - no value in it
        f"VALUES {', '.join([one] * rows)} ON CONFLICT DO NOTHING RETURNING {key}"
    )


@cache
def _binds(table: type[InboxPost], names: tuple[str, ...], dialect: Dialect) -> tuple[Bind, ...]:
    kinds = [table.__table__.c[name].type.dialect_impl(dialect) for name in names]
    return tuple(kind.bind_processor(dialect) for kind in kinds)
