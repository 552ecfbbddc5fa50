"""What browsers are told, and which forms are believed."""

import re
from dataclasses import replace
from ipaddress import ip_network

import pytest

from canary.web.app import create_app
from canary.web.auth import is_local_path
from canary.web.headers import POLICY
from tests.web.building import PASSWORD
from tests.web.conftest import Browser

UNSAFE = ["/sign-in", "/sign-out", "/password", "/account", "/incidents/1/decision"]


@pytest.mark.parametrize("path", ["/sign-in", "/", "/nothing", "/healthz", "/static/site.css"])
def test_every_answer_carries_the_headers(browser, path):
    headers = browser.get(path).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_policy_allows_nothing_inline():
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'none';")


def test_pages_behind_the_sign_in_are_not_kept(analyst):
    assert analyst.get("/").headers["Cache-Control"] == "no-store"


def test_cookie_is_out_of_reach_for_scripts(browser, build):
    cookie = browser.sign_in(build.user()).headers["Set-Cookie"]
    assert cookie.startswith("canary=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_https_cookie_is_bound_to_the_host(parts, build):
    browser = Browser(create_app(replace(parts, public_url="https://canary.example")))
    answer = browser.get("/sign-in", base_url="https://canary.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-canary=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


@pytest.mark.parametrize("path", UNSAFE)
def test_form_without_its_token_is_refused(analyst, path):
    answer = analyst.client.post(path, data={"name": "a", "password": "b"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
    ],
)
def test_form_from_elsewhere_is_refused(analyst, path, headers):
    page = analyst.get("/account").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = analyst.client.post(path, data={"csrf_token": token}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://localhost"}, {"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {}],
)
def test_our_own_form_is_taken(analyst, headers):
    page = analyst.get("/account").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "lang": "zh"}
    assert analyst.client.post("/account", data=data, headers=headers).status_code == 303


def test_sign_in_starts_a_new_session(browser, build):
    browser.get("/sign-in")
    before = browser.client.get_cookie("canary").value
    browser.sign_in(build.user())
    assert browser.client.get_cookie("canary").value != before


def test_old_cookie_is_dead_after_sign_out(browser, build):
    browser.sign_in(build.user())
    cookie = browser.client.get_cookie("canary").value
    browser.post("/sign-out", form="/account")
    browser.client.set_cookie("canary", cookie)
    assert browser.get("/").status_code == 303


def test_one_time_password_must_be_changed_first(browser, build):
    browser.sign_in(build.user("new", must_change_password=True))
    assert browser.get("/incidents").headers["Location"] == "/password"
    new = "green boats under bridges"
    answer = browser.post("/password", old=PASSWORD, new=new, again=new)
    assert answer.headers["Location"] == "/"
    assert browser.get("/incidents").status_code == 200


def test_many_attempts_from_one_address_wait(browser):
    codes = [browser.sign_in("nobody", "x").status_code for _ in range(21)]
    assert codes == [403] * 20 + [429]


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/incidents?state=open", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example", False),
        ("/\t/evil.example", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_local_paths_are_followed(path, local):
    assert is_local_path(path) == local


def test_sign_in_leads_back_where_one_was_going(browser, build):
    build.user()
    onward = browser.get("/incidents?verdict=weak").headers["Location"]
    assert onward == "/sign-in?next=/incidents?verdict%3Dweak"
    answer = browser.post("/sign-in", name="lin", password=PASSWORD, next="/incidents")
    assert answer.headers["Location"] == "/incidents"


def test_errors_speak_both_languages(browser):
    assert "There is no such page" in browser.get("/nothing?lang=en").get_data(as_text=True)
    assert "页面不存在" in browser.get("/nothing?lang=zh").get_data(as_text=True)


def test_missing_page_keeps_the_menu(analyst, browser):
    assert 'class="main-nav"' in analyst.get("/nothing").text
    assert 'class="main-nav"' not in browser.get("/nothing").text


def test_failing_part_is_told_by_readyz(parts):
    browser = Browser(create_app(replace(parts, alive=lambda: {"jobs": False})))
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "failing", "checks": {"database": True, "jobs": False}}


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "status"),
    [
        ("10.2.3.4", None, 0, 200),
        ("::ffff:10.2.3.4", None, 0, 200),
        ("::1", None, 0, 200),
        ("10.3.3.4", None, 0, 401),
        # A proxy nobody declared: its address says nothing about who asks.
        ("10.2.3.4", "203.0.113.9", 0, 401),
        ("10.2.3.4", "203.0.113.9", 1, 401),
        ("10.9.9.9", "10.2.3.4", 1, 200),
        ("10.9.9.9", "10.2.3.4, 203.0.113.9", 1, 401),
    ],
)
def test_allowed_network_reads_the_gauges(parts, peer, forwarded, proxies, status):
    allowed = (ip_network("10.2.0.0/16"), ip_network("::1/128"))
    app = create_app(replace(parts, metrics_allow=allowed, trusted_proxies=proxies))
    answer = app.test_client().get(
        "/metrics",
        headers={"X-Forwarded-For": forwarded} if forwarded else {},
        environ_base={"REMOTE_ADDR": peer},
    )
    assert answer.status_code == status


def test_number_no_row_can_have_is_not_found(app, as_role):
    admin = as_role("admin")
    rules = [rule for rule in app.url_map.iter_rules() if "<int:" in rule.rule]
    for rule in rules:
        path = re.sub(r"<[^>]+>", "9" * 23, rule.rule)
        assert (
            admin.client.open(path, method=min(rule.methods - {"HEAD", "OPTIONS"})).status_code
            == 404
        )
