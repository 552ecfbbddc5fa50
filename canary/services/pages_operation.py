"""Is everything alive: reporters, stored posts, deliveries, and who did what."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from canary.services.pages_common import PAGE_SIZE, Paged, count_groups, page_of
from canary.services.pages_overview import is_silent
from canary.storage.tables import Alert, AuditEntry, Delivery, InboxPost, Reporter

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Who did what to which thing, and why."""

    at: datetime
    actor: str
    action: str
    subject: str
    reason: str | None


def list_reporters(session: Session, now: datetime) -> tuple[ReporterLine, ...]:
    """Return every reporter by name."""
    rows = session.scalars(select(Reporter).order_by(Reporter.name)).all()
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


def list_posts(session: Session, state: str, number: int) -> Paged[PostLine]:
    """Return one page of the stored posts, newest first; `state` empty means all."""
    query = select(InboxPost).options(joinedload(InboxPost.reporter))
    if state:
        query = query.where(InboxPost.state == state)
    rows = page_of(session, query.order_by(InboxPost.id.desc()), number, PAGE_SIZE)
    items = tuple(
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
    return Paged(items=items, number=rows.number, size=rows.size, total=rows.total)


def list_deliveries(session: Session, state: str, number: int) -> Paged[DeliveryLine]:
    """Return one page of the deliveries, newest first; `state` empty means all."""
    query = select(Delivery).options(joinedload(Delivery.alert), joinedload(Delivery.endpoint))
    if state:
        query = query.where(Delivery.state == state)
    rows = page_of(session, query.order_by(Delivery.id.desc()), number, PAGE_SIZE)
    return Paged(
        items=tuple(_line(row, row.alert) for row in rows.items),
        number=rows.number,
        size=rows.size,
        total=rows.total,
    )


def list_audit(session: Session, wanted: str, number: int) -> Paged[AuditLine]:
    """Return one page of the audit log, newest first; `wanted` is part of any column."""
    query = select(AuditEntry)
    if wanted:
        columns = (AuditEntry.actor, AuditEntry.action, AuditEntry.subject, AuditEntry.reason)
        query = query.where(or_(*(column.icontains(wanted, autoescape=True) for column in columns)))
    rows = page_of(session, query.order_by(AuditEntry.id.desc()), number, PAGE_SIZE)
    items = tuple(
        AuditLine(
            at=row.at, actor=row.actor, action=row.action, subject=row.subject, reason=row.reason
        )
        for row in rows.items
    )
    return Paged(items=items, number=rows.number, size=rows.size, total=rows.total)


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
