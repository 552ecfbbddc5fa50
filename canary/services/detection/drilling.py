"""Send a marked message through a reporter's public address, and see how far it comes."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from canary.domain.errors import NotFound, Unavailable
from canary.services.audit import record
from canary.services.detection.liveness import key_of_drill, text_of_drill
from canary.services.inbox.reporters import open_secrets
from canary.storage.session import Database
from canary.storage.tables import Drill, Monitor, Reporter
from canary.storage.vault import Vault

_CODE_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPost:
    """What is to be posted: the text in a reporter's format, to its path below `/hooks/`."""

    format: str
    path: str
    secret: str
    options: Mapping[str, Any]
    text: str
    message_id: str


class Poster(Protocol):
    """Posts as a reporter does, to our own public address."""

    def post(self, wanted: DrillPost, now: datetime) -> int:
        """Return the status of the answer. Raises Unavailable when there is none."""

    def is_good(self, shape: str, status: int) -> bool:
        """Tell whether this is what the sender expects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driller:
    """What a drill needs."""

    database: Database
    vault: Vault
    clock: Callable[[], datetime]
    poster: Poster


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillLine:
    """How far a drill has come: milliseconds to the answer, and until it was read by triage."""

    reporter: str
    sent_at: datetime
    status: int | None
    answered_ms: int | None
    triaged_ms: int | None
    problem: str | None


def send_drills(driller: Driller, names: Collection[str] = (), *, actor: str) -> list[int]:
    """Send one message to each active reporter, or to those named; return the drills' ids.

    Raises NotFound for an unknown name.
    """
    with driller.database.read() as session:
        rows = list(
            session.scalars(
                select(Reporter)
                .outerjoin(Monitor, Monitor.reporter_id == Reporter.id)
                # Nobody posts as these two do.
                .where(Monitor.id.is_(None), Reporter.channel_class != "manual")
                .where(Reporter.is_active)
                .order_by(Reporter.name)
            )
        )
    unknown = sorted(set(names) - {row.name for row in rows})
    if unknown:
        msg = f"there is no active reporter {unknown[0][:80]!r}"
        raise NotFound(msg)
    return [send_one(driller, row, actor=actor) for row in rows if not names or row.name in names]


def send_one(driller: Driller, row: Reporter, *, actor: str) -> int:
    """Send one drill; return its id."""
    code = secrets.token_hex(_CODE_BYTES)
    known = open_secrets(driller.vault, row)
    now = driller.clock()
    with driller.database.write() as session:
        drill = Drill(
            reporter_id=row.id,
            code_key=key_of_drill(driller.vault, code),
            created_by=actor,
            sent_at=now,
        )
        session.add(drill)
        session.flush()
        drill_id = drill.id
        record(session, actor, "drill.sent", f"reporter/{row.name}", now)
    wanted = DrillPost(
        format=row.format,
        path=f"{row.name}/{known.path}" if known.path else row.name,
        secret=known.signing[0] if known.signing else "",
        options=known.options,
        text=text_of_drill(code),
        message_id=code,
    )
    status, problem = _post(driller, wanted)
    answered = driller.clock()
    with driller.database.write() as session:
        kept = session.get_one(Drill, drill_id)
        kept.status, kept.problem = status, problem
        kept.answered_at = answered if status is not None else None
    return drill_id


def read_drills(session: Session, ids: Sequence[int]) -> list[DrillLine]:
    """Tell how far these drills have come."""
    rows = session.scalars(
        select(Drill)
        .where(Drill.id.in_(ids))
        .options(joinedload(Drill.reporter))
        .order_by(Drill.id)
    )
    return [line_of(row) for row in rows]


def find_last_drill(session: Session, reporter_id: int) -> DrillLine | None:
    """Return a reporter's latest drill."""
    row = session.scalar(
        select(Drill)
        .where(Drill.reporter_id == reporter_id)
        .options(joinedload(Drill.reporter))
        .order_by(Drill.id.desc())
        .limit(1)
    )
    return line_of(row) if row else None


def line_of(row: Drill) -> DrillLine:
    """Return a drill as it is shown."""
    return DrillLine(
        reporter=row.reporter.name,
        sent_at=row.sent_at,
        status=row.status,
        answered_ms=_between(row.sent_at, row.answered_at),
        triaged_ms=_between(row.sent_at, row.triaged_at),
        problem=row.problem,
    )


def _post(driller: Driller, wanted: DrillPost) -> tuple[int | None, str | None]:
    try:
        status = driller.poster.post(wanted, driller.clock())
    except Unavailable as error:
        return None, str(error)[:200]
    if driller.poster.is_good(wanted.format, status):
        return status, None
    return status, f"answered {status}"


def _between(start: datetime, end: datetime | None) -> int | None:
    return round((end - start).total_seconds() * 1000) if end else None
