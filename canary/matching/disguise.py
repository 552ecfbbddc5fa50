"""Original text to a shadow text in which disguises are undone, with the way back.

The shadow is for looking only: what matches there is reported at its place in the original.
Characters that mean a digit only inside a run (Han numerals, look-alikes) stay as they are.
"""

import html
import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from canary.matching import markup, tables

_INVISIBLE = (
    "\u00ad\u034f\u061c\u0600-\u0605\u06dd\u070f\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000110bd\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\u3099\u309a\ufe20-\ufe2f"
)
_MANY = "".join(
    chr(code)
    for code in (*range(0x2460, 0x2800), *range(0x3220, 0x3300))
    if unicodedata.category(chr(code)) == "No" and 10 <= unicodedata.numeric(chr(code)) <= 99
)
_CP1252 = bytes(sorted(set(range(0x80, 0xA0)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D})).decode("cp1252")
_WORDS = {
    "0": "zero ling dong", "1": "one yao yi", "2": "two er liang", "3": "three san",
    "4": "four si", "5": "five wu", "6": "six liu", "7": "seven qi guai", "8": "eight ba",
    "9": "nine jiu gou",
}  # fmt: skip
_SPOKEN_DIGIT = {word: digit for digit, words in _WORDS.items() for word in words.split()}
_WORD = "|".join(sorted(_SPOKEN_DIGIT, key=len, reverse=True))
_SPOKEN = re.compile(rf"(?<![a-z])(?:(?:{_WORD})[\s,._-]{{0,2}}+){{7,}}+(?![a-z])")
_SPOKEN_WORD = re.compile(_WORD)
_LETTERS = re.compile(r"[A-Za-z\s,._-]{14}")

_CHANGED = re.compile(
    rf"(?P<unseen>[{_INVISIBLE}{_MARKS}]+)|(?P<tag><[a-zA-Z/!?])|(?P<entity>&\#?\w)"
    rf"|(?P<percent>%[0-9A-Fa-f]{{2}})|(?P<escape>\\[ux][0-9A-Fa-f]{{2}})|(?P<many>[{_MANY}])"
    rf"|(?P<broken>[\xc2-\xf4](?=[\x80-\xbf{re.escape(_CP1252)}]))"
)
_SUSPECT = re.compile(rf"[&<%\\\xc2-\xf4{_INVISIBLE}{_MARKS}{_MANY}]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
_PERCENTS = re.compile(r"(?:%[0-9A-Fa-f]{2}){1,4096}")
_ESCAPE = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
                     r"|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")  # fmt: skip
_BROKEN = re.compile(rf"[\xc2-\xf4][\x80-\xbf{re.escape(_CP1252)}]{{1,3}}")
_OVERRIDE = re.compile(r"[\u202e\u2067]([^\u202c\u2069\n\u202e\u2067]{1,400})")
_BETWEEN = re.compile(r"[0-9A-Za-z]\W{1,3}[0-9A-Za-z]")
_GONE = re.compile(rf"[{_INVISIBLE}{_MARKS}]")

Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A text as it reads once disguises are undone; `starts` is None when nothing moved."""

    original: str
    text: str
    starts: "array[int] | None" = None
    ends: "array[int] | None" = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that a span of the shadow stands for."""
        if self.starts is None or self.ends is None or start >= end:
            return start, end
        return min(self.starts[start:end]), max(self.ends[start:end])


def shadow_of(text: str) -> Shadow:
    """Undo everything that can be undone without knowing what is looked for."""
    edits = _merged(list(_edits(text)))
    table = tables.fold_table()
    if not edits:
        return Shadow(original=text, text=text.translate(table))
    pieces, starts, ends = _apply(text, edits)
    plain = "".join(pieces)
    if markup.is_page(text):
        plain = plain.replace("\n", " ").replace("\r", " ")
    return Shadow(
        original=text,
        text=plain.replace(markup.ROW, "\n").translate(table),
        starts=starts,
        ends=ends,
    )


def suspects_of(text: str) -> set[str]:
    """Return which characters alone make a text worth undoing; markup signs apart."""
    return set(_SUSPECT.findall(text)) - set("&<%\\")


def _merged(edits: list[Edit]) -> list[Edit]:
    """Drop edits that lie inside an earlier one, keeping several at the same span."""
    edits.sort(key=lambda edit: edit[0])
    kept: list[Edit] = []
    for edit in edits:
        if not kept or edit[0] >= kept[-1][1] or edit[:2] == kept[-1][:2]:
            kept.append(edit)
    return kept


def _apply(text: str, edits: Iterable[Edit]) -> tuple[list[str], "array[int]", "array[int]"]:
    pieces: list[str] = []
    starts, ends = array("I"), array("I")
    at = 0
    for start, end, new in edits:
        if start > at:
            pieces.append(text[at:start])
            starts.extend(range(at, start))
            ends.extend(range(at + 1, start + 1))
        pieces.append(new)
        for _ in new:
            starts.append(start)
            ends.append(end)
        at = max(at, end)
    pieces.append(text[at:])
    starts.extend(range(at, len(text)))
    ends.extend(range(at + 1, len(text) + 1))
    return pieces, starts, ends


def _edits(text: str) -> Iterator[Edit]:
    found = _CHANGED.search(text) if _SUSPECT.search(text) else None
    if found is not None:
        tags = markup.Markup.of(text) if markup.has_markup(text) else None
        while found is not None:
            end, changes = _change(text, found, tags)
            yield from changes
            found = _CHANGED.search(text, end)
    yield from _spoken(text)


def _change(
    text: str, found: "re.Match[str]", tags: markup.Markup | None
) -> tuple[int, list[Edit]]:
    """Return where to go on and the edits for one suspicious place."""
    start, end = found.span()
    match found.lastgroup:
        case "unseen":
            return _unseen(text, start, end)
        case "tag":
            return _tag(start, tags)
        case "entity":
            return _entity(text, start)
        case "percent":
            return _percent(text, start)
        case "escape":
            return _escape(text, start)
        case "many":
            return end, [(start, end, str(int(unicodedata.numeric(text[start]))))]
        case _:
            return _broken(text, start)


def _unseen(text: str, start: int, end: int) -> tuple[int, list[Edit]]:
    """Drop what cannot be seen; turn overridden text round, as it is shown."""
    override = _OVERRIDE.search(text, start, min(len(text), end + 401))
    if override is None or override.start() >= end:
        return end, [(start, end, "")]
    inner = range(override.start(1), override.end(1))
    whole = override.span()
    turned = "".join(_visible(text[at]) for at in reversed(inner))
    return override.end(), [(start, whole[0], ""), (*whole, turned)]


def _visible(text: str) -> str:
    return _GONE.sub("", text)


def _tag(start: int, tags: markup.Markup | None) -> tuple[int, list[Edit]]:
    taken = tags.take(start) if tags is not None else None
    if taken is None:
        return start + 1, []
    return taken[0], [(start, taken[0], taken[1])]


def _entity(text: str, start: int) -> tuple[int, list[Edit]]:
    entity = _ENTITY.match(text, start)
    if entity is None:
        return start + 1, []
    plain = html.unescape(entity[0])
    if plain == entity[0]:
        return start + 1, []
    return entity.end(), [(start, entity.end(), _visible(plain))]


def _percent(text: str, start: int) -> tuple[int, list[Edit]]:
    run = _PERCENTS.match(text, start)
    if run is None:
        return start + 1, []
    raw = bytes.fromhex(run[0].replace("%", ""))
    plain = _decoded(raw)
    if plain is None:
        return run.end(), []
    edits, at = [], start
    for ch, size in plain:
        edits.append((at, at + 3 * size, _visible(ch)))
        at += 3 * size
    return run.end(), edits


def _decoded(raw: bytes) -> list[tuple[str, int]] | None:
    for charset in ("utf-8", "gb18030"):
        try:
            return [(ch, len(ch.encode(charset))) for ch in raw.decode(charset)]
        except UnicodeError:
            continue
    return None


def _escape(text: str, start: int) -> tuple[int, list[Edit]]:
    escape = _ESCAPE.match(text, start)
    if escape is None:
        return start + 1, []
    if escape[1]:
        high, low = int(escape[1], 16), int(escape[2], 16)
        code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
    else:
        code = int(escape[3] or escape[4], 16)
    if 0xD800 <= code < 0xE000:
        return escape.end(), []
    return escape.end(), [(start, escape.end(), _visible(chr(code)))]


def _broken(text: str, start: int) -> tuple[int, list[Edit]]:
    """Mend UTF-8 that was read as Latin-1 or Windows-1252, one character at a time."""
    run = _BROKEN.match(text, start)
    if run is None:
        return start + 1, []
    first = ord(text[start])
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    try:
        plain = b"".join(_byte(ch) for ch in run[0][:size]).decode("utf-8")
    except UnicodeError:
        return start + 1, []
    return start + size, [(start, start + size, _visible(plain))]


def _byte(ch: str) -> bytes:
    return ch.encode("latin-1") if ch < "\u0100" else ch.encode("cp1252")


def _spoken(text: str) -> Iterator[Edit]:
    """Turn runs of seven and more spoken digits (yao jiu san, one nine three) into digits."""
    if _LETTERS.search(text) is None:
        return
    lower = text.lower()
    if len(lower) != len(text):
        return
    for run in _SPOKEN.finditer(lower):
        for word in _SPOKEN_WORD.finditer(lower, *run.span()):
            yield (*word.span(), _SPOKEN_DIGIT[word[0]])


# The names under which undone disguises are reported, each with what betrays it.
_TRACES: tuple[tuple[str, "re.Pattern[str]"], ...] = (
    ("comment", re.compile(r"<!--")),
    ("hidden_decoy", markup.HIDDEN),
    ("tag", re.compile(r"<[a-zA-Z/]")),
    ("entity", re.compile(r"&#?\w{1,31};?")),
    ("percent", re.compile(r"%[0-9A-Fa-f]{2}")),
    ("escape", re.compile(r"\\[ux][0-9A-Fa-f]{2}")),
    ("bidi", re.compile(r"[\u202a-\u202e\u2066-\u2069]")),
    ("keycap", re.compile("\u20e3")),
    ("combining", re.compile(rf"(?!\u20e3)[{_MARKS}]")),
    ("invisible", re.compile(rf"(?![\u202a-\u202e\u2066-\u2069\ufe0f])[{_INVISIBLE}]")),
    ("line_break", re.compile(r"[\r\n]")),
    ("full_width", re.compile(r"[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")),
    ("mojibake", _BROKEN),
    ("spoken", re.compile(rf"\b(?:{_WORD})\b|(?:{_WORD}){{4,}}", re.IGNORECASE)),
)


def traces_of(surface: str) -> list[str]:
    """Name the disguises that a matched piece of the original text wears."""
    if surface.isascii() and surface.isalnum():
        return []
    found = [name for name, betrayed in _TRACES if betrayed.search(surface)]
    kinds = {_digit_family(ch) for ch in surface if not ch.isascii()}
    return found + sorted(kinds - {""} - set(found))


def has_separators(surface: str) -> bool:
    """Tell whether something a reader sees stands between the characters."""
    return _BETWEEN.search(_visible(surface)) is not None


def plain_traces_of(surface: str) -> list[str]:
    """Name what is left when no character is special: case, separators."""
    found = ["separators"] if has_separators(surface) else []
    return [*found, "case"] if surface != surface.upper() else found or ["variant"]


def _digit_family(ch: str) -> str:
    if ord(ch) in tables.han_digits():
        return "han_numeral"
    if "\uff01" <= ch <= "\uff5e" or tables.digit_of(ch) is None:
        return ""
    name = unicodedata.name(ch, "")
    if unicodedata.category(ch) == "Nd":
        return "styled_digit" if "MATHEMATICAL" in name or "SEGMENTED" in name else "other_script"
    return "circled" if "CIRCLED" in name or "PARENTHESIZED" in name else "special_digit"
