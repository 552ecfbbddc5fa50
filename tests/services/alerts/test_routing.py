"""Who hears of what: rules direct alerts and cannot swallow one."""

from datetime import timedelta
from pathlib import Path

import pytest

from canary.domain.alerts import AlertType
from canary.domain.errors import Invalid, NotFound
from canary.services.alerts.alerting import put_alert
from canary.services.alerts.routing import NewRule, add_rule, forecast, list_rules, remove_rule
from canary.storage.tables import Alert, AuditEntry, Delivery, Endpoint, Incident, Source
from tests.factories import NETWORK, Office

Told = dict[str, list[str | None]]


@pytest.fixture
def network(office: Office) -> Office:
    office.import_sources(NETWORK)
    for name in ("east", "west", "all"):
        office.add_endpoint(name)
    return office


def open_at(office: Office, code: str, verdict: str = "probable") -> int:
    now = office.clock()
    with office.database.write() as session:
        source = session.query(Source).filter_by(code=code).one()
        incident = Incident(
            scope=f"source:{code}:{now}",
            scope_source_id=source.id,
            state="open",
            verdict=verdict,
            opened_at=now,
            last_sighting_at=now,
        )
        session.add(incident)
        session.flush()
        put_alert(
            session,
            AlertType.INCIDENT_OPENED,
            incident_id=incident.id,
            revision=1,
            data={"title": "t", "lines": []},
            now=now,
        )
        return incident.id


def rule(office: Office, endpoint: str, **more: object) -> int:
    wanted = NewRule(endpoint=endpoint, **more)  # type: ignore[arg-type]
    with office.database.write() as session:
        return add_rule(session, wanted, actor="lin", now=office.clock())


def heard(office: Office) -> list[str]:
    names = {row.id: row.name for row in office.rows(Endpoint)}
    return sorted(names[row.endpoint_id] for row in office.rows(Delivery))


def test_without_rules_everybody_hears(network: Office) -> None:
    open_at(network, "OUT-A1")
    assert heard(network) == ["all", "east", "west"]


@pytest.mark.parametrize(
    ("conditions", "east_hears"),
    [
        ({"source": "HUB-A"}, True),
        ({"source": "OUT-A1"}, True),
        ({"source": "HUB-B"}, False),
        ({"region": "3301"}, True),
        ({"region": "3302"}, False),
        ({"source_kind": "outlet"}, True),
        ({"source_kind": "merchant"}, False),
        ({"sighting_kind": "sms"}, False),
        ({"least_verdict": "probable"}, True),
        ({"least_verdict": "confirmed"}, False),
        ({"source": "HUB-A", "least_verdict": "confirmed"}, False),
    ],
)
def test_rule_asks_every_condition(
    network: Office, conditions: dict[str, str], east_hears: bool
) -> None:
    rule(network, "east", **conditions)
    open_at(network, "OUT-A1")
    assert ("east" in heard(network)) is east_hears
    assert {"west", "all"} <= set(heard(network))


def test_unrouted_alert_goes_to_all(network: Office) -> None:
    """Rules that leave a source out must not make its first sighting vanish."""
    for name in ("east", "west", "all"):
        rule(network, name, source="OUT-B2")
    open_at(network, "OUT-A1")
    assert heard(network) == ["all", "east", "west"]


def test_operation_is_told_whatever_rules_say(network: Office) -> None:
    rule(network, "east", source="OUT-B2")
    with network.database.write() as session:
        put_alert(
            session,
            AlertType.REPORTER_SILENT,
            incident_id=None,
            revision=0,
            data={},
            now=network.clock(),
        )
    assert "east" in heard(network)


def test_rule_chooses_the_language(network: Office) -> None:
    rule(network, "east", source="HUB-A", lang="zh")
    open_at(network, "OUT-A1")
    network.deliver()
    assert sorted(message.lang for message in network.sender.sent) == ["en", "en", "zh"]


def test_quiet_hours_wait_for_morning(network: Office) -> None:
    """14:30 in Shanghai lies within 14:00 to 16:00."""
    east = network.rows(Endpoint)[0]
    network.change(Endpoint, east.id, quiet_from="14:00", quiet_until="16:00")
    open_at(network, "OUT-A1")
    assert network.deliver() == 2
    network.clock.move(timedelta(minutes=89))
    assert network.deliver() == 0
    network.clock.move(timedelta(minutes=2))
    assert network.deliver() == 1


def test_confirmed_breaks_quiet_hours(network: Office) -> None:
    for row in network.rows(Endpoint):
        network.change(Endpoint, row.id, quiet_from="14:00", quiet_until="16:00")
    open_at(network, "OUT-A1", "confirmed")
    assert network.deliver() == 3


def test_preview_counts_old_alerts(network: Office) -> None:
    for code in ("OUT-A1", "OUT-A2", "OUT-B1"):
        open_at(network, code)
        network.clock.move(timedelta(hours=1))
    with network.database.read() as session:
        lines = forecast(session, NewRule(endpoint="east", source="HUB-B"), now=network.clock())
    assert {line.endpoint: (line.now, line.then) for line in lines} == {
        "all": (3, 3),
        "east": (3, 1),
        "west": (3, 3),
    }


def test_preview_ends_after_thirty_days(network: Office) -> None:
    open_at(network, "OUT-A1")
    network.clock.move(timedelta(days=31))
    with network.database.read() as session:
        assert {line.now for line in forecast(session, None, now=network.clock())} == {0}


def test_preview_can_leave_a_rule_out(network: Office) -> None:
    rule_id = rule(network, "east", source="HUB-B")
    open_at(network, "OUT-A1")
    with network.database.read() as session:
        lines = forecast(session, None, without=rule_id, now=network.clock())
    assert {line.endpoint: (line.now, line.then) for line in lines}["east"] == (0, 1)


def test_removed_rule_is_written_down(network: Office) -> None:
    rule_id = rule(network, "east", source="HUB-B")
    with network.database.write() as session:
        remove_rule(session, rule_id, actor="lin", now=network.clock())
    with network.database.read() as session:
        assert list_rules(session) == []
    actions = [row.action for row in network.rows(AuditEntry, actor="lin")]
    assert actions == ["rule.added", "rule.removed"]
    with pytest.raises(NotFound), network.database.write() as session:
        remove_rule(session, rule_id, actor="lin", now=network.clock())


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        ({"endpoint": "nobody"}, "endpoint"),
        ({"source": "NOPE"}, "source"),
        ({"region": "33; DROP"}, "region"),
        ({"source_kind": "pigeon"}, "source_kind"),
        ({"sighting_kind": "pigeon"}, "sighting_kind"),
        ({"least_verdict": "sure"}, "verdict"),
        ({"lang": "xx"}, "lang"),
        ({"after_minutes": 0}, "after"),
    ],
)
def test_wrong_rule_is_refused(network: Office, conditions: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rule(network, **{"endpoint": "east", **conditions})  # type: ignore[arg-type]
    assert refusal.value.flaws[0].field == field


def test_facts_survive_storage(network: Office, tmp_path: Path) -> None:
    open_at(network, "OUT-A1")
    assert network.only(Alert).facts["sources"] == ["HUB-A", "OUT-A1", "SYS"]
