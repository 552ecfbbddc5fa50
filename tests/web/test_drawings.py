"""The path of an incident and the figures of the overview are what the rows say."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from canary.services.access import find_viewer
from canary.services.pages.overview import load_coverage, load_overview
from canary.services.pages.path import load_path
from tests.web.building import NOW

DAY = timedelta(days=1)


@pytest.fixture
def leak(build):
    head = build.source("HQ", kind="system")
    hub = build.source("HUB", kind="hub", parent=head)
    outlet = build.source("OUT", parent=hub)
    late = build.source("LATE", parent=head)
    batch = build.batch()
    baits = [build.bait(batch, outlet, planted_at=NOW - 9 * DAY) for _ in range(2)]
    build.exposure(baits[0], late, NOW - 1 * DAY, "custody")
    incident = build.incident(outlet)
    text = "first second"
    surfaces = [(baits[0], "first", "number"), (baits[1], "second", "number")]
    build.sighting(build.reporter(), incident, text, surfaces, at=NOW - 3 * DAY)
    return incident


def lanes(build, incident):
    with build.open() as session:
        path = load_path(session, incident.id, [("OUT", 0.98)])
    return {lane.source.code: lane for lane in path.lanes}, path


def test_sources_above_could_know_too(build, leak):
    by_code, _ = lanes(build, leak)
    assert {code: lane.held for code, lane in by_code.items()} == {
        "OUT": 2,
        "HUB": 2,
        "HQ": 2,
        "LATE": 1,
    }


def test_late_holder_could_not_know(build, leak):
    by_code, path = lanes(build, leak)
    assert [code for code, lane in by_code.items() if not lane.could_know] == ["LATE"]
    assert by_code["LATE"].offset > path.seen_offset > by_code["OUT"].offset


def test_leading_suspect_comes_first(build, leak):
    by_code, _ = lanes(build, leak)
    assert next(iter(by_code)) == "OUT"


def test_incident_without_exposures_has_no_drawing(build):
    incident = build.incident()
    with build.open() as session:
        assert load_path(session, incident.id, []) is None


def test_coverage_counts_sources_with_a_live_bait(build):
    covered, bare, spent = (build.source(code) for code in ("A", "B", "C"))
    batch = build.batch()
    build.bait(batch, covered)
    build.bait(batch, spent, state="burned")
    build.bait(batch, state="issued")
    with build.open() as session:
        coverage = load_coverage(session)
    assert (coverage.sources, coverage.covered, coverage.live, coverage.controls) == (3, 1, 1, 1)
    assert bare.code == "B"


@pytest.mark.parametrize(
    ("zone", "expected"), [("Asia/Shanghai", [0, 2]), ("America/Los_Angeles", [1, 1])]
)
def test_days_are_those_of_the_zone(build, zone, expected):
    """06:30 and 08:30 UTC are one day in Shanghai and two in Los Angeles."""
    build.signed_in("lin", "analyst")
    incident, reporter = build.incident(), build.reporter()
    for at in (NOW, NOW + timedelta(hours=2)):
        build.sighting(reporter, incident, "x", at=at)
    viewer = find_viewer(build.database, "reference of lin", NOW)
    with build.open() as session:
        overview = load_overview(session, viewer, NOW + timedelta(hours=3), ZoneInfo(zone))
    assert [day.count for day in overview.days][-2:] == expected


def test_partner_is_led_to_its_incidents(as_role, build):
    build.source("MINE")
    answer = as_role("partner", source_code="MINE").get("/")
    assert answer.headers["Location"] == "/incidents"
