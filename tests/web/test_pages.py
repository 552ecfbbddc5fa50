"""The pages answer and say what the rows hold."""

import pytest

PAGES = [
    "/", "/incidents", "/incidents.csv", "/sources", "/baits", "/account", "/password",
    "/reporters", "/inbox", "/deliveries", "/report",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_answer_when_empty(analyst, path, lang):
    assert analyst.get(f"{path}?lang={lang}").status_code == 200


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
