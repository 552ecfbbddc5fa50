"""Photograph every page: `python -m tests.browser.screenshots FOLDER`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from canary.storage.session import open_database
from canary.storage.tables import Row
from canary.storage.vault import Vault
from canary.web.app import create_app
from canary.web.parts import WebParts
from tests.browser.serving import ARGUMENTS, CHROMIUM, serve
from tests.browser.story import Story, tell
from tests.web.building import NOW, PASSWORD, Builder

WIDTHS = {"wide": 1280, "narrow": 360}


class NoInbox:
    """Takes nothing: the story is written directly."""

    def find_reporter(self, name: str) -> None:
        return None

    def accept(self, arrival: object) -> None:
        raise AssertionError

    def keep_dead(self, reporter: object, post: object, reason: str) -> None:
        raise AssertionError


def main(folder: Path) -> None:
    """Tell the story to a temporary database and photograph its pages."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        database = open_database(f"sqlite:///{home}/shots.sqlite3")
        Row.metadata.create_all(database.engine)
        vault = Vault({"k1": b"k" * 32}, "k1", b"i" * 32)
        build = Builder(database, vault)
        story = tell(build)
        build.user("lin.wei", "admin")
        app = create_app(
            WebParts(
                database=database,
                vault=vault,
                clock=lambda: NOW,
                inbox=NoInbox(),
                session_key=b"s" * 32,
                public_url="http://127.0.0.1",
                default_lang="zh",
                timezone="Asia/Shanghai",
                max_body=1024 * 1024,
                trusted_proxies=0,
                alive=dict,
            )
        )
        with serve(app) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for width in WIDTHS:
                for scheme in ("light", "dark"):
                    for lang in ("zh", "en"):
                        _photograph(browser, address, folder, story, width, scheme, lang)
        database.close()


def _photograph(
    browser: Browser, address: str, folder: Path, story: Story, width: str, scheme: str, lang: str
) -> None:
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        base_url=address,
    )
    page = context.new_page()
    page.goto(f"/sign-in?lang={lang}")
    _save(page, folder, f"{width}-{scheme}-{lang}-sign-in")
    page.fill("[name=name]", "lin.wei")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/")
    for name, path in _list_pages(story).items():
        page.goto(path)
        _save(page, folder, f"{width}-{scheme}-{lang}-{name}")
    context.close()


def _list_pages(story: Story) -> dict[str, str]:
    return {
        "overview": "/",
        "incidents": "/incidents",
        "incident": f"/incidents/{story.named}",
        "incident-weak": f"/incidents/{story.weak}",
        "sources": "/sources",
        "source": f"/sources/{story.outlet}",
        "baits": "/baits",
        "bait": f"/baits/{story.bait}",
        "account": "/account",
        "missing": "/nothing",
    }


def _save(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
