"""What only a real browser can tell: layout, policy, accessibility, a whole review."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.serving import search_texts

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text("utf-8")
SERIOUS = """async () => {
  const found = await axe.run(document);
  return found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(', '));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, stage, scheme):
    page = visit(color_scheme=scheme)
    found = {}
    for name, path in stage.list_pages().items():
        page.goto(path)
        page.evaluate(AXE)
        found[name] = page.evaluate(SERIOUS)
    search_texts(page)
    page.evaluate(AXE)
    found["search-found"] = page.evaluate(SERIOUS)
    assert {name: rules for name, rules in found.items() if rules} == {}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_is_wider_than_a_phone(visit, stage, lang):
    page = visit(lang, viewport={"width": 360, "height": 800})
    widths = {}
    for name, path in stage.list_pages().items():
        page.goto(path)
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in widths.items() if width > 360} == {}


def test_network_reads_on_a_phone_without_scrolling_sideways(visit):
    page = visit(viewport={"width": 360, "height": 800})
    page.goto("/network")
    expect(page.locator(".network-narrow li").first).to_be_visible()
    assert page.evaluate(
        "[...document.querySelectorAll('.scroll')].every(one => one.scrollWidth <= one.clientWidth)"
    )


def test_policy_is_never_violated(visit, stage):
    page = visit()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in stage.list_pages().values():
        page.goto(path)
    assert [text for text in said if "404" not in text] == []


def test_incident_is_reviewed_in_the_browser(visit, stage):
    page = visit()
    page.click(f"a[href='/incidents/{stage.story.named}']")
    expect(page.locator("h1")).to_contain_text("杭州文教网点")
    page.fill("#reason", "the outlet's account was lent out")
    page.click("button[value=confirm]")
    expect(page.locator(".notice-good")).to_contain_text("Saved")
    expect(page.locator(".decided")).to_contain_text("the outlet's account was lent out")
    page.fill("#reason", "back for the screenshots")
    page.click("button[value=reopen]")
    expect(page.locator(".hero-badges")).to_contain_text("Open")


def test_pages_read_without_javascript(visit, stage):
    page = visit(java_script_enabled=False)
    for path in stage.list_pages().values():
        page.goto(path)
        expect(page.locator("h1").first).to_be_visible()


def test_language_changes_in_one_click(visit):
    page = visit("zh")
    page.click(".lang")
    expect(page.locator("h1")).to_have_text("Overview")


def test_script_in_a_sighting_never_runs(visit, stage):
    build = stage.build
    incident = build.incident(named=[])
    text = "<script>alert(1)</script><img src=x onerror=alert(2)> plain"
    build.sighting(build.reporter("hostile<script>alert(3)</script>"), incident, text)
    page = visit()
    opened = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    page.goto(f"/incidents/{incident.id}")
    expect(page.locator(".excerpt-text").first).to_contain_text("plain")
    assert opened == []


def test_printed_incident_holds_the_evidence(visit, stage, tmp_path):
    """On paper: everything that is folded up, nothing that is clicked; light also from dark."""
    page = visit(color_scheme="dark")
    page.goto(f"/incidents/{stage.story.named}")
    path = tmp_path / "incident.pdf"
    page.pdf(path=path, format="A4", prefer_css_page_size=True)
    text = read_pdf(path)
    said = [
        "printed by lin.wei",
        "without the strongest sighting",
        "ＹＴ90-",
        "Chance of coincidence",
    ]
    assert [words for words in said if words.lower() not in text.lower()] == []
    assert not {"Draft this batch", "Sign out", "Skip to content"} & set(text.splitlines())
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.locator("#decide")).to_be_hidden()


def read_pdf(path):
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()
