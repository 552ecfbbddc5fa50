"""Insert rows where some may be there already."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import postgresql, sqlite

from canary.storage.tables import InboxPost


def insert_new(
    connection: Connection, table: type[InboxPost], rows: Sequence[Mapping[str, Any]], key: str
) -> set[Any]:
    """Insert rows of the same columns past the unit of work, leaving out what is there already.

    Returns the values of the column `key` of the rows that were written.
    """
    statement = _statement(table, key, connection.dialect.name == "postgresql")
    return set(connection.execute(statement, list(rows)).scalars())


@cache
def _statement(table: type[InboxPost], key: str, is_postgresql: bool) -> Executable:
    column = table.__table__.c[key]
    if is_postgresql:
        return postgresql.insert(table).on_conflict_do_nothing().returning(column)
    return sqlite.insert(table).on_conflict_do_nothing().returning(column)
