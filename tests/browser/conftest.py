"""The told story behind a real server, and a real browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.serving import ARGUMENTS, CHROMIUM, Stage, open_stage
from tests.web.building import PASSWORD

VISITOR = "lin.wei"
PATIENCE_MS = 120_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("stage")
    with open_stage(folder / "story.sqlite3") as opened:
        opened.build.user(VISITOR, "admin")
        yield opened


@pytest.fixture
def visit(chromium: Browser, stage: Stage) -> Iterator[Callable[..., Page]]:
    """Open a browser window in which the visitor is signed in."""
    contexts: list[BrowserContext] = []

    def sign_in(lang: str = "en", **options: object) -> Page:
        context = chromium.new_context(base_url=stage.address, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/sign-in?lang={lang}")
        page.fill("[name=name]", VISITOR)
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/")
        return page

    yield sign_in
    for context in contexts:
        context.close()
