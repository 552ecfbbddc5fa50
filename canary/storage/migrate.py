"""Bring a database to the schema of this version, or back."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from canary.domain.errors import Conflict
from canary.storage.session import Database

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(database: Database, revision: str = "head") -> None:
    """Apply the migrations up to `revision`. Raises Conflict on an unknown revision."""
    _run(database, lambda config: command.upgrade(config, revision))


def downgrade(database: Database, revision: str) -> None:
    """Take the migrations back down to `revision`."""
    _run(database, lambda config: command.downgrade(config, revision))


def current_revision(database: Database) -> str | None:
    """Tell which revision the database is at; None for an empty one."""
    with database.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """Tell the newest revision this version knows."""
    head = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert head is not None
    return head


def require_current(database: Database) -> None:
    """Refuse a database of another schema. Raises Conflict with the mend."""
    found = current_revision(database)
    if found is None:
        msg = "the database is empty; run `canary init`"
        raise Conflict(msg)
    if found != head_revision():
        msg = (
            f"the database is at schema {found}, this version needs {head_revision()}; "
            "run `canary upgrade`"
        )
        raise Conflict(msg)


def _run(database: Database, step: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    try:
        with database.connect(writes=True) as connection:
            config.attributes["connection"] = connection
            step(config)
    except CommandError as error:
        msg = f"the database's schema is not known to this version: {error}"
        raise Conflict(msg) from error
