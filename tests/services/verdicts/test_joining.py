"""Many outlets' baits at one venue are one leak above them; two leakers stay two."""

from typing import Any

import pytest

from canary.services.pages.summaries import load_summary
from canary.storage.tables import Alert, Incident, Sighting
from tests.factories import Office, listing

OUTLETS = ("OUT-A1", "OUT-A2", "OUT-B1", "OUT-B2")


@pytest.fixture
def dense(office: Office) -> Office:
    office.plant(per_source=12)
    office.add_endpoint()
    return office


def post(office: Office, reporter: int, code: str, *, first: int, last: int, **more: Any) -> None:
    values = office.values_at(code)[first:last]
    office.post(reporter, listing("\n".join(f"{one.number} {one.city}" for one in values), **more))


def open_incidents(office: Office) -> dict[str, dict[str, Any]]:
    found = office.rows(Incident, state="open")
    with office.database.read() as session:
        return {one.scope: load_summary(session, one.id) for one in found}


def test_leak_above_is_one_incident(dense: Office) -> None:
    """Separate posts, an outlet each: judged together they are the system's list."""
    reporter = dense.add_reporter()
    for code in (*OUTLETS, "HUB-A", "HUB-B", "SYS"):
        post(dense, reporter, code, first=0, last=4)
        dense.work()
    dense.work()
    found = open_incidents(dense)
    assert list(found) == ["source:SYS"]
    assert found["source:SYS"]["named"] == ["SYS"]
    assert found["source:SYS"]["sightings"] == 7
    assert dense.count(Sighting, incident_id=found["source:SYS"]["id"]) == 7


def test_order_of_posts_does_not_matter(dense: Office) -> None:
    reporter = dense.add_reporter()
    for code in ("SYS", "OUT-B2", "HUB-A", "OUT-A1", "HUB-B", "OUT-A2", "OUT-B1"):
        post(dense, reporter, code, first=0, last=4)
        dense.work()
    dense.work()
    assert [one["named"] for one in open_incidents(dense).values()] == [["SYS"]]


def test_no_outlet_stays_named_below_a_leak_above(dense: Office) -> None:
    reporter = dense.add_reporter()
    for code in (*OUTLETS, "HUB-A", "HUB-B", "SYS"):
        post(dense, reporter, code, first=0, last=4)
        dense.work()
    dense.work()
    named = {code for one in open_incidents(dense).values() for code in one["named"]}
    assert named <= {"SYS"}


def test_two_leakers_at_one_venue_stay_two(dense: Office) -> None:
    reporter = dense.add_reporter()
    for code in ("OUT-A1", "OUT-B2"):
        post(dense, reporter, code, first=0, last=12)
        dense.work()
    dense.work()
    found = open_incidents(dense)
    assert {scope: one["named"] for scope, one in found.items()} == {
        "source:OUT-A1": ["OUT-A1"],
        "source:OUT-B2": ["OUT-B2"],
    }


def test_two_leakers_in_one_post_are_two_suspects(dense: Office) -> None:
    values = [*dense.values_at("OUT-A1"), *dense.values_at("OUT-B2")]
    dense.post(dense.add_reporter(), listing("\n".join(one.number or "" for one in values)))
    dense.work()
    (found,) = open_incidents(dense).values()
    assert sorted(found["named"]) == ["OUT-A1", "OUT-B2"]


def test_other_venues_are_judged_apart(dense: Office) -> None:
    reporter = dense.add_reporter()
    post(dense, reporter, "OUT-A1", first=0, last=12, venue="one.example")
    post(dense, reporter, "OUT-B1", first=0, last=12, venue="two.example")
    dense.work()
    assert set(open_incidents(dense)) == {"source:OUT-A1", "source:OUT-B1"}


def test_joined_incident_tells_of_what_fell(dense: Office) -> None:
    """Who was given an outlet's name learns that the leak is above it."""
    reporter = dense.add_reporter()
    post(dense, reporter, "OUT-A1", first=0, last=12)
    dense.work()
    assert dense.rows(Alert)[-1].data["named"] == ["OUT-A1"]
    for code in ("OUT-A2", "OUT-B1", "OUT-B2", "HUB-A", "HUB-B", "SYS"):
        post(dense, reporter, code, first=0, last=10)
        dense.work()
    dense.work()
    assert [one["named"] for one in open_incidents(dense).values()] == [["SYS"]]
    fallen = dense.rows(Alert, type="incident.lowered")
    assert fallen
    assert all("OUT-A1" not in one.data["named"] for one in fallen)
