"""Runs of digits and letters in a shadow text, as candidates for numbers and phones.

A chain is digits with at most three other characters between them. Its windows are pieces
that stand between boundaries: whole groups, groups joined by one kind of separator, or a
phone grouped 3-4-4. Work is linear in the text, whatever it holds.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from canary.matching import markup, tables

MIN_NUMBER = 6
MAX_NUMBER = 34
MIN_WHOLE = 10  # shorter runs of digits may miss a digit that was drawn as a letter before them
_DRAWN_LETTERS = frozenset(map(chr, tables.lookalikes()))
REAL_DIGITS = 7  # so many digits must be real before look-alikes count

_HAN_DIGITS = "".join(map(chr, tables.han_digits()))
_WIDE_LOOKALIKES = "".join(
    ch for ch in map(chr, tables.lookalikes()) if not ch.isascii() and re.match(r"\w", ch)
)
_SEPARATOR = r"\W_杠横点的空格斜"
_CHAIN = re.compile(
    rf"[0-9{_HAN_DIGITS}](?:[{_SEPARATOR}A-Za-z{_WIDE_LOOKALIKES}]{{0,3}}[0-9{_HAN_DIGITS}]){{6,}}"
)
_DIGITS = re.compile(r"[0-9]+")
_GROUP = re.compile(r"[0-9A-Za-z]+")
_LEAD = re.compile(
    rf"[A-Za-z](?:[^\w{markup.CELL}]{{0,3}}[A-Za-z]){{0,9}}[^\w{markup.CELL}]{{0,3}}\Z"
)
_TAIL = re.compile(r"[A-Za-z]{1,12}")
_LETTERS = re.compile(r"[A-Za-z]+")
_EDGE = re.compile("[A-Za-z" + re.escape("".join(map(chr, tables.lookalikes()))) + "]*")
_FIRST_LETTERS = re.compile(r"[A-Za-z]*")
_LAST_LETTERS = re.compile(r"[A-Za-z]*\Z")
_DRAWN = "".join(_DRAWN_LETTERS)
_KINDS = 2  # kinds of separators inside a window, unless it begins its chain
_CELLISH = frozenset(",;|\t，；")
_COUNTRY = re.compile(r"(?:0086|86|0)(?=1[3-9][0-9]{9}\Z)")
_ROW = re.compile(r"[0-9]{8,20}(?:[,\t|;][A-Za-z]{0,5}[0-9]{8,20})*+")
_INSIDE = re.compile("[0-9][" + re.escape("".join(map(chr, tables.lookalikes()))) + "]")
_SCIENTIFIC = re.compile(r"(?<![0-9.])([0-9])\.([0-9]{6,20})[eE]\+?([0-9]{1,2})(?![0-9])")
_SOUNDS = "".join(map(chr, tables.homophones()))
_ONES = "".join(chr(code) for code, digit in tables.homophones().items() if digit == "1")
_SOUNDED = 6  # so many of the eleven must be written out
_SOUND_RUN = re.compile(
    rf"[{_ONES}一幺壹1][^\w{markup.CELL}]{{0,2}}"
    rf"(?:[{_SOUNDS}{_HAN_DIGITS}0-9][^\w{markup.CELL}]{{0,2}}){{9}}"
    rf"[{_SOUNDS}{_HAN_DIGITS}0-9]"
)


_SOFT = re.compile(rf"[{_SEPARATOR}]")


def soft_of(text: str) -> set[str]:
    """Return which characters may stand between the digits of one run."""
    return set(_SOFT.findall(text))


class Run(NamedTuple):
    """A candidate: canonical characters, where they stand, which letters lead them.

    `value` has no leading letters; `lead` holds those before it, `glued` tells that nothing
    stands between. `made` names how it was made when not by plain reading.
    """

    value: str
    start: int
    end: int
    lead: str = ""
    lead_start: int = 0
    glued: bool = False
    made: str = ""
    is_multiple: bool = False


def runs_of(text: str) -> Iterator[Run]:
    """Yield every candidate run of a shadow text."""
    for chain in _CHAIN.finditer(text):
        start, end = chain.span()
        if _ROW.fullmatch(text, start, end):
            for group in _DIGITS.finditer(text, start, end):
                yield from _plain(text, *group.span())
        else:
            yield from _mixed(text, start, end)
    if "." in text:
        yield from _scientific(text)
    yield from _sounding(text)


def phone_of(run: Run) -> tuple[str, int] | None:
    """Return the run read as a phone, and how many leading digits were a country or trunk code."""
    value = run.value
    if not value.isdigit() or not 7 <= len(value) <= 15:
        return None
    code = _COUNTRY.match(value)
    return (value[code.end() :], code.end()) if code else (value, 0)


def _lead(text: str, start: int) -> tuple[str, int, bool]:
    """Return letters before a position, where they start, and whether they touch it."""
    at = start
    while at and start - at < 3 and not text[at - 1].isalnum():
        at -= 1
    before = text[at - 1 : at]
    if not before.isascii() or not before.isalpha():
        return "", start, False
    found = _LEAD.search(text, max(0, start - 24), start)
    if found is None:
        return "", start, False
    letters = "".join(_LETTERS.findall(found[0])).upper()
    return letters, found.start(), at == start


def _plain(text: str, start: int, end: int) -> Iterator[Run]:
    """Read a chain that is one group of ASCII digits."""
    lead, lead_start, glued = _lead(text, start)
    value = text[start:end]
    if len(value) <= MAX_NUMBER:
        yield Run(value, start, end, lead, lead_start, glued)
    tail = _TAIL.match(text, end)
    if tail is not None and len(value) <= 30:
        whole = value + tail[0].upper()
        yield Run(whole, start, tail.end(), lead, lead_start, glued)
    if _is_drawn_edge(text, start, end):
        yield from _lookalikes(text, start, end)


def _is_drawn_edge(text: str, start: int, end: int) -> bool:
    """Tell whether letters at the edge of a digit group may be digits drawn as letters."""
    if text[end : end + 1] in _DRAWN_LETTERS:
        return True
    before = text[start - 1 : start]
    if not before or before not in _DRAWN_LETTERS:
        return False
    # Han characters are letters to Python, but words of Latin letters end before a number.
    earlier = text[max(0, start - 2) : start - 1]
    return not (earlier.isascii() and earlier.isalpha()) or end - start < MIN_WHOLE


def _mixed(text: str, start: int, end: int) -> Iterator[Run]:
    """Read a chain of several groups, letters or Han numerals."""
    piece = text[start:end].translate(tables.han_digits())
    groups = [match.span() for match in _GROUP.finditer(piece)]
    for first, last in _windows(piece, groups):
        yield from _window(text, piece, start, groups[first : last + 1])
    if _INSIDE.search(text, start, end) or _is_drawn_edge(text, start, end):
        yield from _lookalikes(text, start, end)


def _window(text: str, piece: str, base: int, groups: list[tuple[int, int]]) -> Iterator[Run]:
    """Turn some groups into candidates, with and without letters at their edges."""
    value = "".join(piece[start:end] for start, end in groups).upper()
    start, end = base + groups[0][0], base + groups[-1][1]
    first = _FIRST_LETTERS.match(value)
    inner = first.end() if first else 0
    if inner:
        head = _FIRST_LETTERS.match(piece, groups[0][0])
        lead_start, start = start, start + (head.end() - head.start() if head else 0)
        lead, glued = value[:inner], True
    else:
        lead, lead_start, glued = _lead(text, start)
    rest = value[inner:]
    made = "" if rest.isdigit() or len(groups) > 1 else "mixed"
    if MIN_NUMBER <= len(rest) <= MAX_NUMBER:
        yield Run(rest, start, end, lead, lead_start, glued, made, len(groups) > 1)
    tail = _TAIL.match(text, end)
    if tail is not None and len(rest) <= 30:
        whole = rest + tail[0].upper()
        yield Run(whole, start, tail.end(), lead, lead_start, glued, made, len(groups) > 1)
    cut = _LAST_LETTERS.search(rest)
    if cut is not None and cut[0] and len(rest) - len(cut[0]) >= MIN_NUMBER:
        short = end - len(cut[0])
        yield Run(rest[: cut.start()], start, short, lead, lead_start, glued, made, len(groups) > 1)


def _windows(piece: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield first and last group of each piece that stands between boundaries."""
    count = len(groups)
    sizes = [end - start for start, end in groups]
    gaps = ["", *(_gap(piece[groups[i][1] : groups[i + 1][0]]) for i in range(count - 1)), ""]
    for first in range(count):
        if sizes[first] >= MIN_NUMBER and not _is_decimal(piece, groups, gaps, first):
            yield first, first
        if _is_grouped_phone(piece, groups, sizes, gaps, first):
            yield first, first + 2
        yield from _joined(sizes, gaps, first)


def _joined(sizes: list[int], gaps: list[str], first: int) -> Iterator[tuple[int, int]]:
    """Yield windows of several groups whose edges differ from the separators inside."""
    inside: set[str] = set()
    total = sizes[first]
    for last in range(first + 1, len(sizes)):
        inside.add(gaps[last])
        total += sizes[last]
        if total > MAX_NUMBER or gaps[first] in inside or (len(inside) > _KINDS and first):
            return
        if total >= 7 and gaps[last + 1] not in inside and _is_joinable(inside, sizes, first, last):
            yield first, last


def _gap(separators: str) -> str:
    """Return what kind of separator stands between two groups; never the empty string."""
    stripped = separators.strip(" ")
    return stripped or " "


def _is_joinable(inside: set[str], sizes: list[int], first: int, last: int) -> bool:
    """Refuse decimals, and cells of a row, unless the grouping is that of a disguise."""
    lengths = sizes[first : last + 1]
    if inside & _CELLISH:
        return max(lengths) == 1 or _is_thousands(inside, lengths)
    return not (inside == {"."} and len(lengths) == 2)


def _is_thousands(inside: set[str], lengths: list[int]) -> bool:
    return inside == {","} and len(lengths) > 2 and lengths[0] <= 3 and set(lengths[1:]) == {3}


def _is_grouped_phone(
    piece: str, groups: list[tuple[int, int]], sizes: list[int], gaps: list[str], first: int
) -> bool:
    """Find 3-4-4 even among equal separators, unless a fourth group of four follows."""
    if sizes[first : first + 3] != [3, 4, 4] or piece[groups[first][0]] != "1":
        return False
    if gaps[first + 1] != gaps[first + 2] or gaps[first + 1] in _CELLISH:
        return False
    follows = gaps[first + 3] == gaps[first + 1] and sizes[first + 3] == 4
    return not follows


def _is_decimal(piece: str, groups: list[tuple[int, int]], gaps: list[str], at: int) -> bool:
    """Tell whether a point parts this group from digits before, or from one or two after it.

    A lone ".0" is what spreadsheets do to long numbers, not a price.
    """
    if gaps[at] == ".":
        return True
    if gaps[at + 1] != ".":
        return False
    fraction = piece[slice(*groups[at + 1])]
    return len(fraction) <= 2 and fraction != "0"


def _lookalikes(text: str, start: int, end: int) -> Iterator[Run]:
    """Read letters and symbols that look like digits, where seven real digits stand."""
    left = _EDGE.match(text[max(0, start - 4) : start][::-1])
    right = _EDGE.match(text, end, end + 4)
    before = left.end() if left else 0
    after = right.end() - right.start() if right else 0
    piece = text[start - before : end + after].translate(tables.han_digits())
    real = sum(map(piece.count, "0123456789"))
    if real < REAL_DIGITS or len(piece) > 200:
        return
    drawn = piece.translate(tables.lookalikes())
    groups = [match.span() for match in re.finditer(r"[0-9]+", drawn)]
    for first, last in _windows(drawn, groups):
        yield from _drawn(text, piece, drawn, start - before, groups[first : last + 1])


def _drawn(
    text: str, piece: str, drawn: str, base: int, groups: list[tuple[int, int]]
) -> Iterator[Run]:
    """Yield a look-alike window, letting go of up to four letters at either end."""
    begin, end = groups[0][0], groups[-1][1]
    for cut in range(5):
        first = begin + cut
        if cut and not piece[first - 1].isalpha():
            return
        value = drawn[first : groups[0][1]] + "".join(drawn[s:e] for s, e in groups[1:])
        source = piece[first:end]
        real = sum(map(source.count, "0123456789"))
        if real >= REAL_DIGITS and real < len(value) <= MAX_NUMBER:
            lead, lead_start, glued = _lead(text, base + first)
            yield Run(value, base + first, base + end, lead, lead_start, glued, "lookalike", True)
            trimmed = len(source) - len(source.rstrip(_DRAWN))
            if trimmed:
                short = value[:-trimmed]
                yield Run(
                    short, base + first, base + end - trimmed, lead, lead_start, glued, "lookalike"
                )


def _scientific(text: str) -> Iterator[Run]:
    """Reverse 7.6291038475562E+13 where the mantissa is complete."""
    for found in _SCIENTIFIC.finditer(text):
        digits = found[1] + found[2]
        if len(digits) == int(found[3]) + 1:
            yield Run(digits, *found.span(), made="scientific")


def _sounding(text: str) -> Iterator[Run]:
    """Read eleven characters that sound like digits as a phone; low confidence."""
    table = tables.homophones() | tables.han_digits()
    for found in _SOUND_RUN.finditer(text):
        if found[0].isascii() or sum(not ch.isascii() for ch in found[0]) < _SOUNDED:
            continue
        value = "".join(_DIGITS.findall(found[0].translate(table)))
        if len(value) == 11:
            yield Run(value, *found.span(), made="homophone")
