"""The fast sieve: which lines of a large text may hold a bait at all.

It only has to be complete: whatever the exact engine would report of a line, the sieve lets the
line pass, and a test holds the two together. It reads raw bytes once, follows digits over
separators as the engine does, and looks the last eleven digits of each group, each run of two to
four Han characters, each one to three Latin words and each house number up in one table of
32-bit prints (about six bytes an entry). Lines with markup, escapes, invisible characters or
masks pass as they are. In a crowd (`agreement.crowd_of`) a common name or a house number passes
only together with the bait's city, with each other or with a mask, and masks else only in
pairs: alone they would say nothing; in a throng names do not count, unless beside something
that does. One thing that the engine reports is left out in a crowd: a name in part with one
mask and the city, which most rows of a masked list show.
Needs numba, the `scan` extra; without it every line goes to the exact engine.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canary.domain.identifiers import BaitValues
from canary.matching import codes, names
from canary.matching.agreement import RARE
from canary.matching.keys import place_of

CONTEXT = 2  # lines kept around a line that passes with its neighbours
CONTEXT_SHORT = 12  # the same for short lines, which may be a labelled block
_LOAD = 0.8
_SMALLEST = 1 << 10
_BATCH = 50_000
CHARSETS = {"utf-8": codes.UTF8, "ascii": codes.UTF8, "gb18030": codes.GB18030}

Table = NDArray[np.uint32]
Bits = NDArray[np.uint64]
Starts = NDArray[np.uint8]
Span = tuple[int, int, int]


def is_available() -> bool:
    """Tell whether numba is installed."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(slots=True, kw_only=True)
class Sieve:
    """The table of one register; build it once, use it for every block, add as baits come."""

    table: Table
    bits: Bits
    starts: Starts
    has_names: bool = False
    has_ten: bool = False
    has_short: bool = False

    @property
    def nbytes(self) -> int:
        """Memory of the table, in bytes."""
        return int(self.table.nbytes + self.bits.nbytes)

    def add(self, baits: Iterable[BaitValues]) -> None:
        """Add baits in place; readers see each either wholly or not yet."""
        from canary.matching.probes import fill

        baits = iter(baits)
        while batch := list(islice(baits, _BATCH)):
            entries = _Entries(starts=self.starts)
            for values in batch:
                entries.add(values)
            self.has_names |= entries.has_names
            self.has_ten |= entries.has_ten
            self.has_short |= entries.has_short
            tagged = np.array(entries.values, dtype=np.uint64)
            rare = np.array(entries.rare, dtype=np.uint8)
            fill(self.table, self.bits, tagged, rare)

    def lines(
        self, raw: bytes | memoryview, *, charset: str = "utf-8", crowd: int = 0
    ) -> tuple[NDArray[np.int64], int]:
        """Return rows of (index, start, end, how) of the lines that pass, and the line breaks."""
        from canary.matching.kernel import look_through_arrays

        data = np.frombuffer(raw, dtype=np.uint8)
        out = np.empty((len(data) + 2, 4), dtype=np.int64)  # touched as far as lines pass
        block = _fixed().copy()
        pairs = self.starts
        if CHARSETS[charset] != codes.UTF8:
            pairs = self.starts[codes.wide_codes()[0]]
        for place, value in (
            (codes.CHARSET, CHARSETS[charset]), (codes.CROWDED, crowd),
            (codes.HAS_NAMES, self.has_names), (codes.HAS_TEN, self.has_ten),
            (codes.HAS_SHORT, self.has_short),
        ):  # fmt: skip
            block[place // 8] = value
        arrays = data, out, self.starts, pairs, self.table, self.bits
        count, breaks = look_through_arrays(block, *arrays)
        return _in_order(out[:count]), breaks

    def passing(
        self, raw: bytes, *, charset: str = "utf-8", crowd: int = 0
    ) -> tuple[list[Span], int]:
        """Return line index, start and end (bytes) of runs of lines to look at; and the breaks."""
        from canary.matching.escapes import are_many, unescaped

        short = codes.SHORT_LINES[CHARSETS[charset]]
        if CHARSETS[charset] != codes.UTF8 or not are_many(raw):
            rows, breaks = self.lines(raw, charset=charset, crowd=crowd)
            return list(_spans(raw, rows, short)), breaks
        text, starts = unescaped(raw)
        rows, breaks = self.lines(text, crowd=crowd)
        edges = np.append(starts, len(raw))
        spans = []
        for line, low, high in _spans(text, rows, short):
            last = line + text.count(b"\n", low, high) + (text[high - 1] != 10)
            spans.append((line, int(edges[line]), int(edges[last])))
        return spans, breaks

    def may_hold(self, text: str, *, crowd: int = 0) -> bool:
        """Tell whether a short text may hold a bait at all."""
        raw = text.encode("utf-8", "surrogatepass")
        return len(self.lines(raw, crowd=crowd)[0]) > 0


def _in_order(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort rows by line; of those of one line keep the one that asks for more."""
    if len(rows) < 2 or (np.diff(rows[:, 0]) > 0).all():
        return rows
    rows = rows[np.lexsort((-rows[:, 3], rows[:, 0]))]
    is_first = np.append(True, np.diff(rows[:, 0]) > 0)
    kept: NDArray[np.int64] = rows[is_first]
    return kept


def _address(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)


@cache
def _fixed() -> NDArray[np.int64]:
    """Return a block for the inner loop with what is the same for every sieve."""
    from canary.matching.probes import ALL_WORDS

    block = np.zeros(ALL_WORDS, dtype=np.int64)
    found, digits, folds = codes.classes()
    two_bytes, four_bytes = codes.wide_codes()
    for place, array in (
        (codes.CLASSES, found), (codes.ASCII_SORTS, codes.ascii_sorts()), (codes.DIGITS, digits),
        (codes.FOLDS, folds), (codes.PARTS, codes.parts()),
        (codes.SPOKEN_STARTS, codes.spoken_starts()), (codes.TWO_BYTES, two_bytes),
        (codes.FOUR_BYTES, four_bytes),
    ):  # fmt: skip
        block[place // 8] = _address(array)
    block[codes.PARTS_COUNT // 8] = len(codes.parts())
    block[codes.RINGS_AT // 8 : codes.BLOCK_WORDS] = -1
    block[[codes.MASKED_AT // 8, codes.LATIN_AT // 8]] = -1
    return block


def _spans(raw: bytes, rows: NDArray[np.int64], short: int) -> Iterator[Span]:
    """Join passing lines, and the lines around them where these count, into runs of lines."""
    open_: Span | None = None
    for line, start, end, how in rows.tolist():
        around = CONTEXT if how == codes.AROUND else 0
        if end - start < short:
            around = CONTEXT_SHORT
        first, low = _back(raw, line, start, around)
        high = _forth(raw, end, around)
        if open_ is not None and low <= open_[2]:
            open_ = (open_[0], open_[1], max(high, open_[2]))
            continue
        if open_ is not None:
            yield open_
        open_ = (first, low, high)
    if open_ is not None:
        yield open_


def _back(raw: bytes, line: int, start: int, count: int) -> tuple[int, int]:
    """Return index and start of the line so many lines before."""
    while count and start:
        start = raw.rfind(b"\n", 0, start - 1) + 1
        line -= 1
        count -= 1
    return line, start


def _forth(raw: bytes, end: int, count: int) -> int:
    """Return the end of the line so many lines after."""
    while count and end < len(raw):
        found = raw.find(b"\n", end)
        end = len(raw) if found < 0 else found + 1
        count -= 1
    return end


@dataclass(slots=True, kw_only=True)
class _Entries:
    """Tagged values of a few baits, ready for the table."""

    starts: Starts
    values: list[int] = field(default_factory=list)
    rare: list[bool] = field(default_factory=list)
    has_names: bool = False
    has_ten: bool = False
    has_short: bool = False

    def add(self, values: BaitValues) -> None:
        for text in (values.number, (values.phone or "").partition("-")[0]):
            digits = "".join(ch for ch in text or "" if ch.isdigit())
            if len(digits) >= 11:
                self._put(codes.TAG_NUMBER ^ int(digits[-11:], 16))
            elif len(digits) == 10:
                self.has_ten = True
                self._put(codes.TAG_TEN ^ int(digits, 16))
            elif len(digits) >= 6:
                self.has_short = True
                self._put(codes.TAG_SHORT ^ int(digits[-6:], 16))
        city = self._city(values.city)
        if values.name:
            self._add_name(names.fold_name(values.name), city)
        place = place_of(values.detail)
        if place is not None:
            self.has_names = True
            value = codes.polynomial(place[0])
            value = (value * codes.PRIME + int(place[1], 16)) & codes.WORD
            self._put_with_city(codes.TAG_PLACE, value, city, is_rare=False)

    def _city(self, city: str) -> int | None:
        folded = names.fold_name(city)[:2]
        if len(folded) < 2 or ord(max(folded)) > 0xFFFF:
            return None
        self._mark(folded[0], codes.CITY_FIRST)
        self._mark(folded[1], codes.CITY_SECOND)
        return codes.polynomial(folded)

    def _add_name(self, name: str, city: int | None) -> None:
        is_rare = names.name_chance(name) < RARE
        self.has_names = True
        if 2 <= len(name) <= 4 and ord(name[0]) <= 0xFFFF:
            lengths = codes.STARTS_TWO, codes.STARTS_THREE, codes.STARTS_FOUR
            self._mark(name[0], lengths[len(name) - 2])
            self._put_with_city(codes.TAG_NAME, codes.polynomial(name), city, is_rare=is_rare)
        reading = names.reading_of(name)
        if reading:
            self._put(codes.TAG_LATIN ^ codes.polynomial(reading) >> 4, is_rare=is_rare)

    def _mark(self, ch: str, start: int) -> None:
        for code in codes.twins().get(ch, (ord(ch),)):
            if code <= 0xFFFF:
                self.starts[code] |= start

    def _put_with_city(self, tag: int, value: int, city: int | None, *, is_rare: bool) -> None:
        self._put(tag ^ value >> 4, is_rare=is_rare)
        if city is not None and not is_rare:
            both = (value * codes.PRIME + city) & codes.WORD
            self._put(codes.TAG_BOTH ^ both >> 4)

    def _put(self, tagged: int, *, is_rare: bool = False) -> None:
        self.values.append(tagged)
        self.rare.append(is_rare)


def empty_sieve(entries: int) -> Sieve:
    """Return a sieve with room for so many entries."""
    size = max(_SMALLEST, int(entries / _LOAD))
    return Sieve(
        table=np.zeros(size, dtype=np.uint32),
        bits=np.zeros(1 << int(size // 16).bit_length(), dtype=np.uint64),
        starts=codes.first_starts().copy(),
    )


def sieve_of(baits: Iterable[BaitValues]) -> Sieve:
    """Build the sieve of a register."""
    baits = list(baits)
    sieve = empty_sieve(sum(_entries_of(values) for values in baits))
    sieve.add(baits)
    return sieve


def _entries_of(values: BaitValues) -> int:
    return (
        (values.number is not None)
        + (values.phone is not None)
        + 3 * bool(values.name)
        + (2 * bool(values.detail))
    )
