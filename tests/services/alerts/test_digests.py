"""What does not come by itself: silence, failing endpoints, waiting people, digests."""

from datetime import timedelta

import pytest

from canary.domain.alerts import AlertType
from canary.services.access import Role, Viewer
from canary.services.alerts.delivering import redeliver_dead
from canary.services.alerts.digests import put_digests
from canary.services.alerts.escalating import acknowledge, escalate
from canary.services.alerts.routing import NewRule, add_rule
from canary.services.alerts.watching import FAILING_AFTER, tell_failing, tell_silent
from canary.storage.tables import Alert, Delivery, Endpoint, Incident, Reporter
from tests.factories import PUBLIC_URL, Office, listing
from tests.fakes import NOW
from webhooks.errors import DeliveryError

MINUTE = timedelta(minutes=1)


def told(office: Office, kind: AlertType) -> list[Alert]:
    return office.rows(Alert, type=kind)


def heard_by(office: Office, alert: Alert) -> list[str]:
    names = {row.id: row.name for row in office.rows(Endpoint)}
    return [names[row.endpoint_id] for row in office.rows(Delivery, alert_id=alert.id)]


@pytest.fixture
def two(office: Office) -> Office:
    office.add_endpoint("first")
    office.add_endpoint("second")
    return office


def viewer(role: Role = Role.ANALYST) -> Viewer:
    return Viewer(
        user_id=1,
        name="lin",
        role=role,
        lang=None,
        timezone=None,
        source_id=None,
        sign_in_id=1,
        must_change_password=False,
        signed_in_at=NOW,
    )


def test_silence_is_told_once(two: Office) -> None:
    two.add_reporter("sensor", rhythm_seconds=600)
    two.clock.move(9 * MINUTE)
    assert tell_silent(two.database, two.clock()) == 0
    two.clock.move(2 * MINUTE)
    assert tell_silent(two.database, two.clock()) == 1
    two.clock.move(timedelta(days=1))
    assert tell_silent(two.database, two.clock()) == 0
    assert len(told(two, AlertType.REPORTER_SILENT)) == 1


def test_second_silence_is_told_again(two: Office) -> None:
    two.add_reporter("sensor", rhythm_seconds=600)
    two.clock.move(11 * MINUTE)
    tell_silent(two.database, two.clock())
    two.clock.move(MINUTE)
    two.change(Reporter, two.only(Reporter).id, last_post_at=two.clock())
    assert tell_silent(two.database, two.clock()) == 0
    two.clock.move(11 * MINUTE)
    assert tell_silent(two.database, two.clock()) == 1


def test_reporter_without_rhythm_is_left_alone(two: Office) -> None:
    two.add_reporter("whenever")
    two.clock.move(timedelta(days=90))
    assert tell_silent(two.database, two.clock()) == 0


def fail_first(office: Office, failure: DeliveryError) -> None:
    """Let `first` refuse and `second` take what is due now."""
    with office.database.write() as session:
        from canary.services.alerts.alerting import put_alert

        put_alert(
            session,
            AlertType.INCIDENT_CLOSED,
            incident_id=None,
            revision=1,
            data={"title": "t", "lines": []},
            now=office.clock(),
        )
    office.sender.failures = [failure]
    office.deliver()


def test_failing_endpoint_is_told_elsewhere(two: Office) -> None:
    fail_first(two, DeliveryError("no connection"))
    assert tell_failing(two.database, two.clock()) == 0
    two.clock.move(FAILING_AFTER)
    assert tell_failing(two.database, two.clock()) == 1
    alert = told(two, AlertType.DELIVERY_FAILING)[0]
    assert heard_by(two, alert) == ["second"]
    assert alert.data["endpoint"] == "first"
    assert "no connection" in str(alert.data["by_lang"])
    assert tell_failing(two.database, two.clock()) == 0


def test_failing_is_repeated_daily(two: Office) -> None:
    fail_first(two, DeliveryError("no connection"))
    two.clock.move(FAILING_AFTER)
    tell_failing(two.database, two.clock())
    two.clock.move(timedelta(hours=25))
    assert tell_failing(two.database, two.clock()) == 1


def test_recovered_endpoint_is_no_news(two: Office) -> None:
    fail_first(two, DeliveryError("no connection"))
    two.clock.move(10 * MINUTE)
    assert two.deliver() == 1
    two.clock.move(timedelta(days=2))
    assert tell_failing(two.database, two.clock()) == 0


def test_dead_letter_is_told_at_once(two: Office) -> None:
    fail_first(two, DeliveryError("answered 410", permanent=True))
    assert tell_failing(two.database, two.clock()) == 1
    assert told(two, AlertType.DELIVERY_FAILING)[0].data["dead"] == 1
    assert tell_failing(two.database, two.clock()) == 0


def test_endpoint_is_never_switched_off(two: Office) -> None:
    for _ in range(30):
        fail_first(two, DeliveryError("answered 410", permanent=True))
        two.clock.move(timedelta(hours=12))
        tell_failing(two.database, two.clock())
    assert [row.is_active for row in two.rows(Endpoint)] == [True, True]


def test_dead_letters_are_redelivered_together(two: Office) -> None:
    for _ in range(3):
        fail_first(two, DeliveryError("answered 410", permanent=True))
    with two.database.write() as session:
        assert redeliver_dead(session, "second", actor="lin", now=two.clock()) == 0
        assert redeliver_dead(session, "first", actor="lin", now=two.clock()) == 3
    assert two.deliver() == 3
    assert two.count(Delivery, state="done") == 6


def test_resting_endpoint_costs_no_attempt(two: Office) -> None:
    """What waits behind a failure keeps its attempts for when the endpoint is back."""
    fail_first(two, DeliveryError("no connection", retry_after=3600))
    fail_first(two, DeliveryError("never raised"))
    two.sender.failures = []
    first = two.rows(Endpoint)[0]
    assert [row.attempts for row in two.rows(Delivery, endpoint_id=first.id)] == [1, 0]
    two.clock.move(timedelta(minutes=61))
    two.deliver()
    assert two.count(Delivery, state="done", endpoint_id=first.id) == 2


@pytest.fixture
def leak(two: Office) -> Office:
    two.plant(phones=0)
    reporter = two.add_reporter()
    two.post(reporter, listing(str(two.values_at("OUT-A1")[0].number)))
    two.work()
    return two


def rule_after(office: Office, endpoint: str, minutes: int) -> None:
    with office.database.write() as session:
        wanted = NewRule(endpoint=endpoint, after_minutes=minutes)
        add_rule(session, wanted, actor="lin", now=office.clock())


def acknowledge_it(office: Office, *, snooze: bool = False) -> None:
    with office.database.write() as session:
        acknowledge(
            session,
            office.only(Incident).id,
            snooze=snooze,
            viewer=viewer(),
            now=office.clock(),
        )


def test_unacknowledged_incident_goes_further(leak: Office) -> None:
    rule_after(leak, "second", 15)
    leak.clock.move(14 * MINUTE)
    assert escalate(leak.database, leak.clock()) == 0
    leak.clock.move(2 * MINUTE)
    assert escalate(leak.database, leak.clock()) == 1
    assert escalate(leak.database, leak.clock()) == 0
    alert = told(leak, AlertType.INCIDENT_ESCALATED)[0]
    assert heard_by(leak, alert) == ["second"]
    assert "16" in alert.data["by_lang"]["en"]["title"]


def test_second_step_waits_longer(leak: Office) -> None:
    rule_after(leak, "second", 15)
    rule_after(leak, "first", 60)
    leak.clock.move(20 * MINUTE)
    assert escalate(leak.database, leak.clock()) == 1
    leak.clock.move(60 * MINUTE)
    assert escalate(leak.database, leak.clock()) == 1
    assert len(told(leak, AlertType.INCIDENT_ESCALATED)) == 1


def test_acknowledged_incident_stays(leak: Office) -> None:
    rule_after(leak, "second", 15)
    acknowledge_it(leak)
    leak.clock.move(timedelta(hours=5))
    assert escalate(leak.database, leak.clock()) == 0


def test_new_evidence_asks_again(leak: Office) -> None:
    rule_after(leak, "second", 15)
    acknowledge_it(leak, snooze=True)
    leak.clock.move(timedelta(hours=5))
    values = leak.values_at("OUT-A1")[1]
    leak.post(1, listing(str(values.number), venue="another.example"))
    leak.work()
    leak.clock.move(16 * MINUTE)
    assert escalate(leak.database, leak.clock()) == 1


def test_digest_comes_once_a_day(leak: Office) -> None:
    first = leak.rows(Endpoint)[0]
    leak.change(Endpoint, first.id, digest="daily")
    leak.clock.move(timedelta(days=1))
    assert put_digests(leak.database, leak.clock(), PUBLIC_URL) == 1
    assert put_digests(leak.database, leak.clock(), PUBLIC_URL) == 0
    alert = told(leak, AlertType.DIGEST_MADE)[0]
    assert heard_by(leak, alert) == ["first"]
    assert "1 incidents opened" in alert.data["by_lang"]["en"]["lines"][0]
    leak.clock.move(timedelta(days=1))
    assert put_digests(leak.database, leak.clock(), PUBLIC_URL) == 1


def test_snoozed_incident_leaves_the_digest(leak: Office) -> None:
    leak.change(Endpoint, leak.rows(Endpoint)[0].id, digest="daily")
    acknowledge_it(leak, snooze=True)
    leak.clock.move(timedelta(days=1))
    put_digests(leak.database, leak.clock(), PUBLIC_URL)
    lines = told(leak, AlertType.DIGEST_MADE)[0].data["by_lang"]["en"]["lines"]
    assert lines[2].startswith("1 open (1 snoozed)")
    assert len(lines) == 3


def test_digest_is_told_when_nothing_happened(two: Office) -> None:
    two.change(Endpoint, two.rows(Endpoint)[0].id, digest="weekly")
    two.clock.move(timedelta(days=8))
    assert put_digests(two.database, two.clock(), PUBLIC_URL) == 1
