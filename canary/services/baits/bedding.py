"""Write prepared chunks of baits, in a thread of this process or in a process beside it.

Python runs one thread at a time: for a large batch, a second process writes the last chunk while
the first makes the next, which takes half the time.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Unavailable
from canary.services.stock.ranges import note_used
from canary.storage.bulk import (
    IdentifierRow,
    reserve_ids,
    widen_cache,
    write_identifiers,
    write_rows,
)
from canary.storage.session import Database, open_database
from canary.storage.tables import Bait, Batch, Placement

Submit = Callable[["Prepared"], "Future[int]"]


class Overtaken(Exception):
    """Another batch took one of the drawn numbers first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The rows of one chunk before they have ids; keys and placements name baits by place."""

    baits: list[dict[str, object]]
    keys: list[IdentifierRow]
    placements: list[tuple[int, dict[str, object]]]
    ranges: Counter[int]


class ChunkWriter:
    """Writes the chunks of one batch, each in one transaction."""

    def __init__(self, database: Database, batch_id: int, newest: int | None) -> None:
        self._database = database
        self._batch_id = batch_id
        self._newest = newest

    def write(self, prepared: Prepared) -> int:
        """Write baits, identifiers, planned placements. Raises Conflict, Overtaken, Unavailable.

        Returns how many baits it made.
        """
        try:
            with self._database.write() as session:
                newest = self._write(session, prepared)
        except IntegrityError as error:
            raise Overtaken from error
        self._newest = newest
        return len(prepared.baits)

    def _write(self, session: Session, prepared: Prepared) -> int:
        widen_cache(session)
        self._require_alone(session)
        ids = reserve_ids(session, Bait, len(prepared.baits))
        for bait_id, row in zip(ids, prepared.baits, strict=True):
            row["id"] = bait_id
        write_rows(session, Bait, prepared.baits)
        write_identifiers(session, [(key, ids[at], kind) for key, at, kind in prepared.keys])
        for at, row in prepared.placements:
            row["bait_id"] = ids[at]
        write_rows(session, Placement, [row for _, row in prepared.placements])
        note_used(session, prepared.ranges)
        return ids[-1]

    def _require_alone(self, session: Session) -> None:
        """Lock the batch, and refuse to go on when somebody else has added to it meanwhile."""
        batch = session.get_one(Batch, self._batch_id, with_for_update=True)
        if find_newest(session, self._batch_id) != self._newest:
            msg = f"somebody else is making batch {batch.name} now"
            raise Conflict(msg)


def find_newest(session: Session, batch_id: int) -> int | None:
    """Return the id of the batch's newest bait."""
    return session.scalar(select(func.max(Bait.id)).where(Bait.batch_id == batch_id))


@contextmanager
def open_writer(
    database: Database, batch_id: int, newest: int | None, *, apart: bool
) -> Iterator[Submit]:
    """Give a function that has a chunk written, one after the other. Raises Unavailable."""
    if not apart:
        writer = ChunkWriter(database, batch_id, newest)
        with ThreadPoolExecutor(max_workers=1) as thread:
            yield lambda prepared: thread.submit(writer.write, prepared)
        return
    url = database.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(
        max_workers=1,
        # A copy of this process would share its open database files and its threads' locks.
        mp_context=get_context("spawn"),
        initializer=_Desk.open,
        initargs=(url, batch_id, newest),
    ) as process:
        try:
            yield lambda prepared: process.submit(_Desk.write, prepared)
        except BrokenProcessPool as error:
            msg = "the process that writes the baits was ended; run the command again to go on"
            raise Unavailable(msg) from error


def _end_with_parent() -> None:
    """Leave when the first process is gone: a killed one cannot say so. What is open rolls back."""
    first = parent_process()
    if first is not None:
        first.join()
        os._exit(1)


class _Desk:
    """The writer of the process beside."""

    writer: ChunkWriter

    @classmethod
    def open(cls, url: str, batch_id: int, newest: int | None) -> None:
        """Open the database once; whoever interrupts is answered by the first process."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        Thread(target=_end_with_parent, daemon=True).start()
        cls.writer = ChunkWriter(open_database(url, pool_size=1), batch_id, newest)

    @classmethod
    def write(cls, prepared: Prepared) -> int:
        """Write one chunk."""
        return cls.writer.write(prepared)
