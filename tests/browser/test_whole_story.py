"""The main job in a browser: sign in, seed, plant, a post arrives, an incident, decide, export."""

import csv
import io
import secrets
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from canary import bootstrap
from canary.bootstrap import make_jobs, make_web, prepare_application, serve_in_thread
from canary.domain.sightings import ChannelClass
from canary.services.access import create_user
from canary.services.inbox import intake
from tests.browser.conftest import PATIENCE_MS
from tests.fakes import FakeClock
from tests.web.building import PASSWORD
from webhooks import signing

pytestmark = pytest.mark.browser

SECRET = signing.new_secret()
NETWORK = """\
code,name,kind,parent,region,carriers
SYS,全网系统,system,,33,YTO
HUB,杭州转运中心,hub,SYS,3301,YTO
OUT-1,滨江网点,outlet,HUB,330108,YTO
OUT-2,余杭网点,outlet,HUB,330110,YTO
OUT-3,萧山网点,outlet,HUB,330109,YTO
"""
# What the page asks for every 20 s, it asks for here three times a second.
HURRY = "const every = setInterval; window.setInterval = (run, ms) => every(run, Math.min(ms, 300))"


@dataclass
class Served:
    """A running installation, and the clock on its wall."""

    address: str
    clock: FakeClock


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Serve a new installation with its jobs, one reporter and one administrator."""
    monkeypatch.setattr(bootstrap, "SystemRandom", lambda: Random(7))
    clock = FakeClock(datetime.now(UTC))
    opened = prepare_application(
        home=tmp_path / "home",
        database_url=f"sqlite:///{tmp_path}/home/canary.sqlite3",
        secret_file=tmp_path / "home" / "secrets.json",
        public_url="http://127.0.0.1:9",
        log_level="error",
        lang="en",
    )
    application = replace(opened, clock=clock)
    now = clock()
    with application.database.write() as session:
        create_user(session, name="lin", password=PASSWORD, role="admin", now=now, actor="test")
        wanted = intake.NewReporter(
            name="market",
            format="page",
            channel_class=ChannelClass.OWN,
            secrets=intake.Secrets(signing=(SECRET,)),
        )
        intake.add_reporter(session, application.keys.vault, wanted, actor="test", now=now)
    listener = socket.create_server(("127.0.0.1", 0))
    jobs = make_jobs(application)
    with serve_in_thread(make_web(application, jobs=jobs), listener):
        jobs.start()
        yield Served(address=f"http://127.0.0.1:{listener.getsockname()[1]}", clock=clock)
        jobs.stop()
    application.database.close()


@pytest.fixture
def page(chromium: Browser, served: Served) -> Iterator[Page]:
    context = chromium.new_context(base_url=served.address)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(HURRY)
    yield context.new_page()
    context.close()


def test_leak_is_found_decided_and_exported(page: Page, served: Served) -> None:
    sign_in(page)
    import_network(page)
    sheet = seed_and_plant(page)
    served.clock.move(timedelta(days=2))
    sign_in(page)
    page.goto("/incidents")
    expect(page.locator(".queue-row")).to_have_count(0)
    post_listing(served, sheet[:6], "danhao.example")
    expect(page.locator(".queue-row")).to_have_count(1)
    served.clock.move(timedelta(minutes=20))
    post_listing(served, sheet[6:], "miandan.example")
    expect(page.locator(".queue-row")).to_contain_text("2 sightings")
    expect(page.locator(".queue-row strong")).to_have_text("余杭网点")
    decide(page)
    assert export(page) == [("confirmed", "OUT-2")]


def sign_in(page: Page) -> None:
    page.goto("/")
    page.fill("[name=name]", "lin")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    expect(page.locator("h1")).to_have_text("Overview")


def import_network(page: Page) -> None:
    page.goto("/import/sources")
    page.fill("[name=text]", NETWORK)
    page.click("text=Look at it first")
    page.click("main form button[type=submit]")
    expect(page.locator(".notice-good")).to_contain_text("5 created")


def seed_and_plant(page: Page) -> list[dict[str, str]]:
    """Plan, make, hand over and confirm a batch; return the sheet of one outlet."""
    page.goto("/batches/new")
    page.fill("[name=name]", "first")
    page.fill("[name=per_source]", "12")
    page.check("[name=scope][value=all]")
    page.click("button[value=draft]")
    page.click("text=Make it")
    page.locator("[name=template]").wait_for()
    with page.expect_download() as started:
        page.click("text=Hand over and download")
    sheets = zipfile.ZipFile(started.value.path())
    page.reload()
    page.click("text=Confirm the ticked sources, or all")
    expect(page.locator(".notice-good")).to_contain_text("confirmed")
    name = next(name for name in sheets.namelist() if "OUT-2" in name)
    return list(csv.DictReader(io.StringIO(sheets.read(name).decode("utf-8-sig"))))


def post_listing(served: Served, sheet: list[dict[str, str]], venue: str) -> None:
    """Post a page on which somebody sells what was in the sheet."""
    rows = "".join(f"<tr><td>{row['运单号'].lstrip(chr(39))}</td></tr>" for row in sheet)
    body = f"<html><table>{rows}</table>当天面单</html>".encode("gb18030")
    message = f"msg_{secrets.token_hex(8)}"
    headers = signing.headers([SECRET], message, served.clock(), body)
    headers |= {"Content-Type": "text/html; charset=gb18030", "X-Canary-Venue": venue}
    answer = requests.post(
        f"{served.address}/hooks/market", data=body, headers=headers, timeout=120
    )
    assert answer.status_code == 202


def decide(page: Page) -> None:
    page.click(".queue-row")
    expect(page.locator("h1")).to_contain_text("余杭网点")
    expect(page.locator("mark").first).to_be_visible()
    page.fill("#reason", "only this outlet had these waybills")
    page.click("button[value=confirm]")
    expect(page.locator(".decided")).to_contain_text("only this outlet had these waybills")


def export(page: Page) -> list[tuple[str, str]]:
    page.goto("/incidents?state=all")
    with page.expect_download() as started:
        page.click(".files a >> text=CSV")
    table = Path(started.value.path()).read_text("utf-8-sig")
    return [(row["state"], row["named"]) for row in csv.DictReader(io.StringIO(table))]
