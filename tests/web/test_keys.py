"""API keys in the dashboard, and the gauges a key opens."""

import re
from datetime import timedelta

import pytest

from tests.web.building import NOW

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z]+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+]+$')


@pytest.fixture
def admin(as_role):
    return as_role("admin")


def make(admin, *scopes, days="90"):
    page = admin.post("/keys", name="grafana", days=days, scope=list(scopes))
    found = re.search(r'class="secret">(wck_[^<]+)<', page.get_data(as_text=True))
    return found[1] if found else page.status_code


def ask(browser, key):
    return browser.client.get("/metrics", headers={"Authorization": f"Bearer {key}"})


def test_key_is_shown_once(admin):
    key = make(admin, "metrics:read")
    page = admin.get("/keys").get_data(as_text=True)
    assert key not in page
    assert "_".join(key.split("_")[:2]) in page


@pytest.mark.parametrize(
    ("scopes", "days"),
    [((), "90"), (("king",), "90"), (("audit:read",), "0"), (("audit:read",), "999")],
)
def test_impossible_key_is_refused(admin, scopes, days):
    assert make(admin, *scopes, days=days) == 400


def test_key_opens_the_gauges(admin, browser, build):
    build.reporter('odd "name"\\', last_post_at=NOW - timedelta(minutes=2))
    build.incident()
    answer = ask(browser, make(admin, "metrics:read"))
    lines = answer.get_data(as_text=True).splitlines()
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert [line for line in lines if not line.startswith("# ") and not SAMPLE.match(line)] == []
    assert 'canary_incidents_open{verdict="probable"} 1' in lines
    assert 'canary_reporter_last_post_seconds{reporter="odd \\"name\\"\\\\"} 120' in lines


def test_gauges_are_shut_without_a_key(browser, admin):
    assert browser.get("/metrics").status_code == 401
    assert admin.get("/metrics").status_code == 401
    assert ask(browser, "wck_K-000_wrong").status_code == 401
    assert ask(browser, "x" * 10_000).status_code == 401


def test_key_without_the_scope_is_refused(admin, browser):
    assert ask(browser, make(admin, "audit:read")).status_code == 403


def test_revoked_and_expired_keys_open_nothing(admin, browser, clock):
    first, second = make(admin, "metrics:read"), make(admin, "metrics:read", days="1")
    admin.post(f"/keys/{first.split('_')[1]}/revoke", form="/keys")
    assert ask(browser, first).status_code == 401
    assert ask(browser, second).status_code == 200
    clock.move(timedelta(days=1))
    assert ask(browser, second).status_code == 401


def test_making_a_key_asks_for_a_fresh_sign_in(admin, clock):
    clock.move(timedelta(minutes=20))
    assert make(admin, "metrics:read") == 403
