"""A reporter that turns out to be worth less lowers what was said, and nothing is rewritten."""

from datetime import timedelta
from typing import Any

import pytest

from canary.domain.errors import Invalid, NotFound
from canary.domain.sightings import ChannelClass
from canary.services.pages.summaries import load_summary
from canary.services.verdicts.regrading import Regrading, regrade_reporter
from canary.storage.tables import (
    Alert,
    AttributionRecord,
    AuditEntry,
    Delivery,
    Incident,
    Reporter,
    Sighting,
)
from tests.factories import Office, listing


@pytest.fixture
def told(office: Office) -> Office:
    """A source is named on the word of one reporter, and the team was told."""
    office.plant(per_source=12)
    office.add_endpoint()
    leak(office, office.add_reporter())
    office.work()
    office.deliver()
    assert summary(office)["named"] == ["OUT-A1"]
    return office


def leak(office: Office, reporter: int, count: int = 12) -> None:
    values = office.values_at("OUT-A1")[:count]
    office.post(reporter, listing("\n".join(f"{one.number} {one.city}" for one in values)))


def summary(office: Office, revision: int | None = None) -> dict[str, Any]:
    with office.database.read() as session:
        return load_summary(session, office.only(Incident).id, revision)


def regrade(office: Office, to: ChannelClass = ChannelClass.ANONYMOUS, **more: Any) -> Regrading:
    values = {"reason": "its key was stolen", "actor": "cli:test", "now": office.clock(), **more}
    with office.database.write() as session:
        return regrade_reporter(session, "market", to, **values)


def test_regraded_reporter_names_nobody(told: Office) -> None:
    done = regrade(told)
    told.work()
    assert (done.old_class, done.sightings) == ("own", 1)
    found = summary(told)
    assert (found["named"], found["verdict"]) == ([], "weak")


def test_old_version_stays_as_it_was(told: Office) -> None:
    before = summary(told)
    regrade(told)
    told.work()
    kept = summary(told, 1)
    for name in ("named", "verdict", "posteriors", "explanations", "revision"):
        assert kept[name] == before[name]
    assert told.count(AttributionRecord) == 2


def test_whoever_was_told_is_told_of_the_fall(told: Office) -> None:
    told.add_endpoint("late")
    regrade(told)
    told.work()
    fallen = told.only(Alert, type="incident.lowered")
    asked = told.only(Delivery, alert_id=fallen.id)
    first = told.rows(Delivery)[0]
    assert asked.endpoint_id == first.endpoint_id
    assert fallen.data["named"] == []


def test_name_that_returns_is_told_again(told: Office) -> None:
    regrade(told)
    told.work()
    regrade(told, ChannelClass.OWN)
    told.work()
    kinds = [alert.type for alert in told.rows(Alert)]
    assert kinds == ["incident.opened", "incident.lowered", "incident.raised"]


def test_only_what_came_since_is_regraded(told: Office) -> None:
    told.clock.move(timedelta(hours=2))
    since = told.clock()
    leak(told, told.only(Reporter).id, 3)
    told.work()
    assert regrade(told, since=since).sightings == 1
    told.work()
    assert [one.channel_class for one in told.rows(Sighting)] == ["own", "anonymous"]
    assert summary(told)["named"] == ["OUT-A1"]


def test_later_posts_have_the_new_class(told: Office) -> None:
    regrade(told, ChannelClass.RELAY)
    leak(told, told.only(Reporter).id, 2)
    told.work()
    assert {one.channel_class for one in told.rows(Sighting)} == {"relay"}


def test_regrading_is_written_down(told: Office) -> None:
    regrade(told)
    entry = told.only(AuditEntry, action="reporter.regraded")
    assert (entry.actor, entry.reason) == ("cli:test", "its key was stolen")
    assert (entry.details["from"], entry.details["to"]) == ("own", "anonymous")
    assert told.count(AuditEntry, action="incident.regraded") == 1


def test_regrading_to_the_same_changes_nothing(told: Office) -> None:
    done = regrade(told, ChannelClass.OWN)
    told.work()
    assert (done.sightings, done.incidents) == (0, ())
    assert told.count(AttributionRecord) == 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_regrading_needs_a_reason(told: Office, reason: str) -> None:
    with pytest.raises(Invalid):
        regrade(told, reason=reason)


def test_regrading_in_the_future_is_refused(told: Office) -> None:
    with pytest.raises(Invalid):
        regrade(told, since=told.clock() + timedelta(minutes=1))


def test_unknown_reporter_is_told(office: Office) -> None:
    with pytest.raises(NotFound):
        regrade(office)
