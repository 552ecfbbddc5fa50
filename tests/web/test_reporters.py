"""Setting a sender up: what is shown to whom, the example, the test, the secret's change."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from canary.services.inbox.intake import keep_dead_post
from canary.storage.tables import AuditEntry, Drill, InboxPost, Rematch, Reporter
from canary.web.app import create_app
from canary.web.parts import WebParts
from canary.web.setups import SETUPS
from tests.fakes import FakePoster
from tests.web.building import Builder
from tests.web.conftest import Browser
from webhooks.inbound.registry import READERS
from webhooks.reports import Post

WANTED = {
    "name": "rack",
    "format": "smsforwarder",
    "channel_class": "arrival",
    "proof": "secret",
    "rhythm": "12",
}


@pytest.fixture
def admin(as_role: Callable[..., Browser]) -> Browser:
    return as_role("admin")


def only(build: Builder, kind: Any) -> Any:
    with build.open() as session:
        return session.query(kind).one()


def test_every_format_has_its_steps() -> None:
    assert list(SETUPS) == sorted(SETUPS, key=list(READERS).index) or set(SETUPS) == set(READERS)


def test_reporter_is_added_and_led_to_its_page(admin: Browser, build: Builder) -> None:
    answer = admin.post("/reporters", form="/reporters/new", **WANTED)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/reporters/rack")
    page = admin.get("/reporters/rack").get_data(as_text=True)
    assert "http://localhost/hooks/rack" in page
    assert "[org_content]" in page
    assert only(build, Reporter).rhythm_seconds == 43_200


@pytest.mark.parametrize(
    "wrong", [{"name": "a b"}, {"format": "x"}, {"channel_class": "x"}, {"source": "NOWHERE"}]
)
def test_wrong_form_is_told(admin: Browser, wrong: dict[str, str]) -> None:
    answer = admin.post("/reporters", form="/reporters/new", **{**WANTED, **wrong})
    assert answer.status_code == 400
    assert "notice-bad" in answer.get_data(as_text=True)


def test_secrets_are_shown_to_administrators_and_noted(
    admin: Browser, as_role: Callable[..., Browser], build: Builder
) -> None:
    admin.post("/reporters", form="/reporters/new", **{**WANTED, "proof": "path"})
    plain = as_role("analyst").get("/reporters/rack").get_data(as_text=True)
    assert "/hooks/rack/…" in plain
    shown = admin.post("/reporters/rack/secrets", form="/reporters/rack").get_data(as_text=True)
    assert "curl -X POST http://localhost/hooks/rack/" in shown
    with build.open() as session:
        entry = session.query(AuditEntry).filter_by(action="reporter.secrets_shown").one()
    assert (entry.actor, entry.subject) == ("the-admin", "reporter/rack")


@pytest.mark.parametrize("shape", READERS)
def test_every_format_shows_its_example(admin: Browser, shape: str) -> None:
    admin.post("/reporters", form="/reporters/new", **{**WANTED, "format": shape})
    shown = admin.post("/reporters/rack/secrets", form="/reporters/rack")
    assert shown.status_code == 200
    assert "curl -X" in shown.get_data(as_text=True)


@pytest.mark.parametrize(("status", "said"), [(202, "On its way"), (401, "answered 401")])
def test_test_tells_what_came_back(
    parts: WebParts, build: Builder, as_role: Callable[..., Browser], status: int, said: str
) -> None:
    poster = FakePoster(status=status)
    admin = _in_app(create_app(replace(parts, poster=poster)), build)
    admin.post("/reporters", form="/reporters/new", **WANTED)
    assert admin.post("/reporters/rack/test", form="/reporters/rack").status_code == 303
    assert said in admin.get("/reporters/rack").get_data(as_text=True)
    assert poster.posted[0].path == "rack"
    assert only(build, Drill).status == status


def _in_app(app: Flask, build: Builder) -> Browser:
    browser = Browser(app)
    reference = build.signed_in("root", "admin")
    with browser.client.session_transaction() as session:
        session["ref"] = reference
    return browser


def test_second_secret_and_switch(admin: Browser, build: Builder) -> None:
    admin.post("/reporters", form="/reporters/new", **WANTED)
    admin.post("/reporters/rack/rotate", form="/reporters/rack", step="begin")
    assert "two secrets" in admin.get("/reporters/rack").get_data(as_text=True)
    admin.post("/reporters/rack/rotate", form="/reporters/rack", step="finish")
    admin.post("/reporters/rack/switch", form="/reporters/rack", state="off")
    assert not only(build, Reporter).is_active


def test_unknown_reporter_is_404(admin: Browser) -> None:
    assert admin.get("/reporters/nobody").status_code == 404


@pytest.mark.parametrize(
    ("kind", "said", "state"),
    [
        ("text/html", "It will be tried again.", "waiting"),
        ("image/png", "It still cannot be read.", "dead"),
    ],
)
def test_dead_letter_is_tried_again(
    analyst: Browser, build: Builder, parts: WebParts, kind: str, said: str, state: str
) -> None:
    post = Post(
        method="POST",
        url="http://localhost/hooks/x",
        headers={"content-type": kind},
        body=b"78901234567890",
        remote_address="127.0.0.1",
        received_at=parts.clock(),
    )
    reporter = build.reporter(format="page").id
    keep_dead_post(parts.database, parts.vault, reporter, post, "once unreadable", grade="weak")
    ref = only(build, InboxPost).ref
    analyst.post(f"/inbox/{ref}/again", form="/inbox?state=dead")
    assert said in analyst.get("/inbox").get_data(as_text=True)
    assert only(build, InboxPost).state == state


def test_rematch_is_asked_for_and_shown(analyst: Browser, build: Builder) -> None:
    analyst.post("/inbox/rematch", form="/inbox")
    assert only(build, Rematch).requested_by == "the-analyst"
    assert "0 of 0 looked at" in analyst.get("/inbox").get_data(as_text=True)


@pytest.mark.parametrize(("status", "missed"), [(202, False), (401, True)])
def test_drill_goes_through_every_reporter(parts, build, status, missed):
    poster = FakePoster(status=status)
    admin = _in_app(create_app(replace(parts, poster=poster)), build)
    for name in ("rack", "web"):
        build.reporter(name)
    assert admin.post("/drill", form="/reporters").status_code == 303
    assert [one.path for one in poster.posted] == ["rack", "web"]
    page = admin.get("/reporters").get_data(as_text=True)
    assert "2 test messages sent." in page
    assert ("Not taken: rack, web" in page) == missed
