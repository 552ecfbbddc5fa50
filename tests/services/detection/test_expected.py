"""Expected sightings are narrow, end, and stay visible; our own echo is filed."""

from datetime import timedelta

import pytest

from canary.domain.errors import Invalid, NotFound
from canary.domain.identifiers import mask_name, mask_number, mask_phone
from canary.services.detection.expected import (
    NewExpectation,
    add_expectation,
    end_expectation,
    list_expectations,
    list_swallowed,
    preview,
)
from canary.storage.tables import Alert, Incident, Phone, Sighting
from tests.factories import OWNED, Office, listing, sms

OWN_SMS = NewExpectation(reason="the carrier's own notice", kind="sms", sender="95554")
PURCHASE = NewExpectation(
    reason="our test purchase", kind="listing", venue="danhao.example", source="OUT-A1", days=7
)


@pytest.fixture
def planted(office: Office) -> Office:
    office.add_endpoint()
    office.plant()
    office.add_reporter()
    return office


def expect(office: Office, wanted: NewExpectation) -> int:
    with office.database.write() as session:
        return add_expectation(session, wanted, actor="lin", now=office.clock())


def number_at(office: Office, code: str, place: int = 0) -> str:
    return str(office.values_at(code)[place].number)


def bait_phone(office: Office) -> str:
    values = next(one for one in office.values_at("OUT-A1") if one.phone)
    return str(values.phone).partition("-")[0]


def post(office: Office, *reports: object) -> None:
    office.post(1, *reports)  # type: ignore[arg-type]
    office.work()


def test_own_notice_is_no_news(planted: Office) -> None:
    rule_id = expect(planted, OWN_SMS)
    post(planted, sms("您的快件已到", receiver=bait_phone(planted), sender="95554"))
    assert planted.count(Incident) == 0
    row = planted.only(Sighting)
    assert (row.filed_as, row.expected_id, row.incident_id) == ("expected", rule_id, None)


@pytest.mark.parametrize("sender", ["95555", "10690000", ""])
def test_other_sender_is_news(planted: Office, sender: str) -> None:
    expect(planted, OWN_SMS)
    post(planted, sms("您的快件已到", receiver=bait_phone(planted), sender=sender))
    assert planted.count(Incident) == 1


def test_expired_rule_swallows_nothing(planted: Office) -> None:
    expect(planted, OWN_SMS)
    planted.clock.move(timedelta(days=31))
    post(planted, sms("您的快件已到", receiver=bait_phone(planted), sender="95554"))
    assert planted.count(Incident) == 1


def test_notice_that_prints_a_bait_is_news(planted: Office) -> None:
    """Whoever forges the expected sender must not smuggle a leak past us."""
    expect(planted, OWN_SMS)
    text = f"快件 {number_at(planted, 'OUT-B1')} 已到"
    post(planted, sms(text, receiver=bait_phone(planted), sender="95554"))
    assert planted.count(Incident) == 1


def test_purchase_at_its_source_is_no_news(planted: Office) -> None:
    expect(planted, PURCHASE)
    post(planted, listing(number_at(planted, "OUT-A1")))
    assert planted.count(Incident) == 0


def test_other_sources_bait_is_always_news(planted: Office) -> None:
    expect(planted, PURCHASE)
    post(planted, listing(f"{number_at(planted, 'OUT-A1')}\n{number_at(planted, 'OUT-A2')}"))
    assert planted.count(Incident) == 1


def test_swallowed_stay_counted(planted: Office) -> None:
    rule_id = expect(planted, PURCHASE)
    for place in range(3):
        post(planted, listing(number_at(planted, "OUT-A1", place)))
    with planted.database.read() as session:
        line = list_expectations(session, planted.clock())[0]
        assert (line.swallowed, line.is_over) == (3, False)
        assert len(list_swallowed(session, [rule_id])[rule_id]) == 3


def test_released_sightings_become_news(planted: Office) -> None:
    rule_id = expect(planted, PURCHASE)
    post(planted, listing(number_at(planted, "OUT-A1")))
    with planted.database.write() as session:
        assert end_expectation(session, rule_id, release=True, actor="lin", now=planted.clock())
    planted.work()
    assert planted.only(Sighting).incident_id == planted.only(Incident).id
    assert planted.count(Alert) == 1


def test_ended_rule_swallows_no_more(planted: Office) -> None:
    rule_id = expect(planted, PURCHASE)
    with planted.database.write() as session:
        end_expectation(session, rule_id, release=False, actor="lin", now=planted.clock())
        with pytest.raises(NotFound):
            end_expectation(session, 10**6, release=False, actor="lin", now=planted.clock())
    post(planted, listing(number_at(planted, "OUT-A1")))
    assert planted.count(Incident) == 1


def test_preview_shows_what_it_would_cover(planted: Office) -> None:
    post(planted, listing(number_at(planted, "OUT-A1")))
    post(planted, listing(number_at(planted, "OUT-B1")))
    with planted.database.read() as session:
        found = preview(session, planted.vault, PURCHASE, planted.clock())
    assert (found.looked_at, found.covered, len(found.examples)) == (2, 1, 1)
    assert planted.count(Incident) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"kind": "pigeon"}, "kind"),
        ({"sender": ""}, "sender"),
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"kind": "listing"}, "source"),
        ({"source": "NOPE"}, "source"),
        ({"reporter": "nobody"}, "reporter"),
    ],
)
def test_wide_rule_is_refused(planted: Office, change: dict[str, object], field: str) -> None:
    values = {"reason": "r", "kind": "sms", "sender": "95554", **change}
    with pytest.raises(Invalid) as refusal:
        expect(planted, NewExpectation(**values))  # type: ignore[arg-type]
    assert refusal.value.flaws[0].field == field


@pytest.fixture
def told(planted: Office) -> str:
    """Return the text of an alert as a chat shows it."""
    post(planted, listing(number_at(planted, "OUT-A1")))
    planted.deliver()
    message = planted.sender.sent[0]
    return "\n".join([str(message.data["title"]), *message.data["lines"]])


def test_own_alert_coming_back_is_filed(planted: Office, told: str) -> None:
    alerts = planted.count(Alert)
    post(planted, listing(told, venue="our chat"))
    assert planted.count(Alert) == alerts
    row = planted.only(Sighting, venue="our chat")
    assert (row.filed_as, row.incident_id) == ("echo", None)


def test_mark_hides_no_whole_number(planted: Office, told: str) -> None:
    """An insider could copy an alert's mark on a page that sells baits."""
    post(planted, listing(f"{told}\n{number_at(planted, 'OUT-B1')}", venue="seller"))
    assert planted.only(Sighting, venue="seller").incident_id is not None


def test_mark_hides_no_other_bait(planted: Office, told: str) -> None:
    """Masked like ours, but of a bait that no alert has told of."""
    other = planted.values_at("OUT-B1")[0]
    masked = " ".join([mask_number(other.number), mask_name(other.name), mask_phone(other.phone)])
    post(planted, listing(f"{told.splitlines()[-1]}\n{masked}", venue="seller"))
    assert planted.only(Sighting, venue="seller").filed_as is None


def test_mark_hides_no_arrival(planted: Office, told: str) -> None:
    post(planted, sms(told, receiver=bait_phone(planted)))
    assert planted.rows(Sighting, venue="10690000")[0].incident_id is not None


def test_alert_text_is_masked(planted: Office, told: str) -> None:
    values = planted.values_at("OUT-A1")
    assert "OUT-A1" in told or "Baits seen (masked)" in told
    for value in (one for bait in values for one in (bait.number, bait.phone, bait.name) if one):
        assert value not in told
    assert all(number not in told for number in OWNED)
    assert planted.count(Phone) > 0
