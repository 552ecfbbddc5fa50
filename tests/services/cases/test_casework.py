"""Assign, snooze, merge, split, undo: conditional on what was seen, and reversible."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from canary.domain.errors import Conflict, Forbidden, Invalid
from canary.domain.incidents import Decision, IncidentState
from canary.services.access import Role, Viewer, create_user
from canary.services.cases import casework, review
from canary.services.cases.casework import Desk, Outcome, Pick
from canary.services.cases.queue_search import IncidentFilter, read_query
from canary.services.cases.undoing import undo
from canary.services.pages.queue import list_incidents
from canary.storage.tables import Alert, Bait, Batch, Incident, Sighting
from tests.factories import Office, listing

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def desk(office: Office) -> Desk:
    now = office.clock()
    with office.database.write() as session:
        number = create_user(
            session, name="lin", password="seven quiet parcels", role="analyst", now=now
        )
    viewer = Viewer(
        user_id=number,
        name="lin",
        role=Role.ANALYST,
        lang=None,
        timezone=None,
        must_change_password=False,
        source_id=None,
        sign_in_id=1,
        signed_in_at=now,
    )
    return Desk(viewer=viewer, now=now, public_url="http://localhost")


@pytest.fixture
def two(office: Office) -> list[Incident]:
    """Open two incidents at two outlets, seen at two venues."""
    office.plant(phones=8, per_source=3)
    reporter = office.add_reporter()
    for place, code in enumerate(("OUT-A1", "OUT-B1")):
        for value in office.values_at(code)[:2]:
            office.post(reporter, listing(f"{value.number} {value.name}", venue=f"v{place}"))
            office.work()
    return open_ones(office)


def open_ones(office: Office) -> list[Incident]:
    return sorted(office.rows(Incident, state="open"), key=lambda row: row.id)


def pick(row: Incident) -> Pick:
    return Pick(incident_id=row.id, version=row.version)


def queue(office: Office, desk: Desk, line: str = "", days: int = 0) -> list[int]:
    with office.database.read() as session:
        found = list_incidents(
            session,
            desk.viewer,
            read_query(line),
            1,
            now=desk.now + timedelta(days=days),
            zone=ZONE,
        )
    return sorted(line.incident_id for line in found.items)


def take_back(office: Office, action: str, outcome: Outcome, desk: Desk) -> int:
    with office.database.write() as session:
        return undo(session, action, outcome.steps, desk)


def merge(office: Office, rows: list[Incident], desk: Desk) -> Outcome:
    with office.database.write() as session:
        return casework.merge(session, [pick(row) for row in rows], reason="one seller", desk=desk)


def test_given_incident_is_found_by_its_worker(
    office: Office, desk: Desk, two: list[Incident]
) -> None:
    with office.database.write() as session:
        outcome = casework.assign(session, [pick(two[0])], to=desk.viewer.user_id, desk=desk)
    assert queue(office, desk, "assignee:me") == queue(office, desk, "assignee:lin") == [two[0].id]
    assert queue(office, desk, "assignee:none") == [two[1].id]
    assert take_back(office, "assign", outcome, desk) == 1
    assert queue(office, desk, "assignee:me") == []


def test_stale_look_changes_nothing(office: Office, desk: Desk, two: list[Incident]) -> None:
    old = Pick(incident_id=two[0].id, version=two[0].version - 1)
    with office.database.write() as session:
        outcome = casework.assign(session, [old, pick(two[1])], to=None, desk=desk)
    assert outcome.changed == [two[0].id]
    assert [step.incident_id for step in outcome.steps] == [two[1].id]


def test_snoozed_incident_sleeps_until_its_time(
    office: Office, desk: Desk, two: list[Incident]
) -> None:
    with office.database.write() as session:
        outcome = casework.snooze(session, [pick(two[0])], days=3, desk=desk)
    assert queue(office, desk) == [two[1].id]
    assert queue(office, desk, "snoozed:yes") == [two[0].id]
    assert queue(office, desk, days=4) == [two[0].id, two[1].id]
    assert take_back(office, "snooze", outcome, desk) == 1
    assert queue(office, desk) == [two[0].id, two[1].id]


def test_new_evidence_wakes_a_snoozed_one(office: Office, desk: Desk, two: list[Incident]) -> None:
    with office.database.write() as session:
        casework.snooze(session, [pick(two[0])], days=None, desk=desk)
    reporter = office.add_reporter("another")
    office.post(reporter, listing(office.values_at("OUT-A1")[2].number))
    office.work()
    assert two[0].id in queue(office, desk)


def test_merged_incident_comes_out_whole(office: Office, desk: Desk, two: list[Incident]) -> None:
    before = {row.id: row.sighting_count for row in two}
    outcome = merge(office, two, desk)
    assert [(row.id, row.sighting_count) for row in open_ones(office)] == [
        (two[0].id, sum(before.values()))
    ]
    assert take_back(office, "merge", outcome, desk) == 1
    assert {row.id: row.sighting_count for row in open_ones(office)} == before
    assert office.count(Sighting, incident_id=two[1].id) == before[two[1].id]


def test_news_of_a_merged_incident_goes_where_it_went(
    office: Office, desk: Desk, two: list[Incident]
) -> None:
    merge(office, two, desk)
    reporter = office.add_reporter("another")
    office.post(reporter, listing(office.values_at("OUT-B1")[2].number, venue="v9"))
    office.work()
    assert [row.id for row in open_ones(office)] == [two[0].id]


def test_what_a_person_took_apart_stays_apart(
    office: Office, desk: Desk, two: list[Incident]
) -> None:
    refs = [row.ref for row in office.rows(Sighting, incident_id=two[0].id)][:1]
    with office.database.write() as session:
        fresh = casework.split(session, pick(two[0]), refs, reason="another seller", desk=desk)
    office.work()
    office.work()
    states = {row.id: (row.state, row.sighting_count) for row in office.rows(Incident)}
    assert states[fresh] == (IncidentState.OPEN, 1)
    assert states[two[0].id] == (IncidentState.OPEN, two[0].sighting_count - 1)
    assert office.only(Incident, id=fresh).revision >= 1


def test_split_leaves_something_behind(office: Office, desk: Desk, two: list[Incident]) -> None:
    refs = [row.ref for row in office.rows(Sighting, incident_id=two[0].id)]
    for chosen in (refs, [], ["S-UNKNOWN"]):
        with pytest.raises(Invalid), office.database.write() as session:
            casework.split(session, pick(two[0]), chosen, reason="r", desk=desk)


def test_merge_takes_all_or_none(office: Office, desk: Desk, two: list[Incident]) -> None:
    stale = [pick(two[0]), Pick(incident_id=two[1].id, version=1_000)]
    with pytest.raises(Conflict), office.database.write() as session:
        casework.merge(session, stale, reason="r", desk=desk)
    with pytest.raises(Invalid), office.database.write() as session:
        casework.merge(session, [pick(two[0])] * 2, reason="r", desk=desk)
    assert len(open_ones(office)) == 2


def test_undone_confirmation_gives_baits_their_life(
    office: Office, desk: Desk, two: list[Incident]
) -> None:
    office.add_endpoint()
    states = {row.id: row.state for row in office.rows(Bait)}
    with office.database.write() as session:
        review.decide(
            session,
            two[0].id,
            decision=Decision.CONFIRM,
            reason="admitted",
            version=two[0].version,
            viewer=desk.viewer,
            now=desk.now,
            public_url=desk.public_url,
        )
    assert office.count(Bait, state="burned") > 0
    step = casework.Step(incident_id=two[0].id, after=two[0].version + 1)
    assert take_back(office, "confirm", Outcome(steps=[step]), desk) == 1
    assert {row.id: row.state for row in office.rows(Bait)} == states
    assert office.count(Batch, state="draft") == 0
    assert office.count(Alert, type="incident.closed") == 0
    assert len(open_ones(office)) == 2


def test_undo_never_writes_over_later_work(office: Office, desk: Desk, two: list[Incident]) -> None:
    with office.database.write() as session:
        outcome = casework.dismiss(session, [pick(two[0])], reason="a drill", desk=desk)
    later = Pick(incident_id=two[0].id, version=two[0].version + 1)
    with office.database.write() as session:
        casework.assign(session, [later], to=desk.viewer.user_id, desk=desk)
    assert take_back(office, "dismiss", outcome, desk) == 0
    assert office.only(Incident, id=two[0].id).state == IncidentState.DISMISSED


def test_only_who_decides_may_work(office: Office, desk: Desk, two: list[Incident]) -> None:
    from dataclasses import replace

    auditor = replace(desk, viewer=replace(desk.viewer, role=Role.AUDITOR))
    with office.database.write() as session, pytest.raises(Forbidden):
        casework.assign(session, [pick(two[0])], to=None, desk=auditor)


LINES = (
    "source:OUT-A1",
    "under:HUB-A",
    "kind:listing venue:v0",
    'venue:"v0"',
    "since:1d bait:{bait}",
    "a1",
    "#{id}",
    "state:all snoozed:all verdict:{verdict} source:OUT-A1",
)


def test_search_lines_find_the_incident(office: Office, desk: Desk, two: list[Incident]) -> None:
    with office.database.read() as session:
        row = session.get_one(Incident, two[0].id)
        sighting = session.query(Sighting).filter_by(incident_id=row.id).first()
        assert sighting is not None
        values = {"bait": sighting.matches[0].bait.ref, "id": row.id, "verdict": row.verdict}
    found = {line: queue(office, desk, line.format(**values)) for line in LINES}
    assert found == {line: [two[0].id] for line in LINES}


@pytest.mark.parametrize(
    "line",
    ["nosuch:1", "state:shut", "verdict:x", "since:tomorrow", "before:0001-13-01", "a" * 301],
)
def test_senseless_search_is_refused(line: str) -> None:
    with pytest.raises(Invalid):
        read_query(line)


def test_search_line_reads_what_it_writes() -> None:
    wanted = IncidentFilter(state="all", venue="面单 群", assignee="me", words="上海 网点")
    assert read_query(wanted.to_query()) == wanted
    assert read_query("venue：群") == IncidentFilter(venue="群")
    assert IncidentFilter().to_query() == ""
