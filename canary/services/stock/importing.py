"""Import a table in two steps: see what would happen, then take the rows that are right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Flaw, Invalid
from canary.services.exports import write_csv
from canary.services.stock import phones, sources
from canary.services.stock.imports import NO_TEXT, Reject, Table, TableRow, sift_table
from canary.services.stock.sources import ImportResult
from canary.services.uploads import UploadLine, get_upload, open_upload, show_upload
from canary.storage.session import Database
from canary.storage.vault import Vault

ROWS_SHOWN = 20
REJECTS_SHOWN = 50
ROUNDS = 20
REASONS = ("row", "field", "problem", "mend")


class Take(Protocol):
    """Takes rows over into the database, all or nothing."""

    def __call__(self, session: Session, *, rows: Sequence[TableRow]) -> ImportResult:
        """Raises Invalid with every flaw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The columns a kind of table has."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


FORMS: Mapping[str, Form] = {
    "sources": Form(required=sources.REQUIRED, optional=sources.OPTIONAL),
    "phones": Form(required=phones.REQUIRED, optional=phones.OPTIONAL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clerk:
    """What importing needs: rows, keys, the carriers that are known, who imports, and when."""

    database: Database
    vault: Vault
    carriers: Sequence[str]
    actor: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreview:
    """What an import would do. With a `problem` the table cannot be imported at all."""

    line: UploadLine
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    result: ImportResult
    rejects: tuple[Reject, ...]
    reject_count: int
    problem: Flaw | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    table: Table
    good: list[TableRow]
    rejects: list[Reject]
    result: ImportResult


def preview(clerk: Clerk, ref: str, kind: str) -> ImportPreview:
    """Try the import without keeping anything. Raises NotFound."""
    take = _choose(clerk, kind)
    with clerk.database.write() as session:
        row = get_upload(session, ref, kind)
        line = show_upload(row)
        try:
            tried = _try(session, take, kind, row.name, open_upload(clerk.vault, row))
        except Invalid as error:
            return _refuse(line, error.flaws[0])
        finally:
            session.rollback()
    known = {*FORMS[kind].required, *FORMS[kind].optional}
    return ImportPreview(
        line=line,
        columns=tried.table.columns,
        unknown=tuple(column for column in tried.table.columns if column not in known),
        rows=tuple(
            tuple(one.cells.get(column, "") for column in tried.table.columns)
            for one in tried.good[:ROWS_SHOWN]
        ),
        total=len(tried.good),
        result=tried.result,
        rejects=tuple(tried.rejects[:REJECTS_SHOWN]),
        reject_count=len(tried.rejects),
        problem=None,
    )


def carry_out(clerk: Clerk, ref: str, kind: str) -> ImportResult:
    """Import the rows that are right, once. Raises Invalid, Conflict, NotFound."""
    take = _choose(clerk, kind)
    with clerk.database.write() as session:
        row = get_upload(session, ref, kind)
        if row.done_as is not None:
            msg = "this table was imported already"
            raise Conflict(msg)
        tried = _try(session, take, kind, row.name, open_upload(clerk.vault, row))
        if not tried.good:
            raise Invalid("no row can be imported")
        row.done_as = f"{tried.result.created}/{tried.result.updated}"
        return tried.result


def write_rejects(clerk: Clerk, ref: str, kind: str) -> bytes:
    """Return the rows that were refused, with why, as a table to mend and send again."""
    take = _choose(clerk, kind)
    with clerk.database.write() as session:
        row = get_upload(session, ref, kind)
        try:
            tried = _try(session, take, kind, row.name, open_upload(clerk.vault, row))
        finally:
            session.rollback()
    columns = [column for column in tried.table.columns if column not in REASONS]
    return write_csv((*columns, *REASONS), [_to_row(one, columns) for one in tried.rejects])


def _choose(clerk: Clerk, kind: str) -> Take:
    actor, now = clerk.actor, clerk.now
    if kind == "phones":
        return partial(phones.import_phones, vault=clerk.vault, actor=actor, now=now)
    return partial(sources.import_sources, carriers=clerk.carriers, actor=actor, now=now)


def _try(session: Session, take: Take, kind: str, name: str, body: bytes) -> _Tried:
    """Import what is right: what a refused row held up is refused in the next round.

    Raises Invalid for a table that is wrong as a whole.
    """
    form = FORMS[kind]
    table = sift_table(body, name, required=form.required, optional=form.optional)
    good, rejects = list(table.rows), list(table.rejects)
    for _ in range(ROUNDS):
        try:
            with session.begin_nested():
                result = take(session, rows=good)
        except Invalid as error:
            refused = {flaw.row: flaw for flaw in reversed(error.flaws) if flaw.row is not None}
            if len(refused) == 0:
                raise
            rejects += [_reject(row, refused[row.number]) for row in good if row.number in refused]
            good = [row for row in good if row.number not in refused]
        else:
            rejects.sort(key=lambda one: one.number)
            return _Tried(table=table, good=good, rejects=rejects, result=result)
    raise Invalid("too many rows hang on refused ones", mend="mend the first rows and try again")


def _reject(row: TableRow, flaw: Flaw) -> Reject:
    return Reject(number=row.number, cells=row.cells, flaw=flaw)


def _to_row(reject: Reject, columns: Sequence[str]) -> dict[str, str | int | None]:
    cells = {
        column: "" if reject.cells.get(column) == NO_TEXT else reject.cells.get(column, "")
        for column in columns
    }
    flaw = reject.flaw
    return {
        **cells,
        "row": reject.number,
        "field": flaw.field,
        "problem": flaw.problem,
        "mend": flaw.mend,
    }


def _refuse(line: UploadLine, problem: Flaw) -> ImportPreview:
    return ImportPreview(
        line=line,
        columns=(),
        unknown=(),
        rows=(),
        total=0,
        result=ImportResult(created=0, updated=0, unchanged=0),
        rejects=(),
        reject_count=0,
        problem=problem,
    )
