"""The fast sieve: which lines of a large text may hold a bait at all.

It only has to be complete: whatever the exact engine would find in a line, the sieve lets the
line pass, and a test holds the two together. It reads UTF-8 bytes once, follows digits over
separators as the engine does, and looks the last ten digits of each group, each run of two to
four Han characters and each one to three Latin words up in one open-addressing table
(about 20 bytes an identifier). Lines with markup, escapes, invisible characters or masks pass
as they are.
Needs numba, the `scan` extra; without it every line goes to the exact engine.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canary.domain.identifiers import BaitValues
from canary.matching import disguise, masks, names, runs, tables

_SPAN = 0x20000
_DIGIT, _LETTER, _DRAWN, _COMPLEX, _STAR, _HAN, _SOFT, _SOUND = 1, 2, 4, 8, 16, 32, 64, 128
_PRIME = 0x9E3779B97F4A7C15
_TAG_NUMBER, _TAG_SHORT, _TAG_NAME, _TAG_LATIN = 1 << 60, 2 << 60, 3 << 60, 4 << 60
CONTEXT = 2  # lines kept around a line that passes
CONTEXT_SHORT = 12  # the same for short lines, which may be a labelled block
SHORT_LINE = 60

Table = NDArray[np.uint64]


def is_available() -> bool:
    """Tell whether numba is installed."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """The table of one register; build it once, use it for every block."""

    table: Table
    bits: NDArray[np.uint8]
    facts: NDArray[np.int64]
    has_short: bool

    def passing(self, raw: bytes) -> list[tuple[int, int, int]]:
        """Return line index, start and end (bytes) of each run of lines to look at."""
        data = np.frombuffer(raw, dtype=np.uint8)
        lines = raw.count(b"\n") + 1
        passed, starts = _kernel()(data, lines, self.facts, self.table, self.bits, self.has_short)
        return _spans(passed, starts, len(raw))


def _spans(
    passed: NDArray[np.uint8], starts: NDArray[np.int64], size: int
) -> list[tuple[int, int, int]]:
    """Join passing lines with their context into runs of lines."""
    found: list[tuple[int, int]] = []
    count = len(passed)
    for index in np.flatnonzero(passed).tolist():
        width = (int(starts[index + 1]) if index + 1 < count else size) - int(starts[index])
        around = CONTEXT_SHORT if width < SHORT_LINE else CONTEXT
        first, last = max(0, index - around), min(count - 1, index + around)
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return [
        (first, int(starts[first]), int(starts[last + 1]) if last + 1 < count else size)
        for first, last in found
    ]


def sieve_of(baits: Iterable[BaitValues]) -> Sieve:
    """Build the sieve of a register."""
    hashes: set[int] = set()
    surnames = np.zeros(_SPAN, dtype=np.uint8)
    has_short = False
    for values in baits:
        for text in (values.number, (values.phone or "").partition("-")[0]):
            digits = "".join(ch for ch in text or "" if ch.isdigit())
            if len(digits) >= 10:
                hashes.add(_TAG_NUMBER + int(digits[-10:], 16))
            elif len(digits) >= 6:
                has_short = True
                hashes.add(_TAG_SHORT + int(digits[-6:], 16))
        if values.name:
            _add_name(names.fold_name(values.name), hashes, surnames)
    table, bits = _table(hashes)
    return Sieve(table=table, bits=bits, facts=_facts(surnames), has_short=has_short)


def _facts(surnames: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pack what the sieve knows of a code point: class, surname, digit (15 none), fold."""
    classes, digits, folds = _classes()
    packed = classes.astype(np.int64) | surnames[folds].astype(np.int64) << 8
    return packed | (digits.astype(np.int64) & 15) << 12 | folds.astype(np.int64) << 16


def _add_name(name: str, hashes: set[int], surnames: NDArray[np.uint8]) -> None:
    if 2 <= len(name) <= 4 and ord(name[0]) < _SPAN:
        surnames[ord(name[0])] = 1
        hashes.add(_TAG_NAME + (_polynomial(name) >> 4))
    reading = names.reading_of(name)
    if reading:
        hashes.add(_TAG_LATIN + (_polynomial(reading) >> 4))


def _polynomial(text: str) -> int:
    value = 0
    for ch in text:
        value = (value * _PRIME + ord(ch)) & (2**64 - 1)
    return value


def _table(hashes: Iterable[int]) -> tuple[Table, NDArray[np.uint8]]:
    """Lay hashes out by open addressing, at most half full, with four bits a slot before it.

    Zero is an empty slot. The bits are small enough to stay near the processor.
    """
    wanted = np.fromiter(hashes, dtype=np.uint64)
    size = 1 << max(10, int(len(wanted) * 2 - 1).bit_length())
    table: Table = np.zeros(size, dtype=np.uint64)
    bits = np.zeros(size // 2, dtype=np.uint8)
    _filler()(table, bits, wanted)
    return table, bits


@cache
def _classes() -> tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.int32]]:
    """Return what each code point is to the sieve, the digit it is, and what it folds to."""
    classes = np.zeros(_SPAN, dtype=np.uint8)
    digits = np.full(_SPAN, -1, dtype=np.int8)
    folds = np.array(tables.fold_table()[:_SPAN], dtype=np.int32)
    folds = np.concatenate([folds, np.arange(len(folds), _SPAN, dtype=np.int32)])
    every = "".join(map(chr, range(_SPAN)))
    classes[0x3400:0xA000] |= _HAN
    for flag, members in (
        (_SOFT, runs.soft_of(every)),
        (_LETTER, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        (_DRAWN, "".join(map(chr, tables.lookalikes()))),
        (_STAR, masks.STARS),
        (_SOUND, "".join(map(chr, tables.homophones()))),
    ):
        classes[[ord(ch) for ch in members]] |= flag
    numerals = {ord(str(digit)): str(digit) for digit in range(10)} | tables.han_digits()
    for code, digit in numerals.items():
        classes[code] |= _DIGIT
        digits[code] = int(digit)
    classes, digits = classes[folds], digits[folds]
    classes[[ord(ch) for ch in disguise.suspects_of(every)]] |= _COMPLEX
    return classes, digits, folds


@cache
def _filler() -> Any:
    import numba

    def fill(table: Any, bits: Any, wanted: Any) -> None:
        mask = np.uint64(len(table) - 1)
        wide = np.uint64(len(bits) * 8 - 1)
        for value in wanted:
            mixed = (value * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
            bits[(mixed & wide) >> np.uint64(3)] |= np.uint8(1) << np.uint8(mixed & np.uint64(7))
            at = mixed & mask
            while table[at] != 0 and table[at] != value:
                at = (at + np.uint64(1)) & mask
            table[at] = value

    return numba.njit(cache=True, nogil=True)(fill)


@cache
def _kernel() -> Any:
    """Compile the kernel; the compilation is cached beside this file or in the user's cache."""
    import numba

    return numba.njit(cache=True, nogil=True)(_look_through)


def _look_through(  # noqa: C901 - one pass, one function: calls would cost half the speed
    data: Any, lines: Any, facts: Any, table: Any, bits: Any, has_short: Any,
) -> Any:  # fmt: skip  # pragma: no cover
    """Read all bytes once; compiled by numba, so written in its plain subset of Python."""
    passed = np.zeros(lines, dtype=np.uint8)
    starts = np.zeros(lines, dtype=np.int64)
    mask = np.uint64(len(table) - 1)
    wide, three, seven = np.uint64(len(bits) * 8 - 1), np.uint64(3), np.uint64(7)
    prime = np.uint64(0x9E3779B97F4A7C15)
    mixer = np.uint64(0x9E3779B97F4A7C15)
    tag_number, tag_short = np.uint64(1 << 60), np.uint64(2 << 60)
    tag_name, tag_latin = np.uint64(3 << 60), np.uint64(4 << 60)
    shift4, shift20, one, zero = np.uint64(4), np.uint64(20), np.uint64(1), np.uint64(0)
    line = 0
    acc, count, gap, group = zero, 0, 0, 0
    forty = np.uint64((1 << 40) - 1)  # ten digits of four bits
    pending = True
    drawn, left = False, 0
    before, before2 = 0, 0  # classes of the two characters before
    h1, h2, h3, h4 = zero, zero, zero, zero  # the last four Han characters
    known, han_gap, apart = 0, 0, 0
    s1, s2, s3, s4 = 0, 0, 0, 0  # whether surnames
    w1, w2, w3 = zero, zero, zero  # hashes of the last three Latin words
    p1, p2, p3 = one, one, one  # prime to the power of their lengths
    words, word_gap = 0, 0
    wh, wp, wb, wc, wd, lettering = zero, one, zero, 0, 0, False
    latin_run, sound, sound_gap, sound_wide = 0, 0, 0, 0
    stars, last, since = 0, 0, 9  # since: characters since a letter or digit
    size = len(data)
    at = 0
    while at <= size:
        # One character; the end counts as a line break, so that nothing stays pending.
        if at == size:
            code, at = 10, at + 1
        else:
            byte = data[at]
            if byte < 0x80:
                code, at = int(byte), at + 1
            elif byte < 0xE0 and at + 1 < size:
                code, at = (int(byte) & 31) << 6 | int(data[at + 1]) & 63, at + 2
            elif byte < 0xF0 and at + 2 < size:
                code = (
                    (int(byte) & 15) << 12 | (int(data[at + 1]) & 63) << 6 | int(data[at + 2]) & 63
                )
                at += 3
            elif at + 3 < size:
                code = (
                    (int(byte) & 7) << 18 | (int(data[at + 1]) & 63) << 12
                    | (int(data[at + 2]) & 63) << 6 | int(data[at + 3]) & 63
                )  # fmt: skip
                at += 4
            else:
                code, at = 0xFFFD, at + 1
        if code >= 0xE0000:
            passed[line] = 1
        fact = facts[code] if code < 0x20000 else 64 | 15 << 12
        kind = fact & 255
        if kind & 8:
            passed[line] = 1
        # Where markup, entities and escapes may begin, what follows decides.
        if (code == 38 or code == 37 or code == 92 or code == 60) and at < size:
            follows = data[at]
            is_word = 48 <= follows <= 57 or 65 <= follows <= 90 or 97 <= follows <= 122
            if is_word or follows == 35 or follows == 47 or follows == 33:
                passed[line] = 1
        digit = fact >> 12 & 15
        if digit == 15:
            digit = -1
        if group > 0 and code < 58 and digit >= 0:
            # A group goes on: nothing but the digit itself can matter.
            acc = (acc << shift4 | np.uint64(digit)) & forty
            count += 1
            group += 1
            sound += 1
            if drawn and count >= 7:
                passed[line] = 1
            if sound >= 11 and sound_wide >= 6:
                passed[line] = 1
            since = 0
            last = code
            before2, before = before, kind
            continue
        if kind != 32 or pending:
            # Everything but a plain Han character with nothing open before it.
            pending = kind != 32
            # A group of digits ends here: look its last ten up.
            if digit < 0 and group > 0:
                if kind & 4:
                    drawn = True
                if left == 2 and group < 10:
                    drawn = True
                if count >= 10:
                    value = tag_number + acc
                    slot = (value * mixer) >> shift20
                    if bits[(slot & wide) >> three] >> (slot & seven) & one:
                        slot &= mask
                        while table[slot] != zero:
                            if table[slot] == value:
                                passed[line] = 1
                                break
                            slot = (slot + one) & mask
                if has_short and count >= 6:
                    value = tag_short + (acc & np.uint64(0xFFFFFF))
                    slot = (value * mixer) >> shift20
                    if bits[(slot & wide) >> three] >> (slot & seven) & one:
                        slot &= mask
                        while table[slot] != zero:
                            if table[slot] == value:
                                passed[line] = 1
                                break
                            slot = (slot + one) & mask
                if drawn and count >= 7:
                    passed[line] = 1
                group = 0
            if digit >= 0:
                if group == 0:
                    left = 0
                    if before & 4:
                        left = 2 if before2 & 2 else 1
                        if left == 1:
                            drawn = True
                acc = (acc << shift4 | np.uint64(digit)) & forty
                count += 1
                group += 1
                gap = 0
                if drawn and count >= 7:
                    passed[line] = 1
            elif count > 0:
                gap += 1
                if gap > 3 or not (kind & (2 | 4 | 64)):
                    acc, count, gap, drawn = zero, 0, 0, (kind & 4) != 0
            # Masks: stars that touch letters or digits.
            is_dull = (
                code == 120
                or code == 88
                or code == 95
                or code == 63
                or code == 35
                or code == 183
                or code == 46
            )
            if kind & 16 or (is_dull and last == code):
                stars = 1 if since <= 2 or stars == 1 else 2
                if stars == 1:
                    passed[line] = 1
            elif stars > 0:
                if kind & 3:
                    passed[line] = 1
                if not (code == 32 or code == 45):
                    stars = 0
            if kind & 3:
                since = 0
            elif code == 32 or code == 45 or kind & 16 or is_dull:
                since += 1
            else:
                since = 9
            # 尾号1865, 后四位, 末四位, last four
            is_four = at + 1 < size and (data[at] == 52 or data[at + 1] == 0x9B)
            if code == 0x5C3E or code == 0x672B or (code == 0x540E and is_four):
                passed[line] = 1
            # Sounds: eleven characters that sound like digits.
            if kind & 128 or digit >= 0:
                sound += 1
                sound_gap = 0
                if code > 127:
                    sound_wide += 1
                if sound >= 11 and sound_wide >= 6:
                    passed[line] = 1
            elif sound > 0:
                sound_gap += 1
                if sound_gap > 2 or not (kind & 64):
                    sound, sound_wide = 0, 0
            # Spoken digits: a long run of Latin letters, blanks and light punctuation.
            if kind & 2 or code == 32 or code == 44 or code == 46 or code == 95 or code == 45:
                latin_run += 1
                if latin_run == 14 and words >= 2:
                    passed[line] = 1
            else:
                latin_run = 0
            # Pinyin: one to three Latin words, the surname first or last.
            if kind & 2:
                letter = (fact >> 16) | 32
                if not lettering:
                    if word_gap > 2:
                        words = 0
                    wh, wp, wb, wc, wd, lettering = zero, one, zero, 0, 0, True
                if letter == 117 and wc == 121 and (wd == 108 or wd == 110):
                    wh = wb * prime + np.uint64(118)
                else:
                    wb = wh
                    wh = wh * prime + np.uint64(letter)
                    wp = wp * prime
                wd, wc = wc, letter
            else:
                if lettering:
                    lettering, word_gap = False, 0
                    w1, w2, w3 = w2, w3, wh
                    p1, p2, p3 = p2, p3, wp
                    words = min(3, words + 1)
                    for way in range(5):
                        if way == 0:
                            value = w3
                        elif way == 1 and words >= 2:
                            value = w2 * p3 + w3
                        elif way == 2 and words >= 3:
                            value = (w1 * p2 + w2) * p3 + w3
                        elif way == 3 and words >= 2:
                            value = w3 * p2 + w2
                        elif way == 4 and words >= 3:
                            value = (w3 * p1 + w1) * p2 + w2
                        else:
                            continue
                        value = tag_latin + (value >> shift4)
                        slot = (value * mixer) >> shift20
                        if bits[(slot & wide) >> three] >> (slot & seven) & one:
                            slot &= mask
                            while table[slot] != zero:
                                if table[slot] == value:
                                    passed[line] = 1
                                    break
                                slot = (slot + one) & mask
                word_gap += 1
        # Names: two to four Han characters, blanks between them passed over.
        if kind & 32:
            if known > 0 and han_gap > 3:
                known = 0
            apart = 1 if han_gap > 0 else 0
            h1, h2, h3, h4 = h2, h3, h4, np.uint64(fact >> 16)
            known = min(4, known + 1)
            han_gap = 0
            s1, s2, s3 = s2, s3, s4
            s4 = fact >> 8 & 1
            if s1 | s2 | s3 | (s4 & apart):
                for length in range(2, 7):
                    # Two to four as read; 5 and 6 are surname last.
                    if length == 2 and known >= 2 and s3:
                        value = h3 * prime + h4
                    elif length == 3 and known >= 3 and s2:
                        value = (h2 * prime + h3) * prime + h4
                    elif length == 4 and known >= 4 and s1:
                        value = ((h1 * prime + h2) * prime + h3) * prime + h4
                    elif length == 5 and apart and known >= 2 and s4:
                        value = h4 * prime + h3
                    elif length == 6 and apart and known >= 3 and s4:
                        value = (h4 * prime + h2) * prime + h3
                    else:
                        continue
                    value = tag_name + (value >> shift4)
                    slot = (value * mixer) >> shift20
                    if bits[(slot & wide) >> three] >> (slot & seven) & one:
                        slot &= mask
                        while table[slot] != zero:
                            if table[slot] == value:
                                passed[line] = 1
                                break
                            slot = (slot + one) & mask
        elif code == 32 or code == 46 or code == 183 or code == 0x3000 or code == 0xA0:
            han_gap += 1
        else:
            known, han_gap = 0, 0
        last = code
        before2, before = before, kind
        if code == 10 and at < size:
            line += 1
            starts[line] = at
    return passed, starts
