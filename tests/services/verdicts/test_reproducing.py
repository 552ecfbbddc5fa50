"""Every kept version can be made again from what it was made from, to the last bit."""

import json
from datetime import timedelta

import pytest

from canary.domain.errors import Conflict, NotFound
from canary.domain.sightings import ChannelClass
from canary.services.verdicts.reproducing import load_kept, repeat
from canary.storage.tables import AttributionRecord, Incident
from canary.storage.vault import SealBroken
from tests.factories import Office, listing, sms


@pytest.fixture
def judged(office: Office) -> Office:
    """Three versions: one listing, then messages, then more listings."""
    office.plant(per_source=8)
    market = office.add_reporter()
    rack = office.add_reporter("rack", ChannelClass.ARRIVAL)
    values = office.values_at("OUT-A1")
    for part in (values[:2], values[2:8]):
        office.post(market, listing("\n".join(f"{one.number}" for one in part)))
        office.work()
        office.clock.move(timedelta(hours=5))
        office.post(rack, sms("退款客服", next(one.phone or "" for one in part if one.phone)))
        office.work()
    return office


def test_every_version_is_repeated_bit_for_bit(judged: Office) -> None:
    records = judged.rows(AttributionRecord)
    assert len(records) >= 3
    for one in records:
        with judged.database.read() as session:
            made = repeat(load_kept(session, judged.vault, one.incident_id, one.revision))
        assert made.is_same
        stored = {name: value for name, value in one.result.items() if name != "explanations"}
        assert json.dumps(made.result, sort_keys=True) == json.dumps(stored, sort_keys=True)


def test_changed_result_is_noticed(judged: Office) -> None:
    one = judged.rows(AttributionRecord)[0]
    judged.change(AttributionRecord, one.id, result={**one.result, "named": ["OUT-B1"]})
    with judged.database.read() as session:
        kept = load_kept(session, judged.vault, one.incident_id, one.revision)
    assert repeat(kept).is_same is False


def test_changed_world_is_noticed(judged: Office) -> None:
    one = judged.rows(AttributionRecord)[0]
    judged.change(AttributionRecord, one.id, world_sha256=b"x" * 32)
    with judged.database.read() as session, pytest.raises(SealBroken):
        load_kept(session, judged.vault, one.incident_id, one.revision)


def test_other_rules_are_told(judged: Office) -> None:
    one = judged.rows(AttributionRecord)[0]
    judged.change(AttributionRecord, one.id, rule_version="attribution-0")
    with judged.database.read() as session:
        kept = load_kept(session, judged.vault, one.incident_id, one.revision)
    with pytest.raises(Conflict):
        repeat(kept)


def test_missing_version_is_told(judged: Office) -> None:
    incident = judged.rows(Incident)[0]
    with judged.database.read() as session, pytest.raises(NotFound):
        load_kept(session, judged.vault, incident.id, 99)
