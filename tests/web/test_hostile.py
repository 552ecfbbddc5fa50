"""Whatever outsiders write stays text on every page."""

from html.parser import HTMLParser

import pytest

from canary.domain.identifiers import BaitValues

SCRIPTS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<math><mtext><script>alert(1)</script></mtext></math>",
    "<form action=//evil.example><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example/>",
    "<template><script>alert(1)</script></template>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "javascript:alert(1)",
    "{{ 7 * 191 }}",
    "{% print(7 * 191) %}",
    "${7*191}",
    "#{7*191}",
    "<%= 7 * 191 %>",
    "%(name)s %s %d",
    "{0.__class__}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\\u003cscript\\u003e",
    "＜script＞alert(1)＜/script＞",
    "' OR 1=1 --",
    "'; DROP TABLE users; --",
    '=HYPERLINK("http://evil.example")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "a\u202egnp.exe",
    "\u2066\u2067\u2068x\u2069",
    "zero\u200bwidth\u200c\u200d\u2060",
    "\ufeffbom",
    "bell\x07 esc\x1b[2J nul-like \x01",
    "\x7f\x80\x9f",
    "e" + "\u0301" * 200,
    "\U000e0041\U000e0042",
    "\u3164\u115f\u1160",
    "\ufffd\ufffe\uffff",
    "𝓼𝓬𝓻𝓲𝓹𝓽",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "../../../../etc/passwd",
    "file:///etc/passwd",
    "A" * 20_000,
    "<b>" * 3000,
    "字" * 15_000,
    "line\r\nSet-Cookie: a=b",
    "//evil.example",
    "\\\\evil.example\\share",
]
FORBIDDEN_TAGS = {
    "iframe", "object", "embed", "video", "math", "style", "base", "template", "noscript", "source",
}  # fmt: skip
LISTS = ["/", "/incidents", "/sources", "/sources?q=X", "/baits", "/reporters", "/inbox"]
GROUP = 12


class Reader(HTMLParser):
    """Collects the elements and attributes a browser would make."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags = set()
        self.attributes = set()
        self.scripts = []
        self.links = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "script":
            self.scripts.append(dict(attrs).get("src") or "inline")
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]


def fill(build, hostile, number=0):
    """Put one string wherever an outsider can write, and return the pages that show it."""
    source = build.source(f"BAD-{number}", hostile[:200], contact=hostile)
    values = BaitValues(number=hostile[:60], name=hostile[:60], phone=hostile[:30], city=hostile)
    bait = build.bait(build.batch(f"{number} {hostile}"[:120]), source, values=values)
    incident = build.incident(
        source,
        result={
            "posteriors": {hostile[:60]: 0.5, source.code: 0.98},
            "p_no_leak": 0.02,
            "excluded": {hostile[:60]: hostile[:60]},
            "explanations": {
                "en": {
                    "headline": hostile,
                    "reasons": [hostile],
                    "exclusions": [hostile],
                    "settle": [hostile],
                }
            },
        },
    )
    reporter = build.reporter(f"{number} {hostile}"[:80], last_post_at=None)
    text = f"before {hostile} after"
    build.sighting(
        reporter,
        incident,
        text,
        [(bait, "before", "number")],
        venue=hostile,
        title=hostile,
        url=hostile,
        sender=hostile,
    )
    return [f"/incidents/{incident.id}", f"/sources/{source.code}", f"/baits/{bait.ref}"]


@pytest.mark.parametrize("start", range(0, len(SCRIPTS), GROUP))
def test_hostile_text_stays_text(analyst, build, start):
    group = SCRIPTS[start : start + GROUP]
    pages = [page for number, text in enumerate(group) for page in fill(build, text, number)]
    for path in LISTS + pages:
        answer = analyst.get(path)
        page, reader = answer.get_data(as_text=True), Reader()
        reader.feed(page)
        assert answer.status_code == 200, path
        assert not reader.tags & FORBIDDEN_TAGS, path
        assert not {name for name in reader.attributes if name.startswith("on")}, path
        assert all(link.startswith(("/", "#")) and link[:2] != "//" for link in reader.links), path
        assert all(script.startswith("/static/") for script in reader.scripts), path
        assert "1337" not in page, path
        assert not {"\u202e", "\u200b", "\x1b", "\x07", "\u2066"} & set(page), path
        assert len(page) < 300_000, path


def test_corpus_is_large_enough():
    assert len(set(SCRIPTS)) >= 60


def test_no_page_is_styled_or_scripted_inline(analyst, build):
    for path in [*fill(build, "plain"), *LISTS, "/account", "/password"]:
        reader = Reader()
        reader.feed(analyst.get(path).get_data(as_text=True))
        assert "style" not in reader.attributes | reader.tags, path


def test_raw_bytes_are_only_a_download(analyst, build):
    incident = build.incident(build.source("BAD"))
    sighting = build.sighting(build.reporter(), incident, "<script>alert(1)</script>")
    answer = analyst.get(f"/sightings/{sighting.ref}/raw")
    assert answer.data == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="post-I-')
