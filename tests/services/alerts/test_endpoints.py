"""Endpoints: two live secrets, habits, and no silent switching off; none delays another."""

from threading import Event

import pytest

from canary.domain.alerts import AlertType
from canary.domain.errors import Conflict, Invalid, NotFound, Unavailable
from canary.doors import WebhookSender
from canary.jobs import TROUBLED_AT_ONCE, Delivering
from canary.services.alerts import endpoints
from canary.services.alerts.alerting import Route, Taken, get_route, put_alert
from canary.services.alerts.delivering import list_due_by_endpoint
from canary.storage.tables import Alert, Delivery, Endpoint
from tests.factories import Office
from tests.fakes import FakeSender
from webhooks.errors import DeliveryError


@pytest.fixture
def team(office: Office) -> Office:
    office.add_endpoint()
    return office


def put(office: Office, count: int = 1) -> None:
    with office.database.write() as session:
        for _ in range(count):
            put_alert(
                session,
                AlertType.INCIDENT_CLOSED,
                incident_id=None,
                revision=1,
                data={"title": "t", "lines": []},
                now=office.clock(),
            )


def live_secrets(office: Office) -> list[str]:
    with office.database.read() as session:
        return list(get_route(session, office.vault, "team").config["secrets"])


def rotate(office: Office, secret: str) -> None:
    with office.database.write() as session:
        endpoints.rotate_secret(
            session, office.vault, "team", secret, actor="lin", now=office.clock()
        )


def test_two_secrets_live_at_once(team: Office) -> None:
    for secret in ("one", "two", "three"):
        rotate(team, secret)
    assert live_secrets(team) == ["three", "two"]
    with team.database.write() as session:
        endpoints.drop_old_secrets(session, team.vault, "team", actor="lin", now=team.clock())
    assert live_secrets(team) == ["three"]


def test_other_formats_rotate_nothing(team: Office) -> None:
    team.change(Endpoint, team.only(Endpoint).id, format="slack")
    with pytest.raises(Conflict):
        rotate(team, "one")


@pytest.mark.parametrize(
    "habits",
    [
        {"digest": "hourly"},
        {"quiet_from": "22:00"},
        {"quiet_from": "25:00", "quiet_until": "07:00"},
        {"timezone": "Mars/Base"},
        {"timezone": "../etc/passwd"},
    ],
)
def test_wrong_habits_are_refused(team: Office, habits: dict[str, str]) -> None:
    with pytest.raises(Invalid), team.database.write() as session:
        endpoints.set_habits(
            session, "team", endpoints.Habits(**habits), actor="lin", now=team.clock()
        )


def test_switching_off_is_told_to_everybody(team: Office) -> None:
    team.add_endpoint("second")
    for active in (False, False, True):
        with team.database.write() as session:
            endpoints.switch(session, "team", active=active, actor="lin", now=team.clock())
    assert [row.data["active"] for row in team.rows(Alert)] == [False, True]
    assert team.deliver() == 4
    with pytest.raises(NotFound), team.database.write() as session:
        endpoints.switch(session, "nobody", active=True, actor="lin", now=team.clock())


@pytest.mark.parametrize("shape", ["pagerduty", "splunk", "misp", "thehive", "mail", "telegram"])
def test_lacking_configuration_is_found_when_saved(shape: str) -> None:
    scheme = "smtp" if shape == "mail" else "http"
    route = Route(name="x", format=shape, config={"url": f"{scheme}://127.0.0.1:9/x"})
    with pytest.raises(Invalid) as refusal:
        WebhookSender(("127.0.0.1",)).check(route)
    assert refusal.value.flaws[0].field == "options"


def test_long_line_hides_no_other_endpoint(team: Office) -> None:
    """A thousand waiting for one endpoint once filled the list that the others wait in."""
    put(team, 40)
    team.add_endpoint("second")
    put(team)
    with team.database.read() as session:
        due = list_due_by_endpoint(session, team.clock(), limit=10)
    assert sorted(len(line) for line in due.values()) == [1, 10]


def test_oldest_alert_goes_first(team: Office) -> None:
    put(team, 5)
    team.sender.failures = [DeliveryError("busy")]
    team.deliver()
    first = team.rows(Delivery)[0]
    team.change(Endpoint, team.only(Endpoint).id, rests_until=None)
    team.change(Delivery, first.id, due_at=team.clock())
    with team.database.read() as session:
        line = list_due_by_endpoint(session, team.clock())[team.only(Endpoint).id]
    assert line[0] == first.id


class HangingSender(FakeSender):
    """Hangs for every endpoint but `team`."""

    def __init__(self) -> None:
        super().__init__()
        self.release, self.told = Event(), Event()

    def send(self, message, route, now):  # type: ignore[no-untyped-def]
        if route.name == "team":
            self.told.set()
            return Taken(status=204, answer="")
        self.release.wait(240)
        raise DeliveryError("no answer in time")


def test_hanging_endpoints_delay_nobody(team: Office) -> None:
    for number in range(TROUBLED_AT_ONCE * 4):
        team.add_endpoint(f"hangs-{number}")
    for row in team.rows(Endpoint):
        if row.name != "team":
            team.change(Endpoint, row.id, failures=1)
    put(team)
    team.sender = sender = HangingSender()
    delivering = Delivering(team.outbox, "postman")
    try:
        delivering()
        assert sender.told.wait(120)
    finally:
        sender.release.set()
        delivering.stop()


def test_taken_alert_is_noted_when_the_database_is_busy(
    team: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(team)
    write, refused = team.database.write, []

    def write_later():  # type: ignore[no-untyped-def]
        if team.sender.sent and len(refused) < 3:
            refused.append(1)
            raise Unavailable("busy", retry_after=1)
        return write()

    monkeypatch.setattr(team.database, "write", write_later)
    team.deliver()
    assert (len(refused), team.only(Delivery).state) == (3, "done")
