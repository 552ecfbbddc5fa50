"""What the sieve's inner loop does again and again: read bytes, characters and its table.

Compiled by numba, which this module needs; for machines whose lowest byte comes first. Arrays
are given by their addresses, because numba counts the users of each array at each call, which
took a third of the time: `codes` says where the addresses, and what is remembered, stand in one
array of 64-bit words, which is all that the functions here are given.
"""

# mypy: ignore-errors
# ruff: noqa: ARG001
import os
from functools import cache
from hashlib import sha256
from pathlib import Path

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from canary.matching.codes import (
    AROUND,
    BITS,
    BITS_MASK,
    BLOCK_START,
    BLOCK_WORDS,
    CHARSET,
    CROWDED,
    DATA,
    DRAWN_FOUND,
    DRAWN_WAITING,
    FOLDS,
    FOUR_BYTES,
    HAS_SHORT,
    HAS_TEN,
    LATIN_AT,
    LIKELY,
    LINE,
    LINE_START,
    MASKED_AT,
    OUT,
    OUT_AT,
    PRIME,
    RING,
    RING_CITIES,
    RING_NAMES,
    RING_PLACES,
    RINGS,
    RINGS_AT,
    SECOND_PRIME,
    SIZE,
    SPAN,
    TABLE,
    TABLE_SIZE,
    TAG_BOTH,
    TAG_LATIN,
    TAG_NUMBER,
    TAG_PLACE,
    TAG_SHORT,
    TAG_TEN,
    TURNS,
    TWO_BYTES,
    UTF8,
)

P = np.uint64(PRIME)
_Q, _BOTH = np.uint64(SECOND_PRIME), np.uint64(TAG_BOTH)
_LATIN, _PLACE = np.uint64(TAG_LATIN), np.uint64(TAG_PLACE)
_NUMBER, _TEN, _SHORT = np.uint64(TAG_NUMBER), np.uint64(TAG_TEN), np.uint64(TAG_SHORT)
_0, _1, _2, _4, _6, _12, _32 = (np.uint64(n) for n in (0, 1, 2, 4, 6, 12, 32))
_SIX_BITS, _LOW, _SIX_DIGITS = np.uint64(63), np.uint64(0xFFFFFFFF), np.uint64(0xFFFFFF)
LAST_DIGITS, _TEN_DIGITS = (1 << 44) - 1, (1 << 40) - 1  # eleven of them, as phones have
_EVEN, _TAKEN, _RARE = np.uint32(0xFFFFFFFE), np.uint32(2), np.uint32(1)
_PRINT = np.uint64(0xFFFFFFFE)
_ZEROS, _BEYOND_NINE = np.int64(0x3030303030303030), np.int64(0x7676767676767676)
_HIGH_BITS = np.int64(-0x7F7F7F7F7F7F7F80)


_HERE = Path(__file__).parent
_COMPILED = "codes", "escapes", "kernel", "lookup", "probes"
_SOURCES = [_HERE / f"{name}.py" for name in _COMPILED]


@cache
def _shelf() -> str:
    """Return where the compiled code of just these sources is kept, "" for nowhere.

    numba would look at the age of one file alone; here constants come from another.
    """
    digest = sha256(b"".join(one.read_bytes() for one in _SOURCES)).hexdigest()[:16]
    own = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for folder in (_HERE / "__pycache__", Path(own) / "waybill-canary"):
        shelf = folder / f"kernel-{digest}"
        try:
            shelf.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(shelf, os.W_OK):
            return str(shelf)
    return ""


def compiled(function):
    """Compile when first called, twelve seconds of CPU for all; the outcome is kept on disk."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = before or _shelf()
    try:
        return numba.njit(cache=bool(numba.config.CACHE_DIR), nogil=True)(function)
    finally:
        numba.config.CACHE_DIR = before


# Behind the block: what waits to be looked up, and how many; then digits partly drawn.
QUEUE_LENGTH = DRAWN_LENGTH = 16
WAITING = 8 * BLOCK_WORDS
QUEUE = WAITING + 8
DRAWN_QUEUE = QUEUE + 32 * QUEUE_LENGTH
ALL_WORDS = DRAWN_QUEUE // 8 + DRAWN_LENGTH


def _loaded(bits):
    """Return an intrinsic that reads so many bits at an address; nothing looks what is there."""

    @intrinsic
    def load(typing, address):
        def build(context, builder, signature, arguments):
            place = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            found = builder.load(place, align=1)
            return found if bits == 64 else builder.zext(found, ir.IntType(64))

        return types.int64(types.int64), build

    return load


byte_at, pair_at, quad_at, word_at = (_loaded(bits) for bits in (8, 16, 32, 64))


@intrinsic
def put(typing, address, word):
    """Write a word at an address."""

    def build(context, builder, signature, arguments):
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        builder.store(arguments[1], place, align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), build


@intrinsic
def _fetch(typing, address):
    """Have what stands at an address brought near, without waiting for it."""

    def build(context, builder, signature, arguments):
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        place = builder.inttoptr(arguments[0], byte)
        builder.call(function, [place, *(ir.Constant(number, one) for one in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(types.int64), build


@intrinsic
def _zero_bytes(typing, word):
    """Return how many of the first bytes of a word are zero."""

    def build(context, builder, signature, arguments):
        found = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.lshr(found, ir.Constant(ir.IntType(64), 3))

    return types.int64(types.int64), build


@intrinsic
def _turned(typing, word):
    """Return a word with its bytes in the other order."""

    def build(context, builder, signature, arguments):
        return builder.bswap(arguments[0])

    return types.int64(types.int64), build


def _digits_at(address):  # pragma: no cover
    """Return how many of eight bytes are digits from the first on, and these, four bits each."""
    word = word_at(address) ^ _ZEROS
    count = _zero_bytes((word + _BEYOND_NINE | word) & _HIGH_BITS)
    if count == 0:
        return 0, 0
    word = _turned(word) >> (64 - 8 * count)
    word = (word | word >> 4) & 0x00FF00FF00FF00FF
    word = (word | word >> 8) & 0x0000FFFF0000FFFF
    return count, (word | word >> 16) & 0xFFFFFFFF


digits_at = compiled(_digits_at)


def _mixed(value):  # pragma: no cover
    """Return the hash of a tagged value."""
    value = value * P
    return (value ^ value >> _32) * _Q


mix = compiled(_mixed)


def _has(block, value):  # pragma: no cover
    """Return 0 when a tagged value is not in the table, 2 when it is, 3 when it is rare."""
    return has_mixed(block, mix(value))


def _has_mixed(block, mixed):  # pragma: no cover
    """Return the same for the hash of a tagged value."""
    wanted = _1 << (mixed & _SIX_BITS) | _1 << (mixed >> _6 & _SIX_BITS)
    place = np.int64(mixed >> _12) & word_at(block + BITS_MASK)
    if np.uint64(word_at(word_at(block + BITS) + 8 * place)) & wanted != wanted:
        return 0
    table, size = word_at(block + TABLE), word_at(block + TABLE_SIZE)
    slot = np.int64((mixed >> _32) * np.uint64(size) >> _32)
    print_ = np.int64(mixed & _PRINT | _2)
    found = quad_at(table + 4 * slot)
    while found != 0:
        if found & -2 == print_:
            return 3 if found & 1 else 2
        slot = slot + 1 if slot + 1 < size else 0
        found = quad_at(table + 4 * slot)
    return 0


has_mixed = compiled(_has_mixed)
has = compiled(_has)


def _fill(table, bits, values, rare):  # pragma: no cover
    """Put tagged values into a table."""
    for index in range(len(values)):
        mixed = values[index] * P
        mixed = (mixed ^ mixed >> _32) * _Q
        wanted = _1 << (mixed & _SIX_BITS) | _1 << (mixed >> _6 & _SIX_BITS)
        bits[mixed >> _12 & np.uint64(len(bits) - 1)] |= wanted
        print_ = np.uint32(mixed & _LOW) & _EVEN | _TAKEN
        slot = (mixed >> _32) * np.uint64(len(table)) >> _32
        while table[slot] != 0 and table[slot] & _EVEN != print_:
            slot += _1
            if slot == np.uint64(len(table)):
                slot = _0
        table[slot] |= print_ | np.uint32(rare[index])


fill = compiled(_fill)


def _has_digits(block, last, count):  # pragma: no cover
    """Tell whether so many digits, of which we have the last eleven, may end a bait's value."""
    if count >= 11 and has(block, _NUMBER ^ np.uint64(last)):
        return True
    if (
        count >= 10
        and word_at(block + HAS_TEN)
        and has(block, _TEN ^ np.uint64(last & _TEN_DIGITS))
    ):
        return True
    if count >= 6 and word_at(block + HAS_SHORT):
        return has(block, _SHORT ^ np.uint64(last & 0xFFFFFF)) != 0
    return False


has_digits = compiled(_has_digits)


def _forget_drawn(block):  # pragma: no cover
    """Drop the digits, some of them drawn, that were to be looked up."""
    put(block + DRAWN_WAITING, 0)
    put(block + DRAWN_FOUND, 0)


forget_drawn = compiled(_forget_drawn)


def _is_drawn_found(block):  # pragma: no cover
    """Look up what was expected since it was last forgotten; tell whether any is a bait's."""
    for index in range(word_at(block + DRAWN_WAITING)):
        word = word_at(block + DRAWN_QUEUE + 8 * index)
        if has_digits(block, word & LAST_DIGITS, word >> 44):
            put(block + DRAWN_FOUND, 1)
    put(block + DRAWN_WAITING, 0)
    return word_at(block + DRAWN_FOUND) != 0


is_drawn_found = compiled(_is_drawn_found)


def _expect_drawn(block, last, count):  # pragma: no cover
    """Have digits, some of them drawn, looked up when it matters; it seldom does."""
    if count < 6:
        return
    if word_at(block + DRAWN_WAITING) == DRAWN_LENGTH:
        is_drawn_found(block)
    waiting = word_at(block + DRAWN_WAITING)
    put(block + DRAWN_QUEUE + 8 * waiting, min(count, 11) << 44 | last)
    put(block + DRAWN_WAITING, waiting + 1)


expect_drawn = compiled(_expect_drawn)


def _look_up_waiting(block):  # pragma: no cover
    """Look up what waits; write the lines that pass."""
    data, size, out = word_at(block + DATA), word_at(block + SIZE), word_at(block + OUT_AT)
    for index in range(word_at(block + WAITING)):
        row = block + QUEUE + 32 * index
        if has_mixed(block, np.uint64(word_at(row))):
            line, start = word_at(row + 8), word_at(row + 16)
            if out > word_at(block + OUT) and word_at(out - 32) == line:
                put(out - 8, max(word_at(out - 8), word_at(row + 24)))
                continue
            end = start
            while end < size and byte_at(data + end) != 10:
                end += 1
            put(out, line)
            put(out + 8, start)
            put(out + 16, min(size, end + 1))
            put(out + 24, word_at(row + 24))
            out += 32
    put(block + OUT_AT, out)
    put(block + WAITING, 0)


look_up_waiting = compiled(_look_up_waiting)


def _await_value(block, value, how):  # pragma: no cover
    """Have a tagged value looked up later, when what tells of it has come near."""
    mixed = mix(value)
    place = np.int64(mixed >> _12) & word_at(block + BITS_MASK)
    _fetch(word_at(block + BITS) + 8 * place)
    count = word_at(block + WAITING)
    row = block + QUEUE + 32 * count
    put(row, np.int64(mixed))
    put(row + 8, word_at(block + LINE))
    put(row + 16, word_at(block + LINE_START))
    put(row + 24, how)
    put(block + WAITING, count + 1)
    if count + 1 == QUEUE_LENGTH:
        look_up_waiting(block)


await_value = compiled(_await_value)


def _await_digits(block, last, count, group):  # pragma: no cover
    """Have so many digits, at least ten, looked up later; a group of them stands together."""
    if count >= 11:
        await_value(block, _NUMBER ^ np.uint64(last), LIKELY if group >= 11 else AROUND)
    if word_at(block + HAS_TEN):
        ten = np.uint64(last & _TEN_DIGITS)
        await_value(block, _TEN ^ ten, LIKELY if group >= 10 else AROUND)


await_digits = compiled(_await_digits)


def _character(block, at):  # pragma: no cover
    """Return the code point at a byte and where the next begins; -1 where there is none."""
    data, size = word_at(block + DATA), word_at(block + SIZE)
    byte = byte_at(data + at)
    if byte < 0x80:
        return byte, at + 1
    second = byte_at(data + at + 1) if at + 1 < size else 0
    if word_at(block + CHARSET) != UTF8:
        if byte == 0x80 or byte == 0xFF or second < 0x30:
            return -1, at + 1
        if second >= 0x40:
            index = (byte - 0x81) * 192 + second - 0x40
            return pair_at(word_at(block + TWO_BYTES) + 2 * index), at + 2
        if second > 0x39 or at + 3 >= size:
            return -1, at + 1
        index = ((byte - 0x81) * 10 + second - 0x30) * 1260
        index += (byte_at(data + at + 2) - 0x81) * 10 + byte_at(data + at + 3) - 0x30
        if 0 <= index < 39420:
            return pair_at(word_at(block + FOUR_BYTES) + 2 * index), at + 4
        code = index - 189000 + 0x10000
        return (code if 0x10000 <= code <= 0x10FFFF else -1), at + 4
    if byte < 0xC2 or byte > 0xF4 or second & 0xC0 != 0x80:
        return -1, at + 1
    if byte < 0xE0:
        return (byte & 31) << 6 | second & 63, at + 2
    third = byte_at(data + at + 2) if at + 2 < size else 0
    if third & 0xC0 != 0x80:
        return -1, at + 1
    if byte < 0xF0:
        return (byte & 15) << 12 | (second & 63) << 6 | third & 63, at + 3
    fourth = byte_at(data + at + 3) if at + 3 < size else 0
    if fourth & 0xC0 != 0x80:
        return -1, at + 1
    return (byte & 7) << 18 | (second & 63) << 12 | (third & 63) << 6 | fourth & 63, at + 4


character = compiled(_character)


def _folded(block, code):  # pragma: no cover
    """Return what a code point folds to; 0 for none."""
    return quad_at(word_at(block + FOLDS) + 4 * code) if 0 <= code < SPAN else 0


folded = compiled(_folded)


def _remember(block, which, value, at):  # pragma: no cover
    """Keep a name, city or place of this line and those around; of each kind, the oldest goes."""
    turn = word_at(block + TURNS + 8 * which)
    put(block + RINGS + 8 * (RING * which + turn), np.int64(value))
    put(block + RINGS_AT + 8 * (RING * which + turn), at)
    put(block + TURNS + 8 * which, (turn + 1) % RING)


remember = compiled(_remember)


def _stands_with(block, value, which):  # pragma: no cover
    """Tell whether a name stands with a city of this block, or a city with a name."""
    since = word_at(block + BLOCK_START)
    for index in range(RING * which, RING * (which + 1)):
        if word_at(block + RINGS_AT + 8 * index) >= since:
            other = np.uint64(word_at(block + RINGS + 8 * index))
            both = value * P + other if which == RING_CITIES else other * P + value
            if has(block, _BOTH ^ both >> _4):
                return True
    return False


stands_with = compiled(_stands_with)


def _await_both(block, value, which):  # pragma: no cover
    """Have a place looked up later with each city of this block, or a city with each place."""
    since = word_at(block + BLOCK_START)
    for index in range(RING * which, RING * (which + 1)):
        if word_at(block + RINGS_AT + 8 * index) >= since:
            other = np.uint64(word_at(block + RINGS + 8 * index))
            both = value * P + other if which == RING_CITIES else other * P + value
            await_value(block, _BOTH ^ both >> _4, LIKELY)


await_both = compiled(_await_both)


def _is_in_block(block, which):  # pragma: no cover
    """Tell whether a city or a name, of which only found ones are kept, stands in this block."""
    since = word_at(block + BLOCK_START)
    for index in range(RING * which, RING * (which + 1)):
        if word_at(block + RINGS_AT + 8 * index) >= since:
            return True
    return False


is_in_block = compiled(_is_in_block)


def _is_place_found(block):  # pragma: no cover
    """Tell whether a place of this block is that of a bait."""
    since = word_at(block + BLOCK_START)
    for index in range(RING * RING_PLACES, RING * (RING_PLACES + 1)):
        if word_at(block + RINGS_AT + 8 * index) >= since:
            value = np.uint64(word_at(block + RINGS + 8 * index))
            if has(block, _PLACE ^ value >> _4):
                return True
    return False


is_place_found = compiled(_is_place_found)


def _is_name_found(block):  # pragma: no cover
    """Tell whether this block has shown a bait's name."""
    return word_at(block + LATIN_AT) >= word_at(block + BLOCK_START) or is_in_block(
        block, RING_NAMES
    )


is_name_found = compiled(_is_name_found)


def _named(block, tag, value, at):  # pragma: no cover
    """Return how a line passes that shows this name or place; 0 when it does not.

    In a crowd it passes with what agrees with it: a city, a mask, a place or a name.
    """
    found = has(block, tag ^ value >> _4)
    if found == 0:
        return 0
    if found == 3 or not word_at(block + CROWDED):
        return LIKELY
    if tag == _LATIN:
        is_with = is_in_block(block, RING_CITIES)
        put(block + LATIN_AT, at)
    else:
        is_with = stands_with(block, value, RING_CITIES)
        remember(block, RING_NAMES, value, at)
    is_with |= word_at(block + MASKED_AT) >= word_at(block + BLOCK_START)
    return LIKELY if is_with or is_place_found(block) else 0


named = compiled(_named)


def _placed(block, value, at):  # pragma: no cover
    """Return how a line of a crowd passes that shows this place."""
    await_both(block, value, RING_CITIES)
    remember(block, RING_PLACES, value, at)
    if word_at(block + CROWDED) == 2:
        return 0
    is_masked = word_at(block + MASKED_AT) >= word_at(block + BLOCK_START)
    is_with = is_masked or is_name_found(block)
    return LIKELY if is_with and has(block, _PLACE ^ value >> _4) else 0


placed = compiled(_placed)


def _note_mask(block, at):  # pragma: no cover
    """Return how a line passes that shows a mask."""
    if not word_at(block + CROWDED):
        return AROUND
    put(block + MASKED_AT, at)
    if word_at(block + CROWDED) == 2:
        return 0
    return LIKELY if is_name_found(block) or is_place_found(block) else 0


note_mask = compiled(_note_mask)
