"""What is worth telling, and when an endpoint wants to be left alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Self

from canary.domain.verdicts import Verdict

# Another venue alone is told at most this often; nothing else is ever held back.
VENUE_PAUSE = timedelta(minutes=30)
VENUES_KEPT = 200


class AlertType(StrEnum):
    """The types of message that go out."""

    INCIDENT_OPENED = "incident.opened"
    INCIDENT_RAISED = "incident.raised"
    INCIDENT_LOWERED = "incident.lowered"
    INCIDENT_ESCALATED = "incident.escalated"
    INCIDENT_CLOSED = "incident.closed"
    BAIT_BURNED = "bait.burned"
    REPORTER_SILENT = "reporter.silent"
    DELIVERY_FAILING = "delivery.failing"
    ENDPOINT_CHANGED = "endpoint.changed"
    DIGEST_MADE = "digest.made"
    TEST = "endpoint.test"


class News(StrEnum):
    """Why an incident is told (again)."""

    OPENED = "opened"
    VERDICT = "verdict"
    NAMED = "named"
    SOURCE = "source"
    VENUE = "venue"
    FALLEN = "fallen"


class Rhythm(StrEnum):
    """How often an endpoint gets a digest."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of an incident: its verdict, whom it names, whose baits, where, how often."""

    verdict: Verdict
    named: frozenset[str]
    sources: frozenset[str]
    venues: frozenset[str]
    count: int

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads back; of very many venues only some."""
        return {
            "verdict": self.verdict.value,
            "named": sorted(self.named),
            "sources": sorted(self.sources),
            "venues": sorted(self.venues)[:VENUES_KEPT],
            "count": self.count,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            verdict=Verdict(kept["verdict"]),
            named=frozenset(kept["named"]),
            sources=frozenset(kept["sources"]),
            venues=frozenset(kept["venues"]),
            count=int(kept["count"]),
        )


def list_news(told: Standing | None, now: Standing) -> tuple[News, ...]:
    """Return what has come since the last message, most urgent first; none means a repeat."""
    if told is None:
        return (News.OPENED,)
    venues_full = len(told.venues) >= VENUES_KEPT
    found = {
        News.VERDICT: now.verdict.rank > told.verdict.rank,
        News.NAMED: bool(now.named - told.named),
        News.SOURCE: bool(now.sources - told.sources),
        News.VENUE: bool(now.venues - told.venues) and not venues_full,
    }
    return tuple(news for news, is_new in found.items() if is_new)


def has_fallen(told: Standing | None, now: Standing) -> bool:
    """Tell whether somebody was given a name that the evidence no longer carries."""
    if told is None or not told.verdict.names_a_source:
        return False
    return bool(told.named - now.named) or not now.verdict.names_a_source


def choose_alert(news: Sequence[News]) -> AlertType | None:
    """Say which alert news deserve."""
    if not news:
        return None
    return AlertType.INCIDENT_OPENED if News.OPENED in news else AlertType.INCIDENT_RAISED


def hold_until(news: Sequence[News], told_at: datetime | None, now: datetime) -> datetime | None:
    """Return until when news may wait; None means that they go out now.

    Only another venue waits. A first sighting, a raised verdict and another source never do.
    """
    if told_at is None or tuple(news) != (News.VENUE,) or now - told_at >= VENUE_PAUSE:
        return None
    return told_at + VENUE_PAUSE


def count_folded(told: Standing | None, now: Standing) -> int:
    """Count the sightings since the last message that were not told one by one."""
    return max(0, now.count - told.count - 1) if told else max(0, now.count - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From when until when, by the endpoint's own clock, only confirmed leaks come through."""

    begin: time
    end: time
    zone: tzinfo

    def end_after(self, now: datetime) -> datetime | None:
        """Return when the quiet that reigns now ends, or None when there is none."""
        local = now.astimezone(self.zone)
        if not self._covers(local.time()):
            return None
        ends = local.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        # Wall clock arithmetic: the day after has the same local hour.
        return (ends if ends > local else ends + timedelta(days=1)).astimezone(now.tzinfo)

    def _covers(self, at: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


def last_slot(rhythm: Rhythm, now: datetime, hour: int, zone: tzinfo) -> datetime | None:
    """Return when the digest before `now` was due: each day, or each Monday, at `hour`."""
    if rhythm is Rhythm.NONE:
        return None
    local = now.astimezone(zone)
    slot = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    if slot > local:
        slot -= timedelta(days=1)
    if rhythm is Rhythm.WEEKLY:
        slot -= timedelta(days=slot.weekday())
    return slot.astimezone(now.tzinfo)
