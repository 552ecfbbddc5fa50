"""Decisions: with a reason, once, and never over somebody else's."""

import pytest

from canary.domain.errors import Conflict
from canary.domain.incidents import Decision
from canary.services.cases import review
from canary.storage.tables import Alert, AuditEntry, Incident
from tests.web.building import NOW


@pytest.fixture
def incident(build):
    return build.incident(build.source("HZ-01"))


def decide(browser, incident, decision="confirm", reason="the outlet admitted it", version=1):
    return browser.post(
        f"/incidents/{incident.id}/decision",
        form=f"/incidents/{incident.id}",
        decision=decision,
        reason=reason,
        version=str(version),
    )


def test_confirmed_incident_keeps_its_reason(analyst, build, incident):
    assert decide(analyst, incident).status_code == 303
    with build.open() as session:
        row = session.get_one(Incident, incident.id)
        entry = session.query(AuditEntry).filter_by(action="incident.confirmed").one()
    assert (row.state, row.decided_by, row.version) == ("confirmed", "the-analyst", 2)
    assert entry.reason == "the outlet admitted it"


def test_decision_is_told_after_the_form(analyst, incident):
    decide(analyst, incident)
    page = analyst.get(f"/incidents/{incident.id}").get_data(as_text=True)
    assert "Saved: Confirm" in page
    assert "the outlet admitted it" in page


def test_closing_puts_an_alert_into_the_outbox(analyst, build, incident):
    decide(analyst, incident)
    with build.open() as session:
        alert = session.query(Alert).one()
    assert (alert.type, alert.incident_id) == ("incident.closed", incident.id)


def test_second_closing_is_told_too(analyst, build, incident):
    decide(analyst, incident)
    decide(analyst, incident, "reopen", "new evidence", 2)
    decide(analyst, incident, "dismiss", "a drill", 3)
    with build.open() as session:
        assert session.query(Alert).count() == 2


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001])
def test_decision_needs_a_fair_reason(analyst, build, incident, reason):
    assert decide(analyst, incident, reason=reason).status_code == 400
    with build.open() as session:
        assert session.get_one(Incident, incident.id).state == "open"


@pytest.mark.parametrize("version", ["x", "", "9" * 40, "１"])
def test_made_up_version_is_a_bad_request(analyst, incident, version):
    assert decide(analyst, incident, version=version).status_code == 400


def test_stale_page_keeps_the_typed_reason(analyst, build, incident):
    decide(analyst, incident)
    answer = decide(analyst, incident, "reopen", "my careful words", version=1)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "my careful words" in page
    assert "You looked at version 1; this is version 2." in page


def test_reopening_beside_an_open_one_is_a_conflict(analyst, build, incident):
    decide(analyst, incident, "dismiss")
    twin = build.incident()
    with database_of(build).write() as session:
        session.get_one(Incident, twin.id).scope = incident.scope
    assert decide(analyst, incident, "reopen", version=2).status_code == 409


def database_of(build):
    return build.database


@pytest.mark.parametrize("decision", ["reopen", "merge", ""])
def test_impossible_decision_is_refused(analyst, incident, decision):
    assert decide(analyst, incident, decision).status_code in {400, 409}


def test_two_decisions_at_once_leave_one(build, database, incident):
    """Both have looked at version 1; the second writer's condition finds no row."""
    build.signed_in("a", "analyst")
    viewer = find(database, "reference of a")
    with database.read() as session:
        review_kwargs = {
            "reason": "r",
            "version": 1,
            "viewer": viewer,
            "now": NOW,
            "public_url": "http://localhost",
        }
        session.get_one(Incident, incident.id)
        with database.write() as first:
            review.decide(first, incident.id, decision=Decision.CONFIRM, **review_kwargs)
        with pytest.raises(Conflict), database.write() as second:
            review.decide(second, incident.id, decision=Decision.DISMISS, **review_kwargs)


def find(database, reference):
    from canary.services.access import find_viewer

    return find_viewer(database, reference, NOW)
