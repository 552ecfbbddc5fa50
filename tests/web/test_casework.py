"""The queue's form: pick, do, undo; and searches kept under a name."""

import re

import pytest

from canary.storage.tables import Incident, SavedView


@pytest.fixture
def three(build):
    source = build.source("HZ-01", "杭州网点")
    return [build.incident(source) for _ in range(3)]


def work(browser, action, rows, **more):
    picks = [f"{row.id}/{row.version}" for row in rows]
    return browser.post("/incidents/work", form="/incidents", action=action, pick=picks, **more)


def states(build):
    with build.open() as session:
        return [row.state for row in session.query(Incident).order_by(Incident.id)]


def undo(browser):
    return browser.post("/incidents/undo", form="/incidents")


def test_bulk_dismissal_is_told_and_undone(analyst, build, three):
    answer = work(analyst, "dismiss", three[:2], reason="a drill", q="state:open")
    assert answer.headers["Location"].endswith("/incidents?q=state:open")
    assert states(build) == ["dismissed", "dismissed", "open"]
    page = analyst.get("/incidents").get_data(as_text=True)
    assert "2 incidents done." in page
    assert 'id="undo"' in page
    undo(analyst)
    assert states(build) == ["open"] * 3


def test_bulk_dismissal_needs_a_reason(analyst, build, three):
    work(analyst, "dismiss", three)
    assert states(build) == ["open"] * 3
    assert "a decision needs a reason" in analyst.get("/incidents").get_data(as_text=True)


def test_undo_ends_after_a_while(analyst, build, three, clock):
    from datetime import timedelta

    work(analyst, "dismiss", three, reason="a drill")
    clock.move(timedelta(minutes=11))
    undo(analyst)
    assert states(build) == ["dismissed"] * 3


def test_decision_can_be_undone_from_its_page(analyst, build, three):
    path = f"/incidents/{three[0].id}"
    analyst.post(f"{path}/decision", form=path, decision="dismiss", reason="r", version="1")
    assert 'id="undo"' in analyst.get(path).get_data(as_text=True)
    answer = analyst.post("/incidents/undo", form=path, incident=str(three[0].id))
    assert answer.headers["Location"].endswith(path)
    assert states(build)[0] == "open"


@pytest.mark.parametrize("pick", ["", "x/1", "1", "1/", "9" * 40 + "/1", "１/1"])
def test_made_up_pick_changes_nothing(analyst, build, three, pick):
    answer = analyst.post("/incidents/work", form="/incidents", action="wake", pick=pick)
    assert answer.status_code == 303
    assert "choose the incidents first" in analyst.get("/incidents").get_data(as_text=True)


def test_assigned_incident_shows_its_worker(analyst, three):
    work(analyst, "assign", three[:1], assignee="me")
    assert "the-analyst" in re.sub(
        r"(?s)<header.*?</header>",
        "",
        analyst.get("/incidents?q=assignee:me").get_data(as_text=True),
    )
    page = analyst.get(f"/incidents/{three[0].id}").get_data(as_text=True)
    assert "Assigned to the-analyst." in page


def test_unknown_key_is_told_in_the_page(analyst, three):
    answer = analyst.get("/incidents?q=colour:red")
    assert answer.status_code == 400
    assert "there is no such key" in answer.get_data(as_text=True)


def test_kept_view_is_one_click(analyst, as_role, build, three):
    def keep(name, **more):
        return analyst.post("/incidents/views", form="/incidents", name=name, q="state:all", **more)

    keep("Everything", shared="yes")
    keep("Mine alone")
    other = as_role("auditor").get("/incidents").get_data(as_text=True)
    assert "Everything" in other
    assert "Mine alone" not in other
    with build.open() as session:
        number = session.query(SavedView).filter_by(name="Everything").one().id
    refused = as_role("seeder").post(f"/incidents/views/{number}/drop", form="/incidents")
    assert refused.status_code == 404
    analyst.post(f"/incidents/views/{number}/drop", form="/incidents")
    assert "Everything" not in analyst.get("/incidents").get_data(as_text=True)


def test_split_by_form_opens_a_new_incident(analyst, build, three):
    reporter, source = build.reporter(), build.source("HZ-02")
    bait = build.bait(build.batch(), source)
    first, _ = (
        build.sighting(reporter, three[0], f"found {n}", [(bait, "found", "number")])
        for n in range(2)
    )
    with build.open() as session:
        version = session.get_one(Incident, three[0].id).version
    path = f"/incidents/{three[0].id}"
    answer = analyst.post(
        f"{path}/split",
        form=path,
        version=str(version),
        sighting=first.ref,
        reason="another seller",
    )
    fresh = analyst.get(answer.headers["Location"]).get_data(as_text=True)
    assert "This is the new incident." in fresh
    assert first.ref in fresh or "found 0" in fresh


def test_snoozed_incidents_are_told_and_woken(analyst, three):
    work(analyst, "snooze", three[:2], days="3")
    page = analyst.get("/incidents").get_data(as_text=True)
    assert "2 snoozed incidents are hidden" in page
    asleep = [type(row)(id=row.id, version=row.version + 1) for row in three[:2]]
    work(analyst, "wake", asleep, q="snoozed:yes")
    assert "are hidden" not in analyst.get("/incidents").get_data(as_text=True)
