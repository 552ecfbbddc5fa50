"""What is news, what may wait, and when it is quiet."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.domain.alerts import (
    VENUE_PAUSE,
    AlertType,
    News,
    QuietHours,
    Rhythm,
    Standing,
    choose_alert,
    count_folded,
    hold_until,
    last_slot,
    list_news,
)
from canary.domain.verdicts import Verdict

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
names = st.frozensets(st.sampled_from("ABCD"))


def standing(**more: object) -> Standing:
    values = {
        "verdict": Verdict.WEAK,
        "named": frozenset(),
        "sources": frozenset("A"),
        "venues": frozenset({"x"}),
        "count": 3,
    }
    return Standing(**{**values, **more})  # type: ignore[arg-type]


def test_first_message_opens() -> None:
    assert choose_alert(list_news(None, standing())) is AlertType.INCIDENT_OPENED


@pytest.mark.parametrize(
    ("change", "news"),
    [
        ({}, ()),
        ({"count": 900}, ()),
        ({"verdict": Verdict.UNATTRIBUTABLE}, ()),
        ({"verdict": Verdict.PROBABLE}, (News.VERDICT,)),
        ({"named": frozenset("B")}, (News.NAMED,)),
        ({"sources": frozenset("AB")}, (News.SOURCE,)),
        ({"venues": frozenset("xy")}, (News.VENUE,)),
    ],
)
def test_only_news_is_told_again(change: dict[str, object], news: tuple[News, ...]) -> None:
    found = list_news(standing(), standing(**change))
    assert found == news
    assert choose_alert(found) is (AlertType.INCIDENT_RAISED if news else None)


@given(names, names, names, names, st.sampled_from(Verdict), st.sampled_from(Verdict))
def test_nothing_urgent_ever_waits(named, more_named, sources, more_sources, old, new) -> None:
    """Whatever came a second before: a source's first sighting and a rise go out at once."""
    told = standing(verdict=old, named=named, sources=sources)
    now = standing(
        verdict=new, named=named | more_named, sources=sources | more_sources, venues=frozenset("y")
    )
    news = list_news(told, now)
    is_urgent = new.rank > old.rank or more_named - named or more_sources - sources
    assert (hold_until(news, NOW, NOW + timedelta(seconds=1)) is None) == bool(is_urgent)


def test_another_venue_waits_its_pause() -> None:
    news = (News.VENUE,)
    assert hold_until(news, NOW, NOW + timedelta(minutes=1)) == NOW + VENUE_PAUSE
    assert hold_until(news, NOW, NOW + VENUE_PAUSE) is None


@pytest.mark.parametrize(("told", "now", "folded"), [(None, 1, 0), (3, 4, 0), (3, 9, 5)])
def test_folded_sightings_are_counted(told: int | None, now: int, folded: int) -> None:
    before = standing(count=told) if told else None
    assert count_folded(before, standing(count=now)) == folded


def test_standing_survives_storage() -> None:
    assert Standing.from_json(standing().to_json()) == standing()


@pytest.mark.parametrize(
    ("begin", "end", "at", "ends"),
    [
        ("22:00", "07:00", "2026-11-20T23:00", "2026-11-21T07:00"),
        ("22:00", "07:00", "2026-11-20T06:59", "2026-11-20T07:00"),
        ("22:00", "07:00", "2026-11-20T07:00", None),
        ("22:00", "07:00", "2026-11-20T21:59", None),
        ("12:00", "13:30", "2026-11-20T12:00", "2026-11-20T13:30"),
        ("12:00", "13:30", "2026-11-20T13:30", None),
    ],
)
def test_quiet_ends_by_local_clock(begin: str, end: str, at: str, ends: str | None) -> None:
    quiet = QuietHours(begin=time.fromisoformat(begin), end=time.fromisoformat(end), zone=SHANGHAI)
    found = quiet.end_after(datetime.fromisoformat(at).replace(tzinfo=SHANGHAI))
    wanted = datetime.fromisoformat(ends).replace(tzinfo=SHANGHAI) if ends else None
    assert found == wanted


@pytest.mark.parametrize(
    ("rhythm", "slot"),
    [
        (Rhythm.NONE, None),
        (Rhythm.DAILY, "2026-11-20T09:00+08:00"),
        (Rhythm.WEEKLY, "2026-11-16T09:00+08:00"),
    ],
)
def test_digest_has_its_slot(rhythm: Rhythm, slot: str | None) -> None:
    wanted = datetime.fromisoformat(slot) if slot else None
    assert last_slot(rhythm, NOW, 9, SHANGHAI) == wanted
