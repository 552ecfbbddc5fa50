"""From the marked-up differences of change monitors to added and removed lines."""

import html
import re
from dataclasses import dataclass

_MARKED = re.compile(r"\s{0,20}\((added|removed|changed|into|已添加|已删除)\)\s?(.*)")
_REMOVED = frozenset({"removed", "changed", "已删除"})
_BLOCKS = frozenset({"br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "pre"})
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})([^<>]*)>")
_DELETION = re.compile(r"""role\s{0,5}=\s{0,5}["']?deletion""", re.IGNORECASE)
_CARRIERS = frozenset({"span", "del", "ins", "td", "div"})
_DEEPEST = 1000
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_TAG = re.compile(r"<(?:br|span|div|p|td|a|b|table|del|ins)\b[^<>]{0,500}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What stands there now, and what is gone."""

    text: str
    removed_text: str = ""


def read_difference(text: str) -> Difference:
    """Read a difference in HTML colours or with `(added)` and `(removed)` marks."""
    if _TAG.search(text):
        reader = _Sorter()
        reader.read(text)
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


class _Sorter:
    """Sorts text by the `role` of the elements around it.

    The standard library's parser takes quadratic time on some broken pages and fails on others,
    so tags are found by a linear pattern; whatever is no tag is text.
    """

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.removed: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._removing = 0

    def read(self, text: str) -> None:
        """Take the whole text in."""
        text, end = _without_comments(text), 0
        for found in _ANY_TAG.finditer(text):
            self._write(html.unescape(text[end : found.start()]))
            end = found.end()
            self._see(found[2].lower(), found[3], is_end=bool(found[1]))
        self._write(html.unescape(text[end:]))

    def _see(self, tag: str, attributes: str, *, is_end: bool) -> None:
        if tag in _BLOCKS and not is_end:
            self._write("\n")
        if tag == "td" and not is_end:
            self._write("\t")
        if tag not in _CARRIERS:
            return
        if is_end:
            self._close(tag)
        elif len(self._open) < _DEEPEST:
            is_removed = tag == "del" or bool(_DELETION.search(attributes[:500]))
            self._open.append((tag, is_removed))
            self._removing += is_removed

    def _close(self, tag: str) -> None:
        # Broken pages close what was never opened: only near elements are looked at.
        for place in range(len(self._open) - 1, max(-1, len(self._open) - 20), -1):
            if self._open[place][0] == tag:
                self._removing -= sum(is_removed for _, is_removed in self._open[place:])
                del self._open[place:]
                return

    def _write(self, text: str) -> None:
        (self.removed if self._removing else self.kept).append(text)


def _without_comments(text: str) -> str:
    """Drop comments; one that never ends is kept, so that nothing can be hidden by it."""
    first, *others = text.split("<!--")
    kept, pending = [first], []
    for part in others:
        _, end, rest = part.partition("-->")
        if not end:
            pending.append(part)
            continue
        pending.clear()
        kept.append(rest)
    return "".join(kept) + "".join(f" {part}" for part in pending)
