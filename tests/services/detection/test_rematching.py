"""A bait that was entered late is found in what was seen before."""

from datetime import timedelta

import pytest

from canary.domain.errors import Invalid
from canary.services.detection import rematching
from canary.services.detection.rematching import (
    list_rematches,
    notice_changes,
    rematch_some,
    request_rematch,
)
from canary.storage.tables import Identifier, Incident, Match, Rematch
from tests.factories import OWNED, Office, listing, sms
from webhooks.reports import Part


def ask(office: Office, days: int = 30) -> None:
    with office.database.write() as session:
        request_rematch(session, "late baits", actor="lin", now=office.clock(), days=days)


def run(office: Office, owner: str = "worker") -> int:
    rounds = 0
    while rematch_some(office.desk(owner)):
        rounds += 1
    return rounds


@pytest.fixture
def late(office: Office) -> str:
    """See a number whose bait's digests come only now; return the number."""
    office.plant(phones=20, per_source=2)
    number = office.values_at("OUT-A1")[0].number or ""
    keys = office.rows_of_identifiers("number")
    with office.database.write() as session:
        for key in keys:
            session.delete(session.get_one(Identifier, (key.value_key, key.bait_id)))
    office.post(office.add_reporter(), listing(f"单号 {number}"))
    office.work()
    assert office.count(Match) == 0
    with office.database.write() as session:
        session.add_all(
            Identifier(value_key=key.value_key, bait_id=key.bait_id, kind=key.kind) for key in keys
        )
    return number


def test_late_bait_is_found(office: Office, late: str) -> None:
    ask(office)
    run(office)
    assert office.only(Match).kind == "number"
    assert office.only(Incident).sighting_count == 1
    line = office.only(Rematch)
    assert (line.state, line.done, line.total, line.found) == ("done", 1, 1, 1)


def test_second_run_adds_nothing(office: Office, late: str) -> None:
    for _ in range(2):
        ask(office)
        run(office)
    assert office.count(Match) == 1
    assert office.only(Incident).sighting_count == 1


def test_parts_are_not_counted_again(office: Office) -> None:
    """A second look finds in the parts of a message what the first found, and no more."""
    office.plant(phones=20, per_source=2)
    values, reporter = office.values_at("OUT-A1"), office.add_reporter()
    first, second = (one.number or "" for one in values)
    texts = ["包裹代收请尽快领取" * 8 + f" {second} {first[:7]}", f"{first[7:]} 已到驿站"]
    for number, text in enumerate(texts, start=1):
        part = Part(reference="7", number=number, total=2)
        office.post(reporter, sms(text, receiver=values[0].phone or "", part=part))
        office.triage()
    before = [(match.sighting_id, match.kind, match.bait_id) for match in office.rows(Match)]
    assert {kind for _, kind, _ in before} == {"number", "arrival"}
    ask(office)
    run(office)
    after = [(match.sighting_id, match.kind, match.bait_id) for match in office.rows(Match)]
    assert after == before


def test_older_sightings_are_left_alone(office: Office, late: str) -> None:
    office.clock.move(timedelta(days=8))
    ask(office, days=7)
    run(office)
    assert office.count(Match) == 0


def test_work_goes_on_after_a_crash(
    office: Office, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rematching, "AT_ONCE", 2)
    reporter = office.add_reporter("more")
    for number in range(5):
        office.post(reporter, listing(f"text {number}"))
    office.triage()
    ask(office)
    assert rematch_some(office.desk("first"))
    assert not rematch_some(office.desk("second"))
    office.clock.move(timedelta(minutes=2))
    run(office, "second")
    line = office.only(Rematch)
    assert (line.state, line.done, line.total, line.found) == ("done", 6, 6, 1)


def test_growth_of_an_incident_is_judged_anew(office: Office, late: str) -> None:
    ask(office)
    run(office)
    before = office.only(Incident).evidence_version
    office.change(Match, office.only(Match).id, start=999)
    ask(office)
    run(office)
    assert office.count(Match) == 2
    assert office.only(Incident).evidence_version == before + 1


def test_phone_used_again_draws_no_old_message(office: Office) -> None:
    """A message that came before a bait was made says nothing about it."""
    office.import_sources()
    office.import_phones(20)
    office.post(office.add_reporter(), *(sms("旧短信", receiver=own) for own in OWNED[:20]))
    office.triage()
    office.clock.move(timedelta(hours=1))
    office.seed(per_source=2)
    assert {values.phone for values in office.all_values()} <= {None, *OWNED[:20]}
    ask(office)
    run(office)
    assert [match.kind for match in office.rows(Match)] == []


def test_new_baits_are_noticed_once_at_rest(office: Office) -> None:
    office.post(office.add_reporter(), listing("x"))
    office.triage()
    assert not notice_changes(office.database, office.clock())
    office.import_sources()
    office.import_phones(20)
    office.seed(per_source=2)
    assert not notice_changes(office.database, office.clock())
    office.clock.move(timedelta(minutes=2))
    assert notice_changes(office.database, office.clock())
    assert not notice_changes(office.database, office.clock())
    assert office.only(Rematch).reason == "changed: baits, phones"


def test_request_starts_one_under_way_anew(office: Office, late: str) -> None:
    ask(office, days=3)
    ask(office, days=20)
    with office.database.read() as session:
        (line,) = list_rematches(session)
    assert line.since == office.clock() - timedelta(days=20)


@pytest.mark.parametrize(("reason", "days"), [("", 3), ("x" * 201, 3), ("x", 0), ("x", 10**6)])
def test_impossible_request_is_refused(office: Office, reason: str, days: int) -> None:
    with office.database.write() as session, pytest.raises(Invalid):
        request_rematch(session, reason, actor="lin", now=office.clock(), days=days)
