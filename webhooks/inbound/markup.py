"""From the marked-up differences of change monitors to added and removed lines."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_MARKED = re.compile(r"\s{0,20}\((added|removed|changed|into|已添加|已删除)\)\s?(.*)")
_REMOVED = frozenset({"removed", "changed", "已删除"})
_BLOCKS = frozenset({"br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "pre"})
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_TAG = re.compile(r"<(?:br|span|div|p|td|a|b|table)\b[^<>]{0,500}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What stands there now, and what is gone."""

    text: str
    removed_text: str = ""


def read_difference(text: str) -> Difference:
    """Read a difference in HTML colours or with `(added)` and `(removed)` marks."""
    if _TAG.search(text):
        reader = _DifferenceParser()
        reader.feed(text)
        reader.close()
        kept, removed = "".join(reader.kept), "".join(reader.removed)
    else:
        kept, removed = text, ""
    marked = _split_marks(_undone(kept))
    both = [part for part in (_tidy(_undone(removed)), marked.removed_text) if part]
    return Difference(text=marked.text, removed_text="\n".join(both))


def read_unified(text: str) -> Difference:
    """Read a unified diff: lines beginning with `-` are gone."""
    kept, removed = [], []
    for line in text.split("\n"):
        if line.startswith(("--- ", "+++ ", "@@ ")):
            continue
        if line.startswith("-"):
            removed.append(line[1:])
        else:
            kept.append(line.removeprefix("+"))
    return Difference(text=_tidy("\n".join(kept)), removed_text=_tidy("\n".join(removed)))


def _undone(text: str) -> str:
    # Some monitors escape the page once more for their own message.
    import html

    return html.unescape(text) if _ENTITY.search(text) else text


def _split_marks(text: str) -> Difference:
    kept, removed = [], []
    for line in text.split("\n"):
        found = _MARKED.fullmatch(line)
        if found and found[1] in _REMOVED:
            removed.append(found[2])
        else:
            kept.append(found[2] if found else line)
    return Difference(text=_tidy("\n".join(kept)), removed_text=_tidy("\n".join(removed)))


def _tidy(text: str) -> str:
    return text.replace("\xa0", " ").strip("\n")


@dataclass
class _Open:
    tag: str
    is_removed: bool = field(default=False)


class _DifferenceParser(HTMLParser):
    """Sorts text by the `role` of the spans around it; never fails on broken HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self.removed: list[str] = []
        self._open: list[_Open] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._write("\n")
        if tag in ("span", "del", "ins", "td", "div") and len(self._open) < 1000:
            role = dict(attrs).get("role")
            self._open.append(_Open(tag, role == "deletion" or tag == "del"))
        if tag == "td":
            self._write("\t")

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, max(-1, len(self._open) - 20), -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        self._write(data)

    def _write(self, data: str) -> None:
        (self.removed if any(one.is_removed for one in self._open) else self.kept).append(data)
