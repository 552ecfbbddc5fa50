"""From a stored post to an incident: once, whole, and whatever happens to the worker."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from canary.domain.errors import Unavailable
from canary.domain.identifiers import BaitValues
from canary.domain.sightings import ChannelClass
from canary.services.claims import LEASE, claim_one
from canary.services.detection import triage
from canary.services.detection.triage import ATTEMPTS, list_waiting, triage_post
from canary.services.verdicts.attributing import Resting, attribute_stale
from canary.storage.tables import (
    Alert,
    AttributionRecord,
    Delivery,
    InboxPost,
    Incident,
    Match,
    Phone,
    Sighting,
)
from tests.factories import Office, listing, sms
from webhooks.reports import Report, ReportKind


@pytest.fixture
def planted(office: Office) -> Office:
    office.plant()
    office.add_endpoint()
    return office


def numbers_of(values: list[BaitValues]) -> str:
    return "\n".join(f"{one.number} {one.city}" for one in values)


def test_leak_opens_one_incident(office: Office) -> None:
    office.plant(per_source=12)
    office.add_endpoint()
    office.post(office.add_reporter(), listing(numbers_of(office.values_at("OUT-A1"))))
    office.work()
    incident = office.only(Incident)
    assert (incident.named, incident.sighting_count) == (["OUT-A1"], 1)
    assert office.only(Alert).type == "incident.opened"
    assert office.only(InboxPost).state == "done"


def test_stranger_opens_nothing(planted: Office) -> None:
    planted.post(planted.add_reporter(), listing("YT1234567890123 张三 138****1234"))
    planted.work()
    assert planted.only(InboxPost).state == "done"
    assert planted.count(Sighting) == 1
    assert planted.count(Match) == planted.count(Incident) == planted.count(Alert) == 0


def test_twenty_deliveries_at_once_are_one_incident(planted: Office) -> None:
    """Twenty posts of one leak, twenty workers: one incident, one alert, a count of twenty."""
    text = numbers_of(planted.values_at("OUT-A1"))
    reporter = planted.add_reporter()
    run_together(lambda: planted.post(reporter, listing(text)), 20)
    with planted.database.read() as session:
        waiting = list_waiting(session, planted.clock())
    desks = [planted.desk(f"worker-{place}") for place in range(20)]
    steps = [
        lambda desk=desk, post_id=post_id: triage_post(desk, post_id)
        for desk, post_id in zip(desks, waiting, strict=True)
    ]
    run_all(steps)
    run_all([lambda desk=desk: attribute_stale(desk, Resting()) for desk in desks[:6]])
    incident = planted.only(Incident)
    assert (incident.sighting_count, planted.count(Sighting)) == (20, 20)
    assert planted.count(Alert) == planted.count(Delivery) == 1
    assert {post.state for post in planted.posts()} == {"done"}


def run_together(step: Callable[[], object], times: int) -> None:
    run_all([step] * times)


def run_all(steps: list[Callable[[], object]]) -> None:
    failures: list[BaseException] = []

    def run(step: Callable[[], object]) -> None:
        try:
            step()
        except BaseException as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_one_post_has_one_worker(planted: Office) -> None:
    planted.post(planted.add_reporter(), listing(numbers_of(planted.values_at("OUT-A1"))))
    post_id = planted.only(InboxPost).id
    won: list[bool] = []
    run_all(
        [
            lambda desk=desk: won.append(triage_post(desk, post_id))
            for desk in [planted.desk(f"w{place}") for place in range(8)]
        ]
    )
    assert won.count(True) == 1
    assert planted.count(Sighting) == 1


def test_arrival_at_bait_phone_is_its_own_match(planted: Office) -> None:
    victim = next(one for one in planted.values_at("OUT-A1") if one.phone)
    planted.post(
        planted.add_reporter("rack", ChannelClass.ARRIVAL),
        sms("您的包裹破损可理赔", victim.phone or ""),
    )
    planted.triage()
    kinds = {match.kind for match in planted.rows(Match)}
    assert kinds == {"arrival"}
    assert planted.only(Sighting).phone_id is not None


@pytest.mark.parametrize(
    "appended", ["\nSIM1_中国移动_{}", "\n来自：+86{}", "\n卡号 {0} 收到", "【{}】"]
)
def test_own_number_appended_is_no_match(planted: Office, appended: str) -> None:
    victim = next(one for one in planted.values_at("OUT-A1") if one.phone)
    phone = victim.phone or ""
    planted.post(
        planted.add_reporter("rack", ChannelClass.ARRIVAL),
        sms("退订回T" + appended.format(phone), phone),
    )
    planted.triage()
    assert {match.kind for match in planted.rows(Match)} == {"arrival"}


def test_bait_phone_printed_is_no_arrival(planted: Office) -> None:
    victim = next(one for one in planted.values_at("OUT-A1") if one.phone)
    planted.post(planted.add_reporter(), listing(f"收件人 {victim.phone}"))
    planted.triage()
    assert {match.kind for match in planted.rows(Match)} == {"phone"}
    assert planted.only(Sighting).phone_id is None


def test_message_to_control_phone_matches_nothing(planted: Office) -> None:
    control = next(phone for phone in planted.rows(Phone) if phone.is_control)
    number = planted.vault.unseal(f"phones.sealed_number|{control.ref}", control.sealed_number)
    planted.post(planted.add_reporter("rack", ChannelClass.ARRIVAL), sms("广告", number.decode()))
    planted.triage()
    assert planted.only(Sighting).phone_id == control.id
    assert planted.count(Match) == planted.count(Incident) == 0


def test_receiver_of_a_listing_is_no_arrival(planted: Office) -> None:
    """Only messages and calls arrive; anybody can write a receiver into a page."""
    victim = next(one for one in planted.values_at("OUT-A1") if one.phone)
    report = Report(kind=ReportKind.LISTING, text="list", receiver=victim.phone or "")
    planted.post(planted.add_reporter(), report)
    planted.triage()
    assert planted.count(Match) == 0


def test_claim_of_dead_worker_expires(planted: Office) -> None:
    planted.post(planted.add_reporter(), listing(numbers_of(planted.values_at("OUT-A1"))))
    post_id = planted.only(InboxPost).id
    with planted.database.write() as session:
        claim_one(session, InboxPost, post_id, owner="dead", now=planted.clock())
    assert planted.triage() == 0
    planted.clock.move(LEASE + timedelta(seconds=1))
    assert planted.triage() == 1
    assert planted.only(InboxPost).attempts == 2
    assert planted.count(Sighting) == 1


def test_late_worker_writes_nothing(planted: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that slept through its lease finds that another one has done the work."""
    planted.post(planted.add_reporter(), listing(numbers_of(planted.values_at("OUT-A1"))))
    read = triage._read

    def sleep_through(desk: triage.Desk, post_id: int) -> list[triage.Finding]:
        findings = read(desk, post_id)
        if desk.owner == "slow":
            planted.clock.move(LEASE + timedelta(seconds=1))
            assert triage_post(planted.desk("quick"), post_id)
        return findings

    monkeypatch.setattr(triage, "_read", sleep_through)
    triage_post(planted.desk("slow"), planted.only(InboxPost).id)
    assert planted.count(Sighting) == 1
    assert planted.only(Incident).sighting_count == 1


def test_poisonous_post_is_buried(office: Office) -> None:
    office.post(office.add_reporter(), listing("x"))
    office.change(InboxPost, office.only(InboxPost).id, sealed_reports=b"broken")
    for _ in range(ATTEMPTS + 2):
        office.triage()
        office.clock.move(LEASE + timedelta(seconds=1))
    post = office.only(InboxPost)
    assert (post.state, post.attempts) == ("dead", ATTEMPTS)
    assert "SealBroken" in post.failure


def test_post_that_ends_its_worker_is_buried(office: Office) -> None:
    office.post(office.add_reporter(), listing("x"))
    post_id = office.only(InboxPost).id
    for _ in range(ATTEMPTS):
        with office.database.write() as session:
            assert claim_one(session, InboxPost, post_id, owner="dies", now=office.clock())
        office.clock.move(LEASE + timedelta(seconds=1))
    office.triage()
    assert office.only(InboxPost).state == "dead"


def test_poison_does_not_stop_the_others(planted: Office) -> None:
    reporter = planted.add_reporter()
    planted.post(reporter, listing("poison"))
    planted.change(InboxPost, planted.only(InboxPost).id, sealed_reports=b"broken")
    planted.post(reporter, listing(numbers_of(planted.values_at("OUT-A1"))))
    planted.work()
    assert planted.only(Incident).sighting_count == 1


def test_absent_database_is_not_held_against_post(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.post(office.add_reporter(), listing("x"))

    def fail(*_: object) -> None:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(triage, "_write", fail)
        for _ in range(ATTEMPTS * 2):
            with pytest.raises(Unavailable):
                office.triage()
            office.clock.move(LEASE + timedelta(seconds=1))
    assert office.triage() == 1
    assert office.only(InboxPost).state == "done"


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "\x00\ud800" + "x" * 1000},
        {"venue": "长" * 5000},
        {"venue": "\x00"},
        {"sender": "\ud800" * 300},
        {"title": "'; DROP TABLE inbox; --"},
        {"details": {"basis": "\x00" * 100}},
        {"claimed_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))},
        {"claimed_at": datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=12)))},
        {"claimed_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"receiver": "x" * 10_000},
        {"receiver": "²³①" * 50},
    ],
    ids=str,
)
def test_hostile_report_is_worked_through(planted: Office, changes: dict[str, object]) -> None:
    values = {"kind": ReportKind.SMS, "text": "x", **changes}
    planted.post(planted.add_reporter(), Report(**values))  # type: ignore[arg-type]
    planted.triage()
    assert planted.only(InboxPost).state == "done"


def test_venue_that_names_a_bait_is_left_out(planted: Office) -> None:
    """Venues are kept readable, so they must not hold what is sealed elsewhere."""
    number = planted.values_at("OUT-A1")[0].number
    planted.post(planted.add_reporter(), listing("x", venue=f"shop.example/q?{number}"))
    planted.triage()
    assert planted.only(Sighting).venue == "market"


def test_many_reports_of_one_post_are_kept(planted: Office) -> None:
    values = planted.values_at("OUT-A1")
    planted.post(planted.add_reporter(), *(listing(one.number or "") for one in values))
    planted.work()
    assert [row.ordinal for row in planted.rows(Sighting)] == list(range(len(values)))
    assert planted.only(Incident).sighting_count == len(values)


def test_same_number_many_times_is_kept(planted: Office) -> None:
    number = planted.values_at("OUT-A1")[0].number or ""
    planted.post(planted.add_reporter(), listing("\n".join([number, f"{number}-{number}"] * 20)))
    planted.triage()
    assert planted.only(InboxPost).state == "done"
    assert planted.count(Match) >= 2


def test_growing_evidence_is_attributed_again(planted: Office) -> None:
    reporter, values = planted.add_reporter(), planted.values_at("OUT-A1")
    for one in values[:3]:
        planted.post(reporter, listing(one.number or ""))
        planted.work()
    revisions = [row.revision for row in planted.rows(AttributionRecord)]
    assert revisions == [1, 2, 3]
    assert planted.only(Incident).attributed_version == 3
