"""The picture of the network says what the table says, and no more."""

from datetime import timedelta

import pytest

from tests.web.building import NOW


@pytest.fixture
def seen(build):
    head = build.source("HQ", "总部", kind="system")
    hub = build.source("HUB", "杭州分拨", kind="hub", parent=head)
    outlet = build.source("HZ-01", "<b>西湖</b>网点", parent=hub)
    reporter, incident = build.reporter(), build.incident(outlet)
    for number in range(3):
        build.sighting(reporter, incident, f"t{number}", venue="面单群")
    build.sighting(reporter, incident, "t", venue="论坛", at=NOW - timedelta(hours=3))
    dismissed = build.incident(outlet, state="dismissed")
    build.sighting(reporter, dismissed, "t", venue="驳回的群")
    return outlet


def test_flow_runs_from_source_to_venue(analyst, seen):
    page = analyst.get("/network").get_data(as_text=True)
    assert "&lt;b&gt;西湖&lt;/b&gt;网点 → 面单群: 3" in page
    assert "总部" in page
    assert "驳回的群" not in page


def test_hours_are_the_viewers(analyst, seen):
    """06:30 UTC is 14:30 in Shanghai."""
    page = analyst.get("/network").get_data(as_text=True)
    assert "<title>14:00: 3</title>" in page
    assert "<title>11:00: 1</title>" in page


def test_venue_leads_to_its_incidents(analyst, seen):
    page = analyst.get("/network").get_data(as_text=True)
    assert "venue:%22%E9%9D%A2" in page or "venue:%22面单群" in page


def test_empty_network_says_what_comes(analyst):
    assert "Nothing has surfaced yet." in analyst.get("/network").get_data(as_text=True)


def test_many_venues_are_summed_up(analyst, build, seen):
    reporter, incident = build.reporter("r2"), build.incident(seen)
    for number in range(12):
        build.sighting(reporter, incident, f"v{number}", venue=f"venue {number}")
    page = analyst.get("/network").get_data(as_text=True)
    assert "other venues" in page


def test_overview_buttons_lead_to_the_first_steps(as_role):
    page = as_role("admin").get("/").get_data(as_text=True)
    assert 'href="/import/sources"' in page
    assert 'href="/reporters"' in page
