"""Heartbeats and tests are known as such; nothing with a bait in it ever is."""

from datetime import timedelta

import pytest

from canary.services.inbox.reporters import set_options
from canary.storage.tables import Incident, Reporter, Sighting
from tests.factories import Office, sms

PHRASE = "HB-7K3M2Q5XWP"


def own(office: Office) -> str:
    """Return the number of a phone that baits carry."""
    return office.values_at("OUT-A1")[0].phone or ""


@pytest.fixture
def rack(office: Office) -> int:
    reporter = office.add_reporter("rack")
    with office.database.write() as session:
        set_options(
            session,
            office.vault,
            "rack",
            {"heartbeat": PHRASE},
            actor="admin",
            now=office.clock(),
        )
    return reporter


@pytest.mark.parametrize(
    "text",
    [
        PHRASE,
        f"定时 {PHRASE} 电量 88%",
        "心跳 ok",
        "【测试】这是一条测试短信",
        "ping",
        "Heartbeat 12",
    ],
)
def test_heartbeat_is_filed_as_such(office: Office, rack: int, text: str) -> None:
    office.post(rack, sms(text))
    office.triage()
    assert office.only(Sighting).filed_as == "heartbeat"
    assert office.only(Reporter).last_heartbeat_at == office.clock()


@pytest.mark.parametrize("text", ["包裹已到", "心跳" + "x" * 90, "pingpong", "请查看测试"])
def test_ordinary_text_is_no_heartbeat(office: Office, rack: int, text: str) -> None:
    office.post(rack, sms(text))
    office.triage()
    assert office.only(Sighting).filed_as is None


def test_phrase_to_a_bait_phone_is_no_arrival(office: Office, rack: int) -> None:
    office.plant(phones=20, per_source=2)
    office.post(rack, sms(PHRASE, receiver=own(office)))
    office.triage()
    assert office.count(Incident) == 0


def test_stranger_cannot_stamp_a_message(office: Office, rack: int) -> None:
    """A word anybody may write hides nothing that reached a bait's phone."""
    office.plant(phones=20, per_source=2)
    office.post(rack, sms("心跳 heartbeat HB-AAAAAAAAAA", receiver=own(office)))
    office.triage()
    assert office.count(Incident) == 1


def test_bait_beside_the_phrase_is_news(office: Office, rack: int) -> None:
    office.plant(phones=20, per_source=2)
    number = office.values_at("OUT-A1")[0].number
    office.clock.move(timedelta(seconds=1))
    office.post(rack, sms(f"{PHRASE} 单号 {number}", receiver=own(office)))
    office.triage()
    assert office.count(Incident) == 1
