"""A page cut into its rows, so that what is new on it can be told from what stood there before.

Rows end where `canary.matching.scan` ends records: the same grammar reads the page later. What a
reader of the page never sees (scripts, hidden elements) makes no row new.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from canary.matching.markup import CELL, ROW, Markup, is_page

AROUND = 3
MOST_ROWS = 100_000  # what follows is one more row
LEAST_DIGITS = 6

_WORD = re.compile(r"[\w-]+")
_DIGIT = re.compile(r"\d")
_CLOCK = re.compile(
    r"(?<!\d)\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|(?<!\d)\d{1,2}:\d{2}(?::\d{2})?(?!\d)"
)
_NAME = re.compile(r"<(/?)([a-zA-Z][\w:-]*)")
# Inside these nothing but the next of them ends a row.
_RECORDS = frozenset({"tr", "li"})
_HOLDERS = frozenset({"table", "tbody", "thead", "ul", "ol"})
_NEVER_SEEN = frozenset({"script", "style", "template", "noscript", "svg", "head"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow:
    """One row: its stretch of the page's source, and what of it a reader sees, folded."""

    source: str
    seen: str
    is_heading: bool = False

    @property
    def is_context(self) -> bool:
        """Tell whether it is too poor in digits to be a record of its own: a name, a city."""
        return sum(one.isdigit() for one in _CLOCK.sub("", self.seen)) < LEAST_DIGITS

    @property
    def key(self) -> str:
        """Return what tells it from others; neither times nor small counts make a row new."""
        lasting = _CLOCK.sub("", self.seen)
        return _DIGIT.sub("", lasting) if self.is_context else lasting


def hidden_on(page: str) -> frozenset[str]:
    """Return the classes that a page's own style sheets hide."""
    return Markup.of(page).hidden_classes


def cut_rows(text: str, hidden: frozenset[str]) -> list[ListingRow]:
    """Cut a page, or plain text by its lines, into rows; in time linear in its length."""
    return [row for row in map(_row, _Cutter(text, hidden).cut()) if row.seen]


def one_row(text: str, hidden: frozenset[str]) -> ListingRow:
    """Take a whole stretch of a page as one row."""
    parts = _Cutter(text, hidden).cut()
    return _row(("".join(source for source, _ in parts), CELL.join(seen for _, seen in parts)))


def pick_fresh(rows: Sequence[ListingRow], is_known: Sequence[bool]) -> list[ListingRow]:
    """Return the rows that were not known, in their order, with what explains them.

    Headings stay, and near a new row also known ones without identifiers: on pages made of
    blocks, a new number stands beside a name or a city that was there before.
    """
    fresh = [at for at, known in enumerate(is_known) if not known]
    if not fresh:
        return []
    near = {at + step for at in fresh for step in range(-AROUND, AROUND + 1)}
    return [
        row
        for at, row in enumerate(rows)
        if not is_known[at] or row.is_heading or (at in near and row.is_context)
    ]


def join_rows(rows: Sequence[ListingRow], hidden: frozenset[str]) -> str:
    """Put rows together again as a page on which the same classes are hidden."""
    joined = "\n".join(row.source for row in rows)
    used = sorted(hidden.intersection(_WORD.findall(joined)))
    styles = "".join(f".{name}{{display:none}}" for name in used)
    return f"<style>{styles}</style>\n{joined}" if styles else joined


def _row(part: tuple[str, str]) -> ListingRow:
    source, seen = part
    folded = unicodedata.normalize("NFKC", html.unescape(seen)).casefold()
    plain = "".join(folded.split())
    return ListingRow(
        source=source.strip(),
        seen=plain if plain.strip(CELL) else "",
        is_heading="<th" in source.lower(),
    )


class _Cutter:
    """Walks over the source from left to right; `rows` are the stretches with what is seen."""

    def __init__(self, text: str, hidden: frozenset[str]) -> None:
        self.rows: list[tuple[str, str]] = []
        self._text = text
        self._markup = Markup(text=text, hidden_classes=hidden)
        self._lines = not is_page(text)
        self._in_record = False
        self._source: list[str] = []
        self._seen: list[str] = []

    def cut(self) -> list[tuple[str, str]]:
        """Return the source of each row with what is seen of it."""
        text, at, length = self._text, 0, len(self._text)
        while at < length:
            opening = text.find("<", at)
            opening = length if opening < 0 else opening
            if opening > at:
                self._take_text(text[at:opening])
            if opening == length:
                break
            taken = self._markup.take(opening)
            if taken is None:
                at = opening + 1
                self._note("<", "<")
            else:
                at = taken[0]
                self._take_tag(text[opening:at], taken[1])
        self._keep()
        return self.rows

    def _take_text(self, text: str) -> None:
        if not self._lines or self._in_record:
            self._note(text, text)
            return
        first, *others = text.split("\n")
        self._note(first, first)
        for line in others:
            self._flush()
            self._note(line, line)

    def _take_tag(self, source: str, seen: str) -> None:
        found = _NAME.match(source)
        name, is_end = (found[2].lower(), bool(found[1])) if found else ("", False)
        if name in _NEVER_SEEN:
            return
        if name == "pre":
            self._lines = not is_end
        is_edge = name in _RECORDS or name in _HOLDERS
        if not is_edge and (seen != ROW or self._in_record):
            self._note(source, CELL if seen else "")
            return
        if not is_end:
            self._flush()
        self._note(source, "")
        if is_end:
            self._flush()
        if is_edge:
            self._in_record = name in _RECORDS and not is_end

    def _note(self, source: str, seen: str) -> None:
        self._source.append(source)
        if seen:
            self._seen.append(seen)

    def _flush(self) -> None:
        if len(self.rows) < MOST_ROWS:
            self._keep()

    def _keep(self) -> None:
        if self._seen:
            self.rows.append(("".join(self._source), "".join(self._seen)))
            self._seen.clear()
        self._source.clear()
