"""Reporters, deliveries, audit, reports by hand, reveals."""

import io
from datetime import timedelta

import pytest

from canary.domain.alerts import AlertType
from canary.services.alerts.alerting import put_alert
from canary.storage.tables import AuditEntry, Delivery, Endpoint, Exposure, InboxPost, SignIn
from tests.web.building import NOW, PASSWORD


def text_of(answer):
    return answer.get_data(as_text=True)


def test_silent_reporter_is_told(analyst, build):
    build.reporter("late-one", last_post_at=NOW - timedelta(hours=2), rhythm_seconds=3600)
    build.reporter("good-one", last_post_at=NOW - timedelta(minutes=2), rhythm_seconds=3600)
    page = text_of(analyst.get("/reporters"))
    assert page.count("dot-late") == 1
    assert "late-one is silent" in text_of(analyst.get("/"))
    assert "good-one is silent" not in text_of(analyst.get("/"))


@pytest.fixture
def dead_delivery(build):
    with build.database.write() as session:
        session.add(
            Endpoint(name="soc", format="standard", sealed_config=b"", lang="en", created_at=NOW)
        )
        session.flush()
        put_alert(session, AlertType.TEST, incident_id=None, revision=1, data={}, now=NOW)
        row = session.query(Delivery).one()
        row.state, row.attempts, row.last_status, row.finished_at = "dead", 10, 503, NOW
        return row.id


def test_dead_letter_is_given_again(analyst, build, dead_delivery):
    answer = analyst.post(f"/deliveries/{dead_delivery}/again", form="/deliveries")
    assert answer.status_code == 303
    with build.open() as session:
        row = session.get_one(Delivery, dead_delivery)
    assert (row.state, row.attempts) == ("waiting", 0)


def test_audit_log_is_searched(as_role, build):
    with build.database.write() as session:
        for actor, reason in (("lin", "a drill"), ("gu", "100%_sure")):
            session.add(
                AuditEntry(at=NOW, actor=actor, action="x", subject="incident/1", reason=reason)
            )
    page = text_of(as_role("auditor").get("/audit?q=0%25_s"))
    assert "100%_sure" in page
    assert "a drill" not in page


def test_report_by_hand_is_stored_as_written(analyst, build):
    answer = analyst.post("/report", venue="群", basis="public post", text="看到 YT123")
    assert answer.status_code == 303
    with build.open() as session:
        post = session.query(InboxPost).one()
    body = build.vault.unseal(f"inbox.sealed_body|{post.ref}", post.sealed_body)
    assert (body.decode(), post.grade) == ("看到 YT123", "manual")


def test_uploaded_file_is_kept_byte_for_byte(analyst, build):
    body = "面单 YT123".encode("gb18030") + b"\x00\xff"
    upload = (io.BytesIO(body), "../../list.txt")
    analyst.post("/report", venue="群", basis="public", file=upload)
    with build.open() as session:
        post = session.query(InboxPost).one()
    assert build.vault.unseal(f"inbox.sealed_body|{post.ref}", post.sealed_body) == body


def test_empty_report_is_refused(analyst):
    assert analyst.post("/report", venue="群", basis="x", text="  ").status_code == 400


@pytest.fixture
def bait(build):
    return build.bait(build.batch(), build.source("HZ-01"))


@pytest.fixture
def lin(browser, build):
    browser.sign_in(build.user())
    return browser


def ask(browser, bait, reason="checking a tip"):
    path = f"/baits/{bait.ref}"
    return browser.post(f"{path}/reveal", form=path, reason=reason)


def answer(browser, do="agree", request_id=1):
    return browser.post(f"/reveals/{request_id}", form="/account", do=do)


def show(browser, bait, password=PASSWORD, request_id=1):
    path = f"/baits/{bait.ref}"
    return browser.post(f"{path}/reveal/{request_id}", form="/account", password=password)


def test_bait_is_shown_once_when_two_agree(lin, bait, as_role):
    ask(lin, bait)
    assert show(lin, bait).status_code == 409
    assert answer(as_role("auditor")).status_code == 303
    assert "YT9000000000001" in text_of(show(lin, bait))
    assert show(lin, bait).status_code == 409
    assert "YT9000000000001" not in text_of(lin.get(f"/baits/{bait.ref}"))


def test_nobody_agrees_to_their_own_request(lin, bait):
    ask(lin, bait)
    assert answer(lin).status_code == 403
    assert show(lin, bait).status_code == 409


def test_agreed_bait_is_shown_to_the_asker_alone(lin, bait, as_role):
    ask(lin, bait)
    other = as_role("seeder")
    answer(other)
    refused = show(other, bait)
    assert refused.status_code in {403, 404}
    assert "YT9000000000001" not in text_of(refused)


def test_refused_request_shows_nothing(lin, bait, as_role):
    ask(lin, bait)
    answer(as_role("admin"), do="refuse")
    assert show(lin, bait).status_code == 409
    assert answer(as_role("auditor")).status_code == 409


def test_request_ends_after_a_day(browser, build, bait, as_role, clock):
    build.user()
    browser.sign_in("lin")
    ask(browser, bait)
    answer(as_role("admin"))
    clock.move(timedelta(hours=24))
    browser.sign_in("lin")
    assert show(browser, bait).status_code == 409


def test_reveal_joins_the_exposures(lin, build, bait, as_role):
    ask(lin, bait)
    answer(as_role("admin"))
    show(lin, bait)
    with build.open() as session:
        exposure = session.query(Exposure).filter_by(origin="reveal").one()
        entry = session.query(AuditEntry).filter_by(action="bait.revealed").one()
    assert (exposure.reader, exposure.since) == ("lin", NOW)
    assert (entry.subject, entry.reason) == (f"bait/{bait.ref}", "checking a tip")
    assert entry.details == {"agreed_by": "the-admin"}


def test_reveal_without_a_reason_is_refused(lin, build, bait):
    assert ask(lin, bait, " ").status_code == 400
    assert "Nobody has asked" in text_of(lin.get("/reveals"))


def test_wrong_password_shows_and_notes_nothing(lin, build, bait, as_role):
    ask(lin, bait)
    answer(as_role("admin"))
    refused = show(lin, bait, "wrong")
    assert refused.status_code == 403
    assert "YT9000000000001" not in text_of(refused)
    with build.open() as session:
        assert session.query(Exposure).filter_by(origin="reveal").count() == 0


def test_own_sign_in_is_ended_from_the_list(analyst, build, app, browser):
    browser.sign_in(build.user())
    other = type(browser)(app)
    other.sign_in("lin")
    with build.open() as session:
        newest = max(row.id for row in session.query(SignIn))
    assert browser.post(f"/account/sign-ins/{newest}/end", form="/account").status_code == 303
    assert other.get("/").status_code == 303


def test_sign_in_of_another_person_stays(analyst, browser, build):
    browser.sign_in(build.user())
    with build.open() as session:
        newest = max(row.id for row in session.query(SignIn))
    assert analyst.post(f"/account/sign-ins/{newest}/end", form="/account").status_code == 404
    assert browser.get("/").status_code == 200


def test_refreshing_queue_is_not_presence(analyst, build, clock):
    clock.move(timedelta(minutes=20))
    analyst.get("/incidents", headers={"X-Canary-Live": "1"})
    clock.move(timedelta(minutes=15))
    assert analyst.get("/incidents").status_code == 303


def test_exported_list_defuses_formulas(analyst, build):
    source = build.source("=1+1", "@SUM(A1)")
    build.incident(source)
    table = text_of(analyst.get("/incidents.csv"))
    assert table.startswith("\ufeff")
    assert '"\'=1+1"' in table
    assert '"\'@SUM(A1)"' in table
