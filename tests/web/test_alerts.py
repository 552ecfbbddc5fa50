"""Endpoints, routes, expected sightings and acknowledging, as people use them."""

from datetime import timedelta

import pytest

from canary.storage.tables import Delivery, Endpoint, ExpectedSighting, Incident, RoutingRule
from tests.web.building import NOW


@pytest.fixture
def admin(as_role):
    return as_role("admin")


def save(admin, **more):
    fields = {"name": "team", "url": "https://x.example/hook", "format": "standard", "lang": "en"}
    return admin.post("/endpoints", **{**fields, **more})


def text_of(answer):
    return answer.get_data(as_text=True)


def rows(build, kind):
    with build.open() as session:
        return session.query(kind).all()


def test_saving_sends_a_test(admin, parts, build):
    assert save(admin).status_code == 303
    assert [message.type for message in parts.sender.sent] == ["endpoint.test"]
    assert "the test message was taken" in text_of(admin.get("/endpoints"))
    assert len(rows(build, Endpoint)) == 1


def test_refused_test_is_told_shortly(admin, parts):
    from webhooks.errors import DeliveryError

    parts.sender.failures = [DeliveryError("answered 500", answer="10.0.0.7 secret-page")]
    save(admin)
    page = text_of(admin.get("/endpoints"))
    assert "the test message was not taken" in page
    assert "10.0.0.7" not in page


def test_stale_sign_in_changes_nothing(admin, clock, build):
    clock.move(timedelta(minutes=20))
    assert save(admin).status_code == 403
    assert rows(build, Endpoint) == []


def test_wrong_quiet_hours_are_refused(admin, build):
    answer = save(admin, quiet_from="22:00")
    assert answer.status_code == 400
    assert "quiet hours need both times" in text_of(answer)
    assert rows(build, Endpoint) == []


def test_switching_off_is_announced(admin, build):
    save(admin)
    admin.post("/endpoints/team/switch", form="/endpoints", state="off")
    assert [row.is_active for row in rows(build, Endpoint)] == [False]
    assert len(rows(build, Delivery)) == 1


def test_rule_is_previewed_then_saved(admin, build):
    save(admin)
    page = text_of(admin.get("/routing?endpoint=team&verdict=probable"))
    assert "With this rule" in page
    assert rows(build, RoutingRule) == []
    admin.post("/routing", endpoint="team", verdict="probable", after="15")
    assert [row.after_minutes for row in rows(build, RoutingRule)] == [15]
    assert "after 15 minutes" in text_of(admin.get("/routing"))


def test_rule_can_be_removed(admin, build):
    save(admin)
    admin.post("/routing", endpoint="team", region="33")
    admin.post(f"/routing/{rows(build, RoutingRule)[0].id}/remove", form="/routing")
    assert rows(build, RoutingRule) == []


def test_changing_rules_asks_for_a_fresh_sign_in(admin, build, clock):
    save(admin)
    admin.post("/routing", endpoint="team", region="33")
    (rule,) = rows(build, RoutingRule)
    clock.move(timedelta(minutes=20))
    assert admin.post("/routing", endpoint="team", region="44").status_code == 403
    answer = admin.post(f"/routing/{rule.id}/remove", form="/routing")
    assert answer.status_code == 403
    assert "Sign in again" in text_of(answer)
    assert len(rows(build, RoutingRule)) == 1


@pytest.mark.parametrize("path", ["/routing?endpoint=nobody", "/routing?endpoint=team&region=x"])
def test_wrong_preview_is_told(admin, path):
    save(admin)
    assert admin.get(path).status_code == 400


def test_expected_sighting_is_previewed_then_saved(analyst, build):
    rule = {"reason": "own sms", "kind": "sms", "sender": "95554", "days": "30"}
    page = text_of(analyst.post("/expected", **rule, do="preview"))
    assert "would have covered 0 of the 0" in page
    assert rows(build, ExpectedSighting) == []
    analyst.post("/expected", **rule, do="save")
    assert "own sms" in text_of(analyst.get("/expected"))
    rule_id = rows(build, ExpectedSighting)[0].id
    analyst.post(f"/expected/{rule_id}/end", form="/expected")
    assert rows(build, ExpectedSighting)[0].expires_at == NOW


def test_expecting_asks_for_a_fresh_sign_in(analyst, build, clock):
    clock.move(timedelta(minutes=20))
    rule = {"reason": "own sms", "kind": "sms", "sender": "95554", "days": "30"}
    assert analyst.post("/expected", **rule, do="preview").status_code == 200
    answer = analyst.post("/expected", **rule, do="save")
    assert (answer.status_code, rows(build, ExpectedSighting)) == (403, [])
    assert "Sign in again" in text_of(answer)


def test_wide_expectation_is_refused(analyst, build):
    answer = analyst.post("/expected", reason="r", kind="listing", venue="x", days="3", do="save")
    assert answer.status_code == 400
    assert "the scope is too wide" in text_of(answer)


def test_incident_is_acknowledged(analyst, build):
    incident = build.incident(build.source("HZ-01"))
    page = f"/incidents/{incident.id}"
    assert "Nobody has acknowledged it yet" in text_of(analyst.get(page))
    analyst.post(f"{page}/acknowledge", form=page, snooze="yes")
    row = rows(build, Incident)[0]
    assert (row.acknowledged_by, row.snoozed_version) == ("the-analyst", 0)
    assert "Snoozed until new evidence" in text_of(analyst.get(page))


@pytest.mark.parametrize("name", ["endpoint", "_external", "_anchor", "_method", "_scheme"])
def test_query_cannot_break_a_page(browser, name):
    """Names that the builder of addresses takes for its own made every page a 500."""
    assert browser.get(f"/sign-in?{name}=x").status_code == 200


@pytest.mark.parametrize("path", ["/endpoints", "/routing", "/expected"])
def test_pages_speak_chinese(admin, path):
    save(admin)
    assert "告警" in text_of(admin.get(f"{path}?lang=zh"))


def test_hostile_rule_stays_text(analyst):
    hostile = "<script>alert(1)</script>"
    analyst.post("/expected", reason=hostile, kind="sms", sender=hostile, days="3", do="save")
    page = text_of(analyst.get("/expected"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
