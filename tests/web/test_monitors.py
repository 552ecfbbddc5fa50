"""Watched pages in the dashboard: set up, tried, looked at, changed; the address kept close."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from canary.services.monitors.keeping import open_address
from canary.storage.tables import AuditEntry, InboxPost, Monitor, Reporter
from canary.storage.vault import Vault
from tests.fakes import FakeFetcher
from tests.web.building import Builder, Clock
from tests.web.conftest import Browser

URL = "https://danhao.example/list?sid=4711"
PAGE = "<table><tr><td>78901234567801</td><td>林晚舟</td></tr></table>"
WANTED = {"name": "danhao", "url": URL, "kind": "page", "rhythm": "10", "basis": "public page"}


@pytest.fixture
def admin(as_role: Callable[..., Browser]) -> Browser:
    return as_role("admin")


@pytest.fixture
def watched(admin: Browser, site: FakeFetcher) -> Browser:
    site.put(URL, PAGE)
    assert add(admin).status_code == 303
    return admin


def add(admin: Browser, **other: str) -> Any:
    return admin.post("/monitors", form="/monitors/new", **{**WANTED, **other})


def press(browser: Browser, what: str, **fields: str) -> Any:
    return browser.post(f"/monitors/danhao/{what}", form="/monitors/danhao", **fields)


def rows(build: Builder, kind: Any, **where: Any) -> list[Any]:
    with build.open() as session:
        return list(session.query(kind).filter_by(**where))


def test_page_shows_the_set_up_without_the_session(watched: Browser) -> None:
    page = watched.get("/monitors/danhao").get_data(as_text=True)
    assert "https://danhao.example/list?…" in page
    assert "public page" in page
    assert "4711" not in page
    assert "not looked at yet" in watched.get("/monitors").get_data(as_text=True)


def test_try_shows_masked_rows_and_files_nothing(
    watched: Browser, build: Builder, vault: Vault
) -> None:
    build.bait(build.batch(), build.source("HZ"))
    with build.open() as session:
        before = session.query(AuditEntry).count()
    page = press(watched, "try").get_data(as_text=True)
    assert "1 new, 0 gone; nothing was filed." in page
    assert "林晚舟" in page
    assert rows(build, InboxPost) == []
    assert len(rows(build, AuditEntry)) == before


def test_look_now_is_kept_and_told(watched: Browser, build: Builder) -> None:
    press(watched, "check")
    page = watched.get("/monitors/danhao").get_data(as_text=True)
    assert "changed" in page
    assert len(rows(build, InboxPost)) == 1


def test_trouble_is_told_in_words(watched: Browser, site: FakeFetcher) -> None:
    site.put(URL, "", 403)
    press(watched, "check")
    page = watched.get("/monitors").get_data(as_text=True)
    assert "blocked" in page
    assert "it answered 403" in page
    told = watched.get("/monitors?lang=zh").get_data(as_text=True)
    assert "答复为 403" in told


@pytest.mark.parametrize(
    "wrong",
    [{"name": "a b"}, {"basis": ""}, {"rhythm": "0"}, {"selector": "a["}, {"charset": "klingon"}],
)
def test_wrong_form_is_told_and_kept(admin: Browser, build: Builder, wrong: dict[str, str]) -> None:
    answer = add(admin, **wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "notice-bad" in page
    assert "danhao.example" in page
    assert rows(build, Monitor) == []


def test_change_keeps_headers_and_notes_the_override(
    watched: Browser, build: Builder, vault: Vault
) -> None:
    changed = {**WANTED, "headers": "Cookie: a=b", "override": "the police asked"}
    watched.post("/monitors/danhao/change", form="/monitors/danhao/change", **changed)
    watched.post(
        "/monitors/danhao/change",
        form="/monitors/danhao/change",
        **{**WANTED, "rhythm": "5", "override": "the police asked"},
    )
    (row,) = rows(build, Monitor)
    assert row.rhythm_minutes == 5
    with build.open() as session:
        found = session.query(Monitor).one()
        assert open_address(vault, found).headers == {"Cookie": "a=b"}
    (entry,) = rows(build, AuditEntry, action="monitor.robots_overridden")
    assert entry.reason == "the police asked"


def test_address_needs_a_fresh_sign_in(watched: Browser, build: Builder, clock: Clock) -> None:
    assert "4711" in watched.get("/monitors/danhao/change").get_data(as_text=True)
    assert rows(build, AuditEntry, action="monitor.address_shown")
    clock.move(timedelta(minutes=16))
    assert watched.get("/monitors/danhao/change").status_code == 303
    assert add(watched, name="other").status_code == 403


def test_pause_and_remove(watched: Browser, build: Builder) -> None:
    press(watched, "switch", state="off")
    assert "paused" in watched.get("/monitors").get_data(as_text=True)
    press(watched, "remove")
    assert rows(build, Monitor) == []
    (reporter,) = rows(build, Reporter)
    assert not reporter.is_active


def test_its_reporter_leads_to_the_monitor(watched: Browser) -> None:
    assert watched.get("/reporters/danhao").headers["Location"] == "/monitors/danhao"


def test_nobody_posts_as_a_monitor(watched: Browser, build: Builder, vault: Vault) -> None:
    """It has neither secret nor path: what comes to its address is refused."""
    from canary.services.inbox.intake import find_reporter

    with build.open() as session:
        known = find_reporter(session, vault, "danhao")
    assert known is not None
    assert (known.secrets.signing, known.secrets.path) == ((), None)


def test_analyst_may_try_and_not_change(watched: Browser, as_role: Callable[..., Browser]) -> None:
    analyst = as_role("analyst")
    page = analyst.get("/monitors/danhao").get_data(as_text=True)
    assert "Test now" in page
    assert "/monitors/danhao/change" not in page
    assert press(analyst, "try").status_code == 200


def test_long_list_is_cut_into_pages(admin: Browser, build: Builder) -> None:
    for number in range(51):
        build.monitor(f"watch-{number:02d}", f"https://example.org/{number}")
    first = admin.get("/monitors").get_data(as_text=True)
    assert ("watch-49" in first, "watch-50" in first) == (True, False)
    assert "watch-50" in admin.get("/monitors?page=2").get_data(as_text=True)
