"""What must be told is told: again under one id, or shown as given up."""

import json
from datetime import timedelta

import pytest

from canary.domain.alerts import AlertType
from canary.domain.errors import Conflict, Invalid, NotFound
from canary.doors import WebhookSender
from canary.services.alerts.alerting import Route, add_endpoint, get_route, put_alert
from canary.services.alerts.delivering import deliver, redeliver
from canary.services.claims import LEASE
from canary.storage.tables import Alert, Delivery, Endpoint
from tests.factories import Office
from webhooks.errors import AddressRefused, DeliveryError
from webhooks.retry import SCHEDULE


@pytest.fixture
def told(office: Office) -> Office:
    office.add_endpoint()
    put(office)
    return office


def put(office: Office, **data: object) -> None:
    with office.database.write() as session:
        put_alert(
            session,
            AlertType.INCIDENT_CLOSED,
            incident_id=None,
            revision=1,
            data=data or {"title": "t"},
            now=office.clock(),
        )


def test_taken_alert_is_sent_once(told: Office) -> None:
    assert told.deliver() == 1
    assert told.deliver() == 0
    row = told.only(Delivery)
    assert (row.state, row.last_status, len(told.sender.sent)) == ("done", 204, 1)


def test_every_active_endpoint_is_told(office: Office) -> None:
    for name in ("one", "two", "off"):
        office.add_endpoint(name)
    office.change(Endpoint, office.rows(Endpoint)[2].id, is_active=False)
    put(office)
    office.deliver()
    assert len(office.sender.sent) == 2
    assert len({message.id for message in office.sender.sent}) == 1


def test_each_endpoint_hears_its_language(office: Office) -> None:
    office.add_endpoint("chinese", lang="zh")
    office.add_endpoint("english", lang="en")
    put(office, verdict="weak", by_lang={"zh": {"title": "泄漏"}, "en": {"title": "leak"}})
    office.deliver()
    titles = {message.lang: message.data for message in office.sender.sent}
    assert titles["zh"] == {"verdict": "weak", "title": "泄漏"}
    assert titles["en"] == {"verdict": "weak", "title": "leak"}


def test_retries_keep_one_id(told: Office) -> None:
    told.sender.failures = [DeliveryError("busy"), DeliveryError("busy")]
    for _ in range(3):
        told.deliver()
        told.clock.move(timedelta(hours=1))
    assert [message.id for message in told.sender.sent] == [told.only(Alert).ref] * 3
    assert told.only(Delivery).state == "done"


def test_retry_waits_its_turn(told: Office) -> None:
    told.sender.failures = [DeliveryError("busy", retry_after=600)]
    told.deliver()
    told.clock.move(timedelta(seconds=599))
    assert told.deliver() == 0
    told.clock.move(timedelta(seconds=2))
    assert told.deliver() == 1


def test_hopeless_delivery_becomes_dead_letter(told: Office) -> None:
    told.sender.failures = [DeliveryError("gone", permanent=True, answer="410 <b>gone</b>")]
    told.deliver()
    row = told.only(Delivery)
    assert (row.state, row.attempts) == ("dead", 1)
    assert "410" in row.last_answer


def test_used_up_schedule_ends_in_dead_letter(told: Office) -> None:
    told.sender.failures = [DeliveryError("down") for _ in range(50)]
    for _ in range(20):
        told.deliver()
        told.clock.move(timedelta(hours=30))
    assert told.only(Delivery).state == "dead"
    assert len(told.sender.sent) == len(SCHEDULE)


def test_own_fault_ends_in_dead_letter(told: Office) -> None:
    """A message that cannot be rendered must not be tried for ever in silence."""
    told.sender.failures = [KeyError("secret-value") for _ in range(50)]
    for _ in range(20):
        told.deliver()
        told.clock.move(timedelta(hours=30))
    row = told.only(Delivery)
    assert (row.state, row.attempts) == ("dead", len(SCHEDULE))
    assert "KeyError" in row.last_answer
    assert "secret-value" not in row.last_answer


def test_answer_is_kept_short(told: Office) -> None:
    told.sender.failures = [DeliveryError("down", answer="x" * 100_000)]
    told.deliver()
    assert len(told.only(Delivery).last_answer) <= 500


def test_dead_letter_can_be_sent_again(told: Office) -> None:
    told.sender.failures = [DeliveryError("gone", permanent=True)]
    told.deliver()
    with told.database.write() as session:
        redeliver(session, told.only(Delivery).id, actor="lin", now=told.clock())
    assert told.deliver() == 1
    assert told.only(Delivery).state == "done"
    assert len({message.id for message in told.sender.sent}) == 1


def test_waiting_delivery_is_not_restarted(told: Office) -> None:
    with pytest.raises(Invalid), told.database.write() as session:
        redeliver(session, told.only(Delivery).id, actor="lin", now=told.clock())
    with pytest.raises(NotFound), told.database.write() as session:
        redeliver(session, 10**9, actor="lin", now=told.clock())


def test_crashed_sender_gives_delivery_back(told: Office) -> None:
    def die() -> None:
        raise SystemExit

    told.sender.while_sending = die
    with pytest.raises(SystemExit):
        told.deliver("dead")
    told.sender.while_sending = lambda: None
    assert told.deliver("next") == 0
    told.clock.move(LEASE + timedelta(seconds=1))
    assert told.deliver("next") == 1
    assert told.only(Delivery).attempts == 2


def test_late_sender_does_not_overwrite(told: Office) -> None:
    """A sender that outlived its lease failed; meanwhile another one has delivered."""
    delivery = told.only(Delivery)

    def be_slow() -> None:
        told.sender.while_sending = lambda: None
        told.clock.move(LEASE + timedelta(seconds=1))
        assert deliver(told.outbox, delivery.id, "quick")
        told.sender.failures = [DeliveryError("reset", permanent=True)]

    told.sender.while_sending = be_slow
    deliver(told.outbox, delivery.id, "slow")
    assert told.only(Delivery).state == "done"


def test_configuration_is_sealed(told: Office) -> None:
    sealed = told.only(Endpoint).sealed_config
    assert b"x.example" not in sealed
    with told.database.read() as session:
        assert get_route(session, told.vault, "team").config["url"] == "https://x.example"
        with pytest.raises(NotFound):
            get_route(session, told.vault, "nobody")


def test_endpoint_name_is_taken_once(told: Office) -> None:
    with pytest.raises(Conflict):
        told.add_endpoint()


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "a\nb"])
def test_endpoint_name_must_be_readable(office: Office, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        office.add_endpoint(name)
    assert refusal.value.flaws[0].field == "name"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://169.254.169.254/latest",
        "http://[::1]/",
        "http://0x7f.1/",
        "ftp://x.example/",
        "file:///etc/passwd",
        "",
        "https://",
        "//x",
        "https://user:pw@[",
    ],
)
def test_inside_address_is_refused_when_added(office: Office, url: str) -> None:
    route = Route(name="bad", format="standard", config={"url": url, "secrets": []})
    with pytest.raises(Invalid), office.database.write() as session:
        add_endpoint(
            session,
            office.vault,
            WebhookSender(()),
            route,
            lang="en",
            actor="lin",
            now=office.clock(),
        )
    assert office.count(Endpoint) == 0


def test_unknown_format_is_refused(office: Office) -> None:
    route = Route(name="bad", format="pigeon", config={"url": "https://x.example"})
    with pytest.raises(Invalid, match="standard"):
        WebhookSender(()).check(route)


def test_refused_address_is_a_dead_letter(told: Office) -> None:
    told.sender.failures = [AddressRefused("inside")]
    told.deliver()
    assert told.only(Delivery).state == "dead"


def test_alert_data_is_plain_json(told: Office) -> None:
    assert json.loads(json.dumps(told.only(Alert).data)) == {"title": "t"}
