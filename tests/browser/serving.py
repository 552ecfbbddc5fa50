"""The application with a told story, served on a free loopback port."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page
from werkzeug.serving import make_server

from canary.services.detection.live import LiveRegister
from canary.storage.session import open_database
from canary.storage.tables import Row
from canary.storage.vault import Vault
from canary.web.app import create_app
from canary.web.parts import WebParts
from tests.browser.office import furnish
from tests.browser.story import Story, tell
from tests.fakes import FakePoster, FakeSender, make_lookout
from tests.web.building import NOW, Builder
from tests.web.crowd import list_pages

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class NoInbox:
    """Takes nothing: the story is written directly."""

    def find_reporter(self, name: str) -> None:
        return None

    def forget(self, name: str) -> bool:
        return False

    def accept(self, arrival: object) -> None:
        raise AssertionError

    def keep_dead(self, reporter: object, post: object, reason: str, grade: object) -> None:
        raise AssertionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running server and what its pages show."""

    address: str
    build: Builder
    story: Story

    pages: Mapping[str, str]

    def list_pages(self) -> dict[str, str]:
        """Return the pages by name: every one of the route table, and some of their states."""
        return {
            **{endpoint.replace(".", "-"): path for endpoint, path in self.pages.items()},
            "incidents-weak": f"/incidents/{self.story.weak}",
            "incidents-all": "/incidents?state=all",
            "missing": "/nothing",
        }


def search_texts(page: Page) -> None:
    """Search the stored texts; the words are posted, so that no address leads to the answer."""
    page.goto("/search")
    page.fill("[name=line]", "面单")
    page.click(".search-line button")
    page.wait_for_selector(".snippet")


@contextmanager
def open_stage(path: Path, *, lang: str = "zh") -> Iterator[Stage]:
    """Tell the story to a new database and serve it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    database = open_database(f"sqlite:///{path}")
    Row.metadata.create_all(database.engine)
    vault = Vault({"k1": b"k" * 32}, "k1", b"i" * 32)
    build = Builder(database, vault)
    story = tell(build)
    parts = WebParts(
        database=database,
        vault=vault,
        clock=lambda: NOW,
        inbox=NoInbox(),
        sender=FakeSender(),
        poster=FakePoster(),
        lookout=make_lookout(database, vault, lambda: NOW),
        live=LiveRegister(database, vault, lambda: NOW),
        session_key=b"s" * 32,
        public_url="http://127.0.0.1",
        default_lang="en" if lang == "en" else "zh",
        timezone="Asia/Shanghai",
        max_body=1024 * 1024,
        trusted_proxies=0,
        alive=dict,
    )
    app = create_app(parts)
    pages = list_pages(app, furnish(build, story))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Stage(
            address=f"http://127.0.0.1:{server.server_port}",
            build=build,
            story=story,
            pages=pages,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        database.close()
