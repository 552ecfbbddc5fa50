"""What each character is to the sieve, and how the sieve hashes values."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from canary.matching import disguise, masks, runs, tables

SPAN = 0x20000
DIGIT, LETTER, DRAWN, COMPLEX, STAR, HAN, SOFT, SOUND, DULL, OPENER = (1 << n for n in range(10))
NO_DIGIT = 15
TAG_NUMBER, TAG_SHORT, TAG_NAME, TAG_LATIN, TAG_PLACE, TAG_BOTH = (n << 60 for n in range(1, 7))
STARTS_TWO, STARTS_THREE, STARTS_FOUR, CITY_FIRST, CITY_SECOND = (1 << n for n in range(5))
WORD = 2**64 - 1
PRIME = 0x9E3779B97F4A7C15
SECOND_PRIME = 0xD6E8FEB86659FD93
LIKELY, AROUND = 1, 2  # how a line passes: by itself, or with the lines around it
SHORT_LINE = 60
RING = 8
UTF8, GB18030 = 0, 1
_SPOKEN = "ze li do on ya yi tw er th sa fo si fi wu se qi gu ei ba ni ji go"


@cache
def classes() -> tuple[NDArray[np.uint16], NDArray[np.uint8], NDArray[np.int32]]:
    """Return what each code point is to the sieve, the digit it is, and what it folds to."""
    found = np.zeros(SPAN, dtype=np.uint16)
    digits = np.full(SPAN, NO_DIGIT, dtype=np.uint8)
    folds = np.array(tables.fold_table()[:SPAN], dtype=np.int32)
    folds = np.concatenate([folds, np.arange(len(folds), SPAN, dtype=np.int32)])
    every = "".join(map(chr, range(SPAN)))
    found[0x3400:0xA000] |= HAN
    for flag, members in (
        (SOFT, runs.soft_of(every)),
        (LETTER, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        (DRAWN, "".join(map(chr, tables.lookalikes()))),
        (STAR, masks.STARS),
        (SOUND, "".join(map(chr, tables.homophones()))),
        (DULL, "xX_?#·."),
    ):
        found[[ord(ch) for ch in members]] |= flag
    numerals = {ord(str(digit)): str(digit) for digit in range(10)} | tables.han_digits()
    for code, digit in numerals.items():
        found[code] |= DIGIT
        digits[code] = int(digit)
    found, digits = found[folds], digits[folds]
    found[[ord(ch) for ch in disguise.suspects_of(every)]] |= COMPLEX
    found[[ord(ch) for ch in "&%\\<"]] |= OPENER
    found[[0x5C3E, 0x672B, 0x540E]] |= OPENER  # 尾, 末, 后: four digits may be told by them
    return found, digits, folds


@cache
def plain_codes() -> NDArray[np.bool_]:
    """Return which code points are Han characters and nothing else; small enough to stay near."""
    return np.equal(classes()[0], HAN)


@cache
def wide_codes() -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.uint16]]:
    """Return GB18030's two-byte code points, which are plain Han, and its four-byte code points.

    0xFFFD where there is none.
    """
    two = np.full(126 * 192, 0xFFFD, dtype=np.uint16)
    for lead in range(0x81, 0xFF):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFF)):
            text = bytes((lead, trail)).decode("gb18030", "replace")
            if len(text) == 1:
                two[(lead - 0x81) * 192 + trail - 0x40] = ord(text)
    four = np.full(39420, 0xFFFD, dtype=np.uint16)
    for code in range(0x80, 0x10000):
        raw = b"" if 0xD800 <= code < 0xE000 else chr(code).encode("gb18030")
        if len(raw) == 4:
            index = ((raw[0] - 0x81) * 10 + raw[1] - 0x30) * 1260
            four[index + (raw[2] - 0x81) * 10 + raw[3] - 0x30] = code
    return two, plain_codes()[two], four


@cache
def spoken_starts() -> NDArray[np.bool_]:
    """Return, per pair of letters, whether a word that begins so may be a spoken digit."""
    starts = np.zeros(26 * 26, dtype=np.bool_)
    for pair in _SPOKEN.split():
        starts[(ord(pair[0]) - 97) * 26 + ord(pair[1]) - 97] = True
    return starts


def polynomial(text: str) -> int:
    """Return the polynomial hash of a folded text, as the kernel sums it."""
    value = 0
    for ch in text:
        value = (value * PRIME + ord(ch)) & WORD
    return value
