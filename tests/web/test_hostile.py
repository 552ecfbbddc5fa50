"""Whatever outsiders write stays text on every page."""

from html.parser import HTMLParser

import pytest

from tests.web.crowd import add_one, list_pages

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
    "{{ 7919 * 104729 }}",
    "{% print(7919 * 104729) %}",
    "${7919*104729}",
    "#{7919*104729}",
    "<%= 7919 * 104729 %>",
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
# What a template would make of the sums above: too long to stand in a drawn token by chance.
PRODUCT = str(7919 * 104729)
GROUP = 12
# Visited for every string; every other page is visited once for a dozen of them.
ABOUT_ONE = ("incidents.show", "sources.show", "baits.show")


class Reader(HTMLParser):
    """Collects the elements and attributes a browser would make."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags = set()
        self.attributes = set()
        self.scripts = []
        self.links = []
        self.shown = []

    def handle_data(self, data):
        self.shown.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        # What an option or a hidden field sends back is not shown and must stay as it is.
        typed = tag == "input" and dict(attrs).get("type") != "hidden"
        names = {"title", "alt", "aria-label", "placeholder"} | ({"value"} if typed else set())
        self.shown += [value or "" for name, value in attrs if name in names]
        self.attributes.update(name for name, _ in attrs)
        if tag == "script":
            self.scripts.append(dict(attrs).get("src") or "inline")
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]


@pytest.fixture
def person(as_role):
    """Open each page as somebody who may see most of it."""
    admin, analyst = as_role("admin"), as_role("analyst")
    return lambda endpoint: analyst if endpoint == "baits.show" else admin


def find_faults(answer):
    page, reader = answer.get_data(as_text=True), Reader()
    reader.feed(page)
    return {
        "status": answer.status_code if answer.status_code != 200 else None,
        "tags": reader.tags & FORBIDDEN_TAGS,
        "handlers": {name for name in reader.attributes if name.startswith("on")},
        "styles": {"style"} & (reader.attributes | reader.tags),
        "links": [
            link for link in reader.links if not link.startswith(("/", "#")) or link[:2] == "//"
        ],
        "scripts": [one for one in reader.scripts if not one.startswith("/static/")],
        "computed": PRODUCT in page,
        "hidden": {"\u202e", "\u200b", "\x1b", "\x07", "\u2066"} & set("".join(reader.shown)),
        "size": len(page) if len(page) > 400_000 else None,
    }


@pytest.mark.parametrize("start", range(0, len(SCRIPTS), GROUP))
def test_hostile_text_stays_text(app, person, build, start):
    group = SCRIPTS[start : start + GROUP]
    first, *more = [
        list_pages(app, add_one(build, number, text)) for number, text in enumerate(group)
    ]
    pages = [(endpoint, path) for endpoint, path in first.items()]
    pages += [(one, others[one]) for others in more for one in ABOUT_ONE]
    faults = {}
    for endpoint, path in pages:
        found = find_faults(person(endpoint).get(path))
        if any(found.values()):
            faults[path] = {name: what for name, what in found.items() if what}
    assert faults == {}


def test_corpus_is_large_enough():
    assert len(set(SCRIPTS)) >= 60


def test_raw_bytes_are_only_a_download(analyst, build):
    incident = build.incident(build.source("BAD"))
    sighting = build.sighting(build.reporter(), incident, "<script>alert(1)</script>")
    answer = analyst.get(f"/sightings/{sighting.ref}/raw")
    assert answer.data == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="post-I-')
