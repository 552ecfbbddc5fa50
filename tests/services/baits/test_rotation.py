"""Baits end: retired after their time, burned by a confirmed leak; both still match."""

from datetime import timedelta

import pytest

from canary.domain.errors import Invalid
from canary.domain.incidents import Decision
from canary.services.access import Role, Viewer
from canary.services.baits.orders import PlanRow, SeedOrder
from canary.services.baits.rotation import Rotation, list_drafts, list_gaps, retire_older
from canary.services.baits.seeding import seed_batch
from canary.services.cases.review import decide
from canary.storage.tables import Alert, AuditEntry, Bait, Batch, Incident, Match, Placement
from tests.factories import Office, listing


@pytest.fixture
def planted(office: Office) -> Office:
    office.plant(per_source=4)
    return office


def rotate(office: Office, days: int = 30, **more: object) -> Rotation:
    with office.database.write() as session:
        return retire_older(
            session,
            days=days,
            replace=bool(more.get("replace")),
            actor="ann",
            now=office.clock(),
        )


def leak(office: Office, code: str = "OUT-A1") -> Incident:
    """Show two baits of a source in a listing, and work until the incident stands."""
    reporter = office.add_reporter(f"market-{code}")
    numbers = [value.number for value in office.values_at(code)[:2]]
    office.post(reporter, listing(" ".join(str(number) for number in numbers)))
    office.work()
    return office.rows(Incident)[-1]


def confirm(office: Office, incident: Incident, viewer: Viewer) -> None:
    with office.database.write() as session:
        decide(
            session,
            incident.id,
            decision=Decision.CONFIRM,
            reason="test purchase agrees",
            version=incident.version,
            viewer=viewer,
            now=office.clock(),
            public_url="https://canary.example",
        )


@pytest.fixture
def analyst(office: Office) -> Viewer:
    return Viewer(
        user_id=1,
        name="ann",
        role=Role.ANALYST,
        lang=None,
        timezone=None,
        must_change_password=False,
        source_id=None,
        sign_in_id=1,
        signed_in_at=office.clock(),
    )


def test_young_baits_stay(planted: Office) -> None:
    assert rotate(planted).ended == 0
    assert planted.count(Bait, state="retired") == 0


def test_old_baits_retire_with_actor_and_time(planted: Office) -> None:
    planted.clock.move(timedelta(days=40))
    assert rotate(planted).ended == planted.count(Bait, state="retired") == planted.count(Bait)
    assert {one.ended_at for one in planted.rows(Placement)} == {planted.clock()}
    entry = planted.only(AuditEntry, action="baits.retired")
    assert (entry.actor, entry.at) == ("ann", planted.clock())


def test_replacement_is_drafted_then_made(planted: Office) -> None:
    planted.clock.move(timedelta(days=40))
    made = rotate(planted, replace=True)
    assert made.batch is not None
    assert planted.only(Batch, name=made.batch).state == "draft"
    result = seed_batch(planted.nursery, SeedOrder(batch=made.batch, resume=True))
    assert (result.baits, result.sources) == (28, 7)
    assert planted.only(Batch, name=made.batch).state == "issued"


def test_retired_baits_still_match(planted: Office) -> None:
    planted.clock.move(timedelta(days=40))
    rotate(planted)
    leak(planted)
    assert [one.kind for one in planted.rows(Match)] == ["number", "number"]


def test_confirmed_leak_burns_what_it_showed(planted: Office, analyst: Viewer) -> None:
    incident = leak(planted)
    shown = {one.bait_id for one in planted.rows(Match)}
    confirm(planted, incident, analyst)
    assert {one.id for one in planted.rows(Bait, state="burned")} == shown
    assert {one.burned_at for one in planted.rows(Bait, state="burned")} == {planted.clock()}
    assert planted.only(AuditEntry, action="baits.burned").actor == "ann"


def test_burned_baits_get_a_drafted_replacement(planted: Office, analyst: Viewer) -> None:
    incident = leak(planted)
    confirm(planted, incident, analyst)
    with planted.database.read() as session:
        assert list_drafts(session) == [(f"replace-incident-{incident.id}", 2)]
    (row,) = planted.only(Batch, state="draft").plan["rows"][:1]
    assert row["source"] == "OUT-A1"


def test_burned_baits_still_match(planted: Office, analyst: Viewer) -> None:
    confirm(planted, leak(planted), analyst)
    before = planted.count(Match)
    reporter = planted.add_reporter("elsewhere")
    number = planted.values_at("OUT-A1")[0].number
    planted.post(reporter, listing(f"again {number}", venue="other.example"))
    planted.work()
    assert planted.count(Match) > before


def test_gaps_are_told_by_source(office: Office) -> None:
    office.import_sources()
    office.seed(per_source=2)
    office.confirm(sources=("OUT-A1",))
    with office.database.read() as session:
        gaps = list_gaps(session, "b1")
    assert {gap.source: gap.issued for gap in gaps} == dict.fromkeys(
        ("SYS", "HUB-A", "HUB-B", "OUT-A2", "OUT-B1", "OUT-B2"), 2
    )


def test_impossible_age_is_refused(planted: Office) -> None:
    with pytest.raises(Invalid, match="mend: give at least 1"):
        rotate(planted, days=0)


def test_burned_baits_are_told_with_what_to_do(planted: Office, analyst: Viewer) -> None:
    planted.add_endpoint()
    confirm(planted, leak(planted), analyst)
    told = planted.only(Alert, type="bait.burned")
    assert (told.data["burned"], told.data["drafted"]) == (2, 2)
    assert f"canary seed --batch {told.data['batch']}" in told.data["by_lang"]["zh"]["lines"][1]
    planted.deliver()
    kinds = [message.type for message in planted.sender.sent]
    assert kinds.count("bait.burned") == kinds.count("incident.closed") == 1


def test_replacement_keeps_to_its_layer(office: Office) -> None:
    """What never entered a system is not replaced by what does."""
    office.import_sources()
    masked = {"number": 2, "phone": 1, "name": 0, "address": 0}
    rows = (
        PlanRow(source="OUT-A1", count=2, carrier="YTO", route="local"),
        PlanRow(source="OUT-A1", count=1, carrier="YTO", fields=masked),
    )
    office.seed(rows=rows)
    office.clock.move(timedelta(days=99))
    drafted = rotate(office, days=30, replace=True)
    plan = office.only(Batch, name=drafted.batch).plan["rows"]
    assert [(row["route"], row["count"], row["fields"]) for row in plan] == [
        ("local", 2, None),
        ("sheet", 1, masked),
    ]
