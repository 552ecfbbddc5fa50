"""Where markup hides or splits text: tags, comments and elements a reader never sees."""

import re
from dataclasses import dataclass, field

CELL = "\ua66e"  # a letter, so that no separator class holds it: cells are hard boundaries
ROW = "\x1e"

_PAGE = re.compile(
    r"<(?:html|body|table|tr|td|th|div|p|li|ul|dl|br|script|style|!doctype)\b", re.IGNORECASE
)
_ANY = re.compile(
    r"<(?:!--|/?(?:html|body|head|table|t[rdh]|tbody|thead|div|p|li|ul|ol|dl|d[td]|br|span|a|b|i|u|s"
    r"|em|strong|font|mark|small|big|sub|sup|wbr|label|code|pre|h[1-6]|img|input|script|style|svg"
    r"|del|ins|center|section|article|main|header|footer|nav|form|option|select|button)\b)",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z!?][\w:-]*+)((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)>")
_ROWS = frozenset(
    re.findall(
        r"\w+",
        "tr br p div li ul ol dl dd dt h1 h2 h3 h4 h5 h6 table tbody thead html body title section "
        "article main header footer nav form option pre hr",
    )
)
_CELLS = frozenset({"td", "th", "img", "input", "select", "button"})
_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "head"})
_VOID = frozenset({"br", "img", "input", "hr", "wbr", "meta", "link"})
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])"
    r"|font-size\s*:\s*0(?![.\d])|(?:left|top|text-indent)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
HIDDEN = _HIDING
_ATTRIBUTE = re.compile(r"\b(?:hidden|aria-hidden\s*=\s*[\"']?true)\b", re.IGNORECASE)
_CLASSES = re.compile(r"\bclass\s*=\s*[\"']?([\w\s-]{1,200})", re.IGNORECASE)
_SHEET = re.compile(r"\.([\w-]{1,64})\s{0,9}\{([^{}]{0,1000})\}")


def has_markup(text: str) -> bool:
    """Tell whether the text holds tags at all, a fragment being enough."""
    return "<" in text and _ANY.search(text) is not None


def is_page(text: str) -> bool:
    """Tell whether line breaks of the source mean nothing, as in a page or a table."""
    return _PAGE.search(text) is not None


@dataclass(slots=True, kw_only=True)
class Markup:
    """Reads the tags of one text from left to right, in time linear in its length."""

    text: str
    hidden_classes: frozenset[str] = frozenset()
    _endless: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> "Markup":
        """Note the classes that the page's own style sheets hide."""
        hidden = {m[1] for m in _SHEET.finditer(text) if _HIDING.search(m[2])}
        return cls(text=text, hidden_classes=frozenset(hidden))

    def take(self, at: int) -> tuple[int, str] | None:
        """Return where the tag at this position ends and what a reader sees instead."""
        if self.text.startswith("<!--", at):
            return self._comment(at)
        tag = _TAG.match(self.text, at)
        if tag is None:
            return None
        name = tag[2].lower()
        if not tag[1] and name not in _VOID and self._is_unseen(name, tag[3]):
            end = self._closing(name, tag.end())
            if end is not None:
                return end, ""
        return tag.end(), ROW if name in _ROWS else CELL if name in _CELLS else ""

    def _comment(self, at: int) -> tuple[int, str] | None:
        end = -1 if "--" in self._endless else self.text.find("-->", at + 4)
        if end < 0:
            self._endless.add("--")
            return None
        return end + 3, ""

    def _is_unseen(self, name: str, attributes: str) -> bool:
        if name in _UNSEEN:
            return True
        if not attributes:
            return False
        if _HIDING.search(attributes) or _ATTRIBUTE.search(attributes):
            return True
        classes = _CLASSES.search(attributes) if self.hidden_classes else None
        return classes is not None and not self.hidden_classes.isdisjoint(classes[1].split())

    def _closing(self, name: str, at: int) -> int | None:
        """Find the end of an element; once one never ends, later ones are not tried."""
        if name in self._endless:
            return None
        depth = 1
        either = re.compile(rf"<(/?){re.escape(name)}\b[^<>]*+>", re.IGNORECASE)
        for tag in either.finditer(self.text, at):
            depth += -1 if tag[1] else 1
            if depth == 0:
                return tag.end()
        self._endless.add(name)
        return None
