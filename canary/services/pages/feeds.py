"""Reporters, posts and sightings for programs: newest first, in pages by cursor.

A cursor is the id of the last row given: rows that come meanwhile move nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from canary.domain.errors import NotFound
from canary.services.inbox.reporters import get_reporter
from canary.services.pages.operation import ReporterLine, tell_reporters
from canary.storage.tables import Bait, InboxPost, Match, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What part of a list is wanted: at most `limit` rows below the id `before`."""

    limit: int
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostEntry:
    """A stored post and what became of it."""

    id: int
    ref: str
    reporter: str
    received_at: datetime
    method: str
    size: int
    sha256: str
    grade: str
    state: str
    attempts: int
    failure: str | None
    finished_at: datetime | None
    sightings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchEntry:
    """An identifier of a bait in a sighting, by reference: the value itself is not told."""

    bait: str
    kind: str
    form: str
    level: str
    start: int
    end: int
    rule: str
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingEntry:
    """A sighting without its text."""

    id: int
    ref: str
    post: str
    reporter: str
    kind: str
    channel_class: str
    grade: str
    venue: str
    seen_at: datetime
    claimed_at: datetime | None
    basis: str
    record_count: int
    incident_id: int | None
    filed_as: str | None
    matches: tuple[MatchEntry, ...]


def get_reporter_line(session: Session, name: str, now: datetime) -> ReporterLine:
    """Return one reporter. Raises NotFound."""
    return tell_reporters(session, [get_reporter(session, name)], now)[0]


def list_posts_after(
    session: Session, part: Slice, *, reporter: str | None = None, state: str | None = None
) -> list[PostEntry]:
    """List stored posts. Raises NotFound for an unknown reporter."""
    query = select(InboxPost).options(joinedload(InboxPost.reporter))
    if reporter is not None:
        query = query.where(InboxPost.reporter_id == get_reporter(session, reporter).id)
    if state is not None:
        query = query.where(InboxPost.state == state)
    if part.before is not None:
        query = query.where(InboxPost.id < part.before)
    rows = session.scalars(query.order_by(InboxPost.id.desc()).limit(part.limit)).all()
    return _posts(session, rows)


def get_post(session: Session, ref: str) -> PostEntry:
    """Return one stored post. Raises NotFound."""
    row = session.scalar(
        select(InboxPost).options(joinedload(InboxPost.reporter)).where(InboxPost.ref == ref)
    )
    if row is None:
        msg = f"there is no post {ref[:40]!r}"
        raise NotFound(msg)
    return _posts(session, [row])[0]


def list_sightings_after(
    session: Session,
    part: Slice,
    *,
    reporter: str | None = None,
    kind: str | None = None,
    matched: bool | None = None,
) -> list[SightingEntry]:
    """List sightings; `matched` keeps those with, or without, a bait. Raises NotFound."""
    query = _sightings()
    if reporter is not None:
        query = query.where(Sighting.reporter_id == get_reporter(session, reporter).id)
    if kind is not None:
        query = query.where(Sighting.kind == kind)
    if matched is not None:
        has = select(Match.id).where(Match.sighting_id == Sighting.id).exists()
        query = query.where(has if matched else ~has)
    if part.before is not None:
        query = query.where(Sighting.id < part.before)
    rows = session.scalars(query.order_by(Sighting.id.desc()).limit(part.limit)).all()
    return _entries(session, rows)


def get_sighting(session: Session, ref: str) -> SightingEntry:
    """Return one sighting. Raises NotFound."""
    row = session.scalar(_sightings().where(Sighting.ref == ref))
    if row is None:
        msg = f"there is no sighting {ref[:40]!r}"
        raise NotFound(msg)
    return _entries(session, [row])[0]


def _posts(session: Session, rows: Sequence[InboxPost]) -> list[PostEntry]:
    seen: dict[int, list[str]] = defaultdict(list)
    found = session.execute(
        select(Sighting.inbox_id, Sighting.ref)
        .where(Sighting.inbox_id.in_([row.id for row in rows]))
        .order_by(Sighting.id)
    )
    for post_id, ref in found:
        seen[post_id].append(ref)
    return [
        PostEntry(
            id=row.id,
            ref=row.ref,
            reporter=row.reporter.name,
            received_at=row.received_at,
            method=row.method,
            size=row.body_size,
            sha256=row.body_sha256.hex(),
            grade=row.grade,
            state=row.state,
            attempts=row.attempts,
            failure=row.failure,
            finished_at=row.finished_at,
            sightings=tuple(seen[row.id]),
        )
        for row in rows
    ]


def _sightings() -> Select[Sighting]:
    return select(Sighting).options(joinedload(Sighting.reporter))


def _entries(session: Session, rows: Sequence[Sighting]) -> list[SightingEntry]:
    matches: dict[int, list[MatchEntry]] = defaultdict(list)
    found = session.execute(
        select(Match, Bait.ref)
        .join(Bait, Bait.id == Match.bait_id)
        .where(Match.sighting_id.in_([row.id for row in rows]))
        .order_by(Match.id)
    )
    for match, bait in found:
        matches[match.sighting_id].append(_match_entry(match, bait))
    posts = dict(
        session.execute(
            select(InboxPost.id, InboxPost.ref).where(
                InboxPost.id.in_([row.inbox_id for row in rows])
            )
        ).all()
    )
    return [
        SightingEntry(
            id=row.id,
            ref=row.ref,
            post=posts[row.inbox_id],
            reporter=row.reporter.name,
            kind=row.kind,
            channel_class=row.channel_class,
            grade=row.grade,
            venue=row.venue,
            seen_at=row.seen_at,
            claimed_at=row.claimed_at,
            basis=row.basis,
            record_count=row.record_count,
            incident_id=row.incident_id,
            filed_as=row.filed_as,
            matches=tuple(matches[row.id]),
        )
        for row in rows
    ]


def _match_entry(row: Match, bait: str) -> MatchEntry:
    return MatchEntry(
        bait=bait,
        kind=row.kind,
        form=row.form,
        level=row.level,
        start=row.start,
        end=row.end,
        rule=row.rule,
        chance=row.chance,
    )
