"""Is everything alive: reporters, stored posts, deliveries, and who did what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer, joinedload

from canary.services.pages.overview import is_silent
from canary.services.viewing import PAGE_SIZE, Paged, count_groups, page_of
from canary.storage.tables import Alert, Delivery, InboxPost, Reporter

RECENT = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterLine:
    """A reporter and how it does; `posts` counts the last 24 hours."""

    name: str
    format: str
    channel_class: str
    is_active: bool
    is_silent: bool
    last_post_at: datetime | None
    rhythm: timedelta | None
    posts: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLine:
    """A stored post and where triage stands with it."""

    ref: str
    reporter: str
    received_at: datetime
    size: int
    grade: str
    state: str
    attempts: int
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLine:
    """One alert on its way to one endpoint."""

    delivery_id: int
    endpoint: str
    type: str
    incident_id: int | None
    state: str
    attempts: int
    due_at: datetime
    finished_at: datetime | None
    last_status: int | None
    last_answer: str | None


def list_reporters(session: Session, now: datetime) -> tuple[ReporterLine, ...]:
    """Return every reporter by name."""
    return tell_reporters(session, session.scalars(select(Reporter).order_by(Reporter.name)), now)


def page_reporters(session: Session, now: datetime, number: int) -> Paged[ReporterLine]:
    """Return one page of the reporters, by name."""
    rows = page_of(session, select(Reporter).order_by(Reporter.name), number)
    return rows.showing(tell_reporters(session, rows.items, now))


def tell_reporters(
    session: Session, rows: Iterable[Reporter], now: datetime
) -> tuple[ReporterLine, ...]:
    """Tell how these reporters do, in their order."""
    posts = count_groups(
        session,
        select(InboxPost.reporter_id, func.count())
        .where(InboxPost.received_at > now - RECENT)
        .group_by(InboxPost.reporter_id),
    )
    dead = count_groups(
        session,
        select(InboxPost.reporter_id, func.count())
        .where(InboxPost.state == "dead")
        .group_by(InboxPost.reporter_id),
    )
    return tuple(
        ReporterLine(
            name=row.name,
            format=row.format,
            channel_class=row.channel_class,
            is_active=row.is_active,
            is_silent=row.is_active and is_silent(row, now),
            last_post_at=row.last_post_at,
            rhythm=timedelta(seconds=row.rhythm_seconds) if row.rhythm_seconds else None,
            posts=posts.get(row.id, 0),
            dead=dead.get(row.id, 0),
        )
        for row in rows
    )


def list_posts(session: Session, state: str, number: int, size: int = PAGE_SIZE) -> Paged[PostLine]:
    """Return one page of the stored posts, newest first; `state` empty means all."""
    # Without the bodies: a page of them would be fifty times the largest post.
    query = select(InboxPost).options(
        joinedload(InboxPost.reporter),
        defer(InboxPost.sealed_body),
        defer(InboxPost.sealed_request),
        defer(InboxPost.sealed_reports),
    )
    if state:
        query = query.where(InboxPost.state == state)
    rows = page_of(session, query.order_by(InboxPost.id.desc()), number, size)
    return rows.showing(
        PostLine(
            ref=row.ref,
            reporter=row.reporter.name,
            received_at=row.received_at,
            size=row.body_size,
            grade=row.grade,
            state=row.state,
            attempts=row.attempts,
            failure=row.failure,
        )
        for row in rows.items
    )


def list_deliveries(
    session: Session, state: str, number: int, size: int = PAGE_SIZE
) -> Paged[DeliveryLine]:
    """Return one page of the deliveries, newest first; `state` empty means all."""
    query = select(Delivery).options(joinedload(Delivery.alert), joinedload(Delivery.endpoint))
    if state:
        query = query.where(Delivery.state == state)
    rows = page_of(session, query.order_by(Delivery.id.desc()), number, size)
    return rows.showing(_line(row, row.alert) for row in rows.items)


def _line(row: Delivery, alert: Alert) -> DeliveryLine:
    return DeliveryLine(
        delivery_id=row.id,
        endpoint=row.endpoint.name,
        type=alert.type,
        incident_id=alert.incident_id,
        state=row.state,
        attempts=row.attempts,
        due_at=row.due_at,
        finished_at=row.finished_at,
        last_status=row.last_status,
        last_answer=row.last_answer,
    )
