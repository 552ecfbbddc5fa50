"""What each character is to the sieve, and how the sieve hashes values."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from canary.matching import disguise, masks, names, runs, tables

SPAN = 0x20000
DIGIT, LETTER, DRAWN, COMPLEX, STAR, HAN, SOFT, SOUND, DULL, OPENER = (1 << n for n in range(10))
NO_DIGIT = 15
TAG_NUMBER, TAG_TEN, TAG_SHORT, TAG_NAME, TAG_LATIN, TAG_PLACE, TAG_BOTH = (
    n << 60 for n in range(1, 8)
)
(
    STARTS_TWO, STARTS_THREE, STARTS_FOUR, CITY_FIRST, CITY_SECOND, PART_FIRST, NOT_PLAIN,
    ONLY_SOUND,
) = (1 << n for n in range(8))  # fmt: skip
ASCII_PLAIN, ASCII_DIGIT, ASCII_LETTER, ASCII_LINE, ASCII_OTHER = range(5)
WORD = 2**64 - 1
PRIME = 0x9E3779B97F4A7C15
SECOND_PRIME = 0xD6E8FEB86659FD93
LIKELY, AROUND = 1, 2  # how a line passes: by itself, or with the lines around it
RING = 8
UTF8, GB18030 = 0, 1
SHORT_LINES = 60, 42  # bytes, about twenty Han characters in either charset

# Where things stand in a block, in bytes from its start.
(
    DATA, SIZE, CHARSET, CROWDED, HAS_NAMES, HAS_TEN, HAS_SHORT, OUT, BLOCK_START,
    CLASSES, ASCII_SORTS, QUICK, PAIRS, DIGITS, FOLDS, PARTS, PARTS_COUNT, SPOKEN_STARTS,
    TWO_BYTES, FOUR_BYTES, TABLE, TABLE_SIZE, BITS, BITS_MASK, LINE, LINE_START, OUT_AT,
    DRAWN_FOUND, DRAWN_WAITING, MASKED_AT, LATIN_AT, TURNS,
) = range(0, 256, 8)  # fmt: skip
RING_NAMES, RING_CITIES, RING_PLACES = range(3)
RINGS = TURNS + 3 * 8
RINGS_AT = RINGS + 3 * 8 * RING
BLOCK_WORDS = (RINGS_AT + 3 * 8 * RING) // 8

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
    for code, digit in tables.lookalikes().items():
        if not found[code] & DIGIT:
            digits[code] = int(digit)
    found, digits = found[folds], digits[folds]
    found[[ord(ch) for ch in disguise.suspects_of(every)]] |= COMPLEX
    found[0xD800:0xE000] |= COMPLEX  # pairs of them, encoded one by one, may be any character
    found[[ord(ch) for ch in "&%\\<"]] |= OPENER
    found[[0x5C3E, 0x672B, 0x540E]] |= OPENER  # 尾, 末, 后: four digits may be told by them
    return found, digits, folds


@cache
def ascii_sorts() -> NDArray[np.uint8]:
    """Return what to do with each ASCII character; most signs stand there and mean nothing."""
    kinds = classes()[0][:128]
    sorts = np.full(128, ASCII_OTHER, dtype=np.uint8)
    sorts[kinds == SOFT] = ASCII_PLAIN
    sorts[(kinds & DIGIT) > 0] = ASCII_DIGIT
    sorts[(kinds & LETTER) > 0] = ASCII_LETTER
    sorts[10] = ASCII_LINE
    return sorts


@cache
def first_starts() -> NDArray[np.uint8]:
    """Return what a sieve of no baits knows of each character that two bytes can tell."""
    kinds = classes()[0][:0x10000]
    starts = np.where(kinds == HAN, 0, NOT_PLAIN).astype(np.uint8)
    starts[kinds == HAN | SOUND] = ONLY_SOUND
    starts[parts()[:, 0]] |= PART_FIRST
    return starts


@cache
def parts() -> NDArray[np.int64]:
    """Return the two characters that a surname falls into, folded, and the surname."""
    rows = [(*pair, surname) for pair, surname in names.PARTS.items()]
    return np.array([[ord(names.fold_name(ch)) for ch in row] for row in rows], dtype=np.int64)


@cache
def twins() -> dict[str, list[int]]:
    """Return all characters that fold to a Han character, itself included."""
    found: dict[str, list[int]] = {}
    for code, folded in tables.variants().items():
        found.setdefault(folded, [ord(folded)]).append(code)
    return found


@cache
def wide_codes() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return GB18030's two-byte code points, and its four-byte ones; 0xFFFD where none is."""
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
    return two, four


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
