"""What a monitor of our own may ask: how much there is, what waits, what has fallen silent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.verdicts import Verdict
from canary.services.pages.overview import is_silent, load_coverage
from canary.services.viewing import count_groups
from canary.storage.tables import Delivery, InboxPost, Incident, Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One gauge with its samples, each with its labels. Names and units are Prometheus's."""

    name: str
    text: str
    samples: tuple[tuple[tuple[tuple[str, str], ...], float], ...]


def load_metrics(session: Session, now: datetime) -> tuple[Metric, ...]:
    """Return every gauge as it stands."""
    return (*_count_stock(session), *_count_work(session, now), *_watch_reporters(session, now))


def _count_stock(session: Session) -> Iterator[Metric]:
    watched = load_coverage(session)
    yield _plain("canary_sources", "Sources.", watched.sources)
    yield _plain("canary_sources_covered", "Sources with a bait in place.", watched.covered)
    yield _plain("canary_baits", "Baits ever made.", watched.baits)
    yield _plain("canary_baits_in_place", "Baits planted or live.", watched.live)
    counts = count_groups(
        session,
        select(Incident.verdict, func.count())
        .where(Incident.state == "open")
        .group_by(Incident.verdict),
    )
    yield Metric(
        name="canary_incidents_open",
        text="Open incidents by verdict.",
        samples=tuple(
            ((("verdict", verdict.value),), counts.get(verdict.value, 0)) for verdict in Verdict
        ),
    )


def _count_work(session: Session, now: datetime) -> Iterator[Metric]:
    for name, column, text in (
        ("canary_inbox_posts", InboxPost.state, "Stored posts that wait or are dead letters."),
        ("canary_deliveries", Delivery.state, "Deliveries that wait or are dead letters."),
    ):
        states = ["waiting", "dead"]
        query = select(column, func.count()).where(column.in_(states)).group_by(column)
        counts = count_groups(session, query)
        samples = tuple(((("state", state),), counts.get(state, 0)) for state in states)
        yield Metric(name=name, text=text, samples=samples)
    oldest = session.scalar(
        select(func.min(InboxPost.received_at)).where(InboxPost.state == "waiting")
    )
    age = (now - oldest).total_seconds() if oldest else 0
    yield _plain("canary_inbox_oldest_seconds", "Age of the oldest post that waits.", age)


def _watch_reporters(session: Session, now: datetime) -> Iterator[Metric]:
    rows = session.scalars(select(Reporter).where(Reporter.is_active).order_by(Reporter.name)).all()
    yield Metric(
        name="canary_reporter_silent",
        text="1 for a reporter that is late by more than its rhythm.",
        samples=tuple(((("reporter", row.name),), is_silent(row, now)) for row in rows),
    )
    yield Metric(
        name="canary_reporter_last_post_seconds",
        text="Seconds since a reporter's last post.",
        samples=tuple(
            ((("reporter", row.name),), (now - row.last_post_at).total_seconds())
            for row in rows
            if row.last_post_at is not None
        ),
    )


def _plain(name: str, text: str, value: float) -> Metric:
    return Metric(name=name, text=text, samples=(((), value),))
