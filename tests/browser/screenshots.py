"""Photograph every page: `python -m tests.browser.screenshots FOLDER`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.serving import ARGUMENTS, CHROMIUM, Stage, open_stage, search_texts
from tests.web.building import PASSWORD

WIDTHS = {"wide": 1280, "narrow": 360}
HEIGHT = 900


def main(folder: Path) -> None:
    """Photograph the pages wide and narrow, light and dark, in both languages."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        open_stage(Path(home) / "shots.sqlite3") as stage,
        sync_playwright() as playwright,
    ):
        stage.build.user("lin.wei", "admin")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                for lang in ("zh", "en"):
                    _photograph(browser, stage, folder, width, scheme, lang)


def _photograph(
    browser: Browser, stage: Stage, folder: Path, width: str, scheme: str, lang: str
) -> None:
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": HEIGHT},
        has_touch=width == "narrow",
        is_mobile=width == "narrow",
        locale="zh-CN" if lang == "zh" else "en-GB",
        color_scheme=scheme,  # type: ignore[arg-type]
        base_url=stage.address,
    )
    page = context.new_page()
    page.goto(f"/sign-in?lang={lang}")
    _save(page, folder, f"{width}-{scheme}-{lang}-sign-in")
    page.fill("[name=name]", "lin.wei")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/")
    for name, path in stage.list_pages().items():
        page.goto(path)
        _save(page, folder, f"{width}-{scheme}-{lang}-{name}")
    search_texts(page)
    _save(page, folder, f"{width}-{scheme}-{lang}-search-found")
    context.close()


def _save(page: Page, folder: Path, name: str) -> None:
    """Photograph a whole page at once: what sticks to the window's edge then lies at its end."""
    width = WIDTHS[name.partition("-")[0]]
    whole = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(whole, HEIGHT)})
    page.screenshot(path=folder / f"{name}.png")
    page.set_viewport_size({"width": width, "height": HEIGHT})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
