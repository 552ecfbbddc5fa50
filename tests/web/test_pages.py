"""The pages answer and say what the rows hold."""

import re
from datetime import timedelta

import pytest

from tests.web.crowd import add_one, list_pages, list_plain_pages


@pytest.fixture
def admin(as_role):
    return as_role("admin")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_answer_when_empty(app, admin, lang):
    """A fresh installation has nothing to show, and says so on every page."""
    codes = {path: admin.get(f"{path}?lang={lang}").status_code for path in list_plain_pages(app)}
    assert {path: code for path, code in codes.items() if code != 200} == {}


def test_every_page_has_its_own_title_and_one_heading(app, admin, build):
    titles, faults = {}, {}
    for endpoint, path in list_pages(app, add_one(build, 0, "a thing")).items():
        page = admin.get(path).get_data(as_text=True)
        title = re.search(r"<title>([^<]*)</title>", page)[1]
        if page.count("<h1") != 1 or title in titles:
            faults[endpoint] = (page.count("<h1"), title, titles.get(title))
        titles[title] = endpoint
    assert faults == {}


@pytest.fixture
def case(build):
    head = build.source("HQ", "总部", kind="system")
    outlet = build.source("HZ-01", "杭州文三路网点", parent=head)
    bait = build.bait(build.batch(), outlet)
    incident = build.incident(
        outlet,
        result={
            "posteriors": {"HZ-01": 0.982, "HQ": 0.01},
            "p_no_leak": 0.008,
            "excluded": {"HQ": "COVERED"},
            "explanations": {"en": {"headline": "Copies given to HZ-01 surfaced."}},
        },
    )
    number = f"YT90{int(bait.ref[2:]):011d}"
    build.sighting(build.reporter(), incident, f"出售 {number} 林晚舟", [(bait, number, "number")])
    return incident


def test_incident_page_names_the_source(analyst, case):
    page = analyst.get(f"/incidents/{case.id}").get_data(as_text=True)
    assert "Copies given to HZ-01 surfaced." in page
    assert "98.2 %" in page


def test_incident_page_marks_the_match(analyst, case):
    page = analyst.get(f"/incidents/{case.id}").get_data(as_text=True)
    assert 'class="mark-exact"' in page
    assert ">YT90" in page


def test_missing_incident_is_not_found(analyst):
    assert analyst.get("/incidents/99").status_code == 404


def test_source_page_tells_exposures_and_background(analyst, build):
    """One message in the nine days before the bait bore the phone."""
    source, phone = build.source("HZ-01"), build.phone()
    bait = build.bait(build.batch(), source, phone_id=phone.id)
    with build.database.write() as session:
        session.get_one(type(phone), phone.id).created_at = bait.issued_at - timedelta(days=4)
    early = bait.issued_at - timedelta(days=1)
    build.sighting(build.reporter(), build.incident(), "x", arrival=(bait, phone), at=early)
    page = analyst.get("/sources/HZ-01").get_data(as_text=True)
    assert "0.25 <small" in page
    assert "Placement</dt>" in page


def test_tree_tells_the_risk(analyst, build):
    build.incident(build.source("A"), "confirmed")
    build.incident(build.source("B"), "weak")
    build.source("C")
    page = analyst.get("/sources").get_data(as_text=True)
    for risk in ("named", "suspected", "blind"):
        assert page.count(f"chip-risk-{risk}") == 1
