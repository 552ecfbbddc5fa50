"""The pages of people: invitations, changes, the second factor at sign-in."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.domain.onetime import code_at, step_of
from canary.services.access import Role
from canary.storage.tables import User
from canary.web.app import create_app
from tests.web.building import NOW, PASSWORD
from tests.web.conftest import Browser


@pytest.fixture
def admin(as_role):
    return as_role("admin")


def id_of(build, name):
    with build.open() as session:
        user = session.query(User).filter_by(name=name).one_or_none()
    return user.id if user else 99


def test_invited_person_joins_and_signs_in(app, admin, build):
    build.source("HZ-01", "杭州网点")
    page = admin.post(
        "/users/invitations", form="/users", name="wu", role="partner", source="HZ-01"
    ).get_data(as_text=True)
    code = re.search(r"/join#([\w-]+)", page)[1]
    guest = Browser(app)
    joined = guest.post("/join", code=code, new=PASSWORD, again=PASSWORD)
    assert joined.headers["Location"] == "/sign-in"
    assert guest.sign_in("wu").status_code == 303
    assert guest.get("/sources").status_code == 403


def test_code_of_an_invitation_stays_out_of_addresses(admin):
    page = admin.post("/users/invitations", form="/users", name="wu", role="analyst")
    code = re.search(r"/join#([\w-]+)", page.get_data(as_text=True))[1]
    assert code not in admin.get("/users").get_data(as_text=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "nothing", "new": PASSWORD, "again": PASSWORD},
        {"code": "nothing", "new": PASSWORD, "again": "another"},
        {"code": "x" * 600, "new": "", "again": ""},
    ],
)
def test_wrong_invitation_is_told(browser, fields):
    answer = browser.post("/join", **fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("do", "changed"),
    [
        ("off", {"is_active": False}),
        ("role", {"role": "auditor"}),
        ("reset", {"must_change_password": True}),
    ],
)
def test_change_is_kept(admin, build, do, changed):
    build.user("lin")
    assert (
        admin.post("/users", user_id=id_of(build, "lin"), do=do, role="auditor").status_code == 303
    )
    with build.open() as session:
        user = session.query(User).filter_by(name="lin").one()
    assert {name: getattr(user, name) for name in changed} == changed


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"user": "lin", "do": "dance"}, 400),
        ({"user": "the-admin", "do": "off"}, 400),
        ({"user": "lin", "do": "role", "role": "partner"}, 400),
        ({"user": "nobody", "do": "off"}, 404),
    ],
)
def test_impossible_change_is_refused(admin, build, fields, status):
    build.user("lin")
    given = {"user_id": id_of(build, fields["user"]), **fields}
    assert admin.post("/users", **given).status_code == status


def test_change_asks_for_a_fresh_sign_in(admin, build, clock):
    build.user("lin")
    clock.move(timedelta(minutes=20))
    assert admin.post("/users", user_id=id_of(build, "lin"), do="off").status_code == 403
    assert admin.post("/users/invitations", form="/users", name="wu").status_code == 403


def enrol(person):
    page = person.get("/account/second-factor").get_data(as_text=True)
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)[1]
    answer = person.post("/account/second-factor", code=code_of(secret))
    return secret, answer.get_data(as_text=True)


def code_of(secret, ahead=0):
    from base64 import b32decode

    return code_at(b32decode(secret), step_of(NOW) + ahead)


def test_second_factor_stands_before_every_page(app, browser, build):
    build.user("lin")
    browser.sign_in("lin")
    secret, page = enrol(browser)
    assert len(re.findall(r"<li>[0-9a-f-]{23}</li>", page)) == 8
    other = Browser(app)
    other.sign_in("lin")
    assert other.get("/incidents").headers["Location"] == "/sign-in/code?next=/incidents"
    good = {code_of(secret, ahead) for ahead in range(-3, 4)}
    wrong = next(code for code in (f"{number:06}" for number in range(8)) if code not in good)
    refused = other.post("/sign-in/code", code=wrong)
    assert refused.status_code == 403
    passed = other.post("/sign-in/code", code=code_of(secret, 1), next="/incidents")
    assert passed.headers["Location"] == "/incidents"
    assert other.get("/incidents").status_code == 200


def test_code_page_is_shut_without_a_password(browser, analyst):
    assert browser.get("/sign-in/code").headers["Location"] == "/sign-in"
    assert analyst.get("/sign-in/code").headers["Location"] == "/sign-in"


def test_qr_code_holds_the_secret(browser, build):
    build.user("lin")
    browser.sign_in("lin")
    page = browser.get("/account/second-factor").get_data(as_text=True)
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)[1]
    size = int(re.search(r'class="qr" viewBox="0 0 (\d+)', page)[1])
    dark = re.findall(r"M(\d+) (\d+)h1v1h-1z", page)
    assert secret in read_qr(size, [(int(x), int(y)) for x, y in dark])


def read_qr(size, dark):
    import numpy as np
    import zxingcpp

    picture = np.full((size, size), 255, dtype=np.uint8)
    for x, y in dark:
        picture[y, x] = 0
    return zxingcpp.read_barcodes(np.kron(picture, np.ones((4, 4), dtype=np.uint8)))[0].text


def test_removing_the_factor_needs_the_password(browser, build):
    build.user("lin")
    browser.sign_in("lin")
    enrol(browser)
    form = "/account/second-factor"
    assert browser.post(f"{form}/remove", form=form, password="wrong").status_code == 403
    assert browser.post(f"{form}/remove", form=form, password=PASSWORD).status_code == 303
    assert "Switch it on" in browser.get(form).get_data(as_text=True)


def test_role_that_must_sets_the_factor_up_first(parts, build):
    build.user("lin")
    build.user("su", "seeder")
    app = create_app(replace(parts, factor_roles=frozenset({Role.ANALYST})))
    person, other = Browser(app), Browser(app)
    person.sign_in("lin")
    other.sign_in("su")
    assert other.get("/sources").status_code == 200
    for path in ("/", "/incidents", "/account", "/baits"):
        assert person.get(path).headers["Location"] == "/account/second-factor"
    page = person.get("/account/second-factor").get_data(as_text=True)
    assert "need a second factor" in page
    assert 'href="/incidents"' not in page
    enrol(person)
    assert person.get("/incidents").status_code == 200


def test_unknown_time_zone_changes_nothing(analyst, build):
    analyst.post("/account", timezone="America/New_York")
    analyst.post("/account", timezone="Mars/Base")
    assert "There is no such time zone" in analyst.get("/account").text
    with build.open() as session:
        assert session.query(User).one().timezone == "America/New_York"
