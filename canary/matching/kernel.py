"""The sieve's inner loop: one pass over raw bytes, compiled by numba, which this module needs.

It reads UTF-8 and GB18030 as they lie in the file, and is written in the plain subset of
Python that numba compiles; `canary.matching.sieve` says what it means. Nothing else imports it
before a text is long enough to be worth the half second that numba takes to load.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba
import numpy as np

from canary.matching.codes import (
    AROUND,
    CITY_FIRST,
    CITY_SECOND,
    COMPLEX,
    DIGIT,
    DRAWN,
    DULL,
    HAN,
    LETTER,
    LIKELY,
    OPENER,
    PRIME,
    RING,
    SECOND_PRIME,
    SHORT_LINE,
    SOFT,
    SOUND,
    SPAN,
    STAR,
    STARTS_FOUR,
    STARTS_THREE,
    STARTS_TWO,
    TAG_BOTH,
    TAG_LATIN,
    TAG_NAME,
    TAG_NUMBER,
    TAG_PLACE,
    TAG_SHORT,
    UTF8,
)

_P, _Q = np.uint64(PRIME), np.uint64(SECOND_PRIME)
_NUMBER, _SHORT, _NAME = np.uint64(TAG_NUMBER), np.uint64(TAG_SHORT), np.uint64(TAG_NAME)
_LATIN, _PLACE, _BOTH = np.uint64(TAG_LATIN), np.uint64(TAG_PLACE), np.uint64(TAG_BOTH)
_0, _1, _2, _3, _4, _7 = (np.uint64(n) for n in (0, 1, 2, 3, 4, 7))
_32, _TEN_DIGITS, _SIX_DIGITS = np.uint64(32), np.uint64((1 << 40) - 1), np.uint64(0xFFFFFF)
_LOW = np.uint64(0xFFFFFFFF)
_EVEN, _TAKEN, _RARE = np.uint32(0xFFFFFFFE), np.uint32(2), np.uint32(1)


def _compiled(function):
    """Compile when first called; the outcome is kept on disk where any folder for it is found."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return numba.njit(nogil=True)(function)


def _has(table, bits, value):  # pragma: no cover
    """Return 0 when a tagged value is not in the table, 2 when it is, 3 when it is rare."""
    mixed = value * _P
    mixed = (mixed ^ mixed >> _32) * _Q
    bit = mixed & np.uint64(len(bits) * 8 - 1)
    if not bits[bit >> _3] >> (bit & _7) & _1:
        return 0
    slot = (mixed >> _32) * np.uint64(len(table)) >> _32
    wanted = np.uint32(mixed & _LOW) & _EVEN | _TAKEN
    while table[slot] != 0:
        if table[slot] & _EVEN == wanted:
            return 3 if table[slot] & _RARE else 2
        slot += _1
        if slot == len(table):
            slot = _0
    return 0


has = _compiled(_has)


def _has_both(table, bits, value, ring, ring_at, since):  # pragma: no cover
    """Tell whether a name or place stands with one of the cities of this block, or the reverse."""
    for index in range(RING):
        if ring_at[index] >= since and has(table, bits, _BOTH ^ (value * _P + ring[index]) >> _4):
            return True
    return False


def _is_city_of(table, bits, city, ring, ring_at, since):  # pragma: no cover
    for index in range(RING):
        if ring_at[index] >= since and has(table, bits, _BOTH ^ (ring[index] * _P + city) >> _4):
            return True
    return False


has_both = _compiled(_has_both)
is_city_of = _compiled(_is_city_of)


def _fill(table, bits, values, rare):  # pragma: no cover
    """Put tagged values into a table; return how many slots were newly taken."""
    wide = np.uint64(len(bits) * 8 - 1)
    taken = 0
    for index in range(len(values)):
        mixed = values[index] * _P
        mixed = (mixed ^ mixed >> _32) * _Q
        bit = mixed & wide
        bits[bit >> _3] |= np.uint8(1) << np.uint8(bit & _7)
        print_ = np.uint32(mixed & _LOW) & _EVEN | _TAKEN
        at = (mixed >> _32) * np.uint64(len(table)) >> _32
        while table[at] != 0 and table[at] & _EVEN != print_:
            at += _1
            if at == len(table):
                at = _0
        taken += table[at] == 0
        table[at] |= print_ | np.uint32(rare[index])
    return taken


fill = _compiled(_fill)


def _wide_character(data, at, size, two_bytes, four_bytes):  # pragma: no cover
    """Return one GB18030 character of several bytes and where the next begins; -1 for none."""
    byte = int(data[at])
    follow = int(data[at + 1]) if at + 1 < size else 0
    if byte == 0x80 or byte == 0xFF or follow < 0x30:
        return -1, at + 1
    if follow >= 0x40:
        return int(two_bytes[(byte - 0x81) * 192 + follow - 0x40]), at + 2
    if follow > 0x39 or at + 3 >= size:
        return -1, at + 1
    index = ((byte - 0x81) * 10 + follow - 0x30) * 1260
    index += (int(data[at + 2]) - 0x81) * 10 + int(data[at + 3]) - 0x30
    if 0 <= index < 39420:
        return int(four_bytes[index]), at + 4
    code = index - 189000 + 0x10000
    return (code if 0x10000 <= code <= 0x10FFFF else -1), at + 4


wide_character = _compiled(_wide_character)


def _look_through(  # noqa: C901 - one pass, one function: calls would cost half the speed
    data, charset, crowded, names, has_short, classes, plain, digits, folds, starts, spoken_starts,
    two_bytes, two_plain, four_bytes, table, bits, out,
):  # fmt: skip  # pragma: no cover
    """Read all bytes once; fill `out` with passing lines, return their number and all breaks.

    A row of `out` is the line's index, start, end and how it passes.
    """
    name_ring, city_ring = np.zeros(RING, dtype=np.uint64), np.zeros(RING, dtype=np.uint64)
    name_at, city_at = np.full(RING, -1, dtype=np.int64), np.full(RING, -1, dtype=np.int64)
    ring_names, ring_cities = 0, 0
    size, at, line, line_start, flag, count_out = len(data), 0, 0, 0, 0, 0
    block_start = 0  # where the short lines around this one begin
    acc, group, count, digits_end = _0, 0, 0, -99  # the last ten digits; of a group, of a chain
    drawn, left, street = False, 0, False
    before, before2, last = 0, 0, 0  # classes of the two characters before, and the last itself
    h1, h2, h3, h4 = _0, _0, _0, _0  # the last four Han characters, folded
    s1, s2, s3, s4 = 0, 0, 0, 0  # which names may start with them
    known, han_gap = 0, 0
    w1, w2, w3, p1, p2, p3 = _0, _0, _0, _1, _1, _1  # Latin words, powers of their lengths
    words, word_end, wide_letters = 0, -99, 0
    spoken, sound, sound_wide, sound_end = 0, 0, 0, -99
    starred, masked = False, 0
    while at <= size:
        if flag == AROUND:
            # The line passes with those around it: nothing more to learn from it.
            while at < size and data[at] != 10:
                at += 1
            group, count, drawn, known, words, spoken, sound = 0, 0, False, 0, 0, 0, 0
            before, before2, last, starred, wide_letters = 0, 0, 0, False, 0
        # The end counts as a line break, so that nothing stays pending.
        byte = int(data[at]) if at < size else 10
        begin = at
        if byte < 0x80:
            code, at = byte, at + 1
        elif charset != UTF8:
            if byte > 0x80 and byte < 0xFF and at + 1 < size and data[at + 1] >= 0x40:
                code, at = int(two_bytes[(byte - 0x81) * 192 + int(data[at + 1]) - 0x40]), at + 2
            else:
                code, at = wide_character(data, at, size, two_bytes, four_bytes)
        elif byte >= 0xE0 and byte < 0xF0 and at + 2 < size:
            follow, final = int(data[at + 1]) ^ 0x80, int(data[at + 2]) ^ 0x80
            if follow | final > 63:
                code, at = -1, at + 1
            else:
                code, at = (byte & 15) << 12 | follow << 6 | final, at + 3
        elif byte >= 0xC2 and byte < 0xE0 and at + 1 < size and data[at + 1] & 0xC0 == 0x80:
            code, at = (byte & 31) << 6 | int(data[at + 1]) & 63, at + 2
        elif byte >= 0xF0 and at + 3 < size:
            code = (
                (byte & 7) << 18 | (int(data[at + 1]) & 63) << 12
                | (int(data[at + 2]) & 63) << 6 | int(data[at + 3]) & 63
            )  # fmt: skip
            at += 4
        else:
            code, at = -1, at + 1
        if code < 0 or code == 0xFFFD:
            code, flag = 0xFFFD, AROUND  # another charset, perhaps: let it be read with care
        kind = int(classes[code]) if code < SPAN else (HAN if code < 0xE0000 else COMPLEX)
        if group > 0 and not kind & DIGIT:
            # A group of digits ends here: look the last ten digits up.
            if count >= 10 and has(table, bits, _NUMBER ^ acc):
                flag = max(flag, LIKELY if group >= 10 else AROUND)
            if has_short and count >= 6 and has(table, bits, _SHORT ^ acc & _SIX_DIGITS):
                flag = AROUND
            if kind & DRAWN or (left == 2 and group < 10):
                drawn = True
            if drawn and count >= 7:
                flag = AROUND
            if street and group <= 5:
                # 民路88: the last three characters before a house number, and it.
                house = acc & ((_1 << np.uint64(4 * group)) - _1)
                value = ((h2 * _P + h3) * _P + h4) * _P + house
                if has(table, bits, _PLACE ^ value >> _4):
                    if not crowded or has_both(table, bits, value, city_ring, city_at, block_start):
                        flag = max(flag, LIKELY)
                    name_ring[ring_names], name_at[ring_names] = value, begin
                    ring_names = (ring_names + 1) % RING
            group, street, digits_end = 0, False, begin
        if kind & DIGIT:
            if group == 0:
                if begin - digits_end > 12:
                    count, drawn = 0, False
                left = 0
                street = known >= 3 and before & HAN != 0
                if before & DRAWN:
                    left = 2 if before2 & LETTER else 1
                    if left == 1:
                        drawn = True
                if (last == 0x5C3E or last == 0x540E or last == 0x672B) and digits[code] == 4:
                    flag = AROUND  # 尾4, 后4位, 末四位
            acc = (acc << _4 | np.uint64(digits[code])) & _TEN_DIGITS
            if byte < 0x80:
                while at < size and 48 <= data[at] <= 57:
                    acc = acc << _4 | np.uint64(data[at] - 48)
                    at += 1
                acc &= _TEN_DIGITS
                length = at - begin
            else:
                length = 1
            group += length
            count += length
            if sound > 0 or byte >= 0x80:
                sound = sound + length if begin - sound_end <= 8 else length
                sound_wide = sound_wide + (byte >= 0x80) if sound > length else int(byte >= 0x80)
                sound_end = at
                if sound >= 11 and sound_wide >= 6:
                    flag = AROUND
            if drawn and count >= 7:
                flag = AROUND
            if starred:
                masked, starred = masked + 1, False
                if not crowded:
                    flag = AROUND
            words, spoken, wide_letters = 0, 0, 0
            if not kind & HAN:
                known, last = 0, 48
                before2, before = DIGIT if length > 1 else before, kind
                continue
        elif kind & LETTER:
            if begin - word_end > 6 or word_end < line_start - 1:
                words, spoken = 0, 0
            if starred:
                starred = False
                if not crowded:
                    flag = AROUND
            known = 0
            if byte >= 0x80:
                # A Latin letter of another family: names and spoken digits may be drawn so.
                wide_letters += 1
                if wide_letters >= 4 or word_end == begin:
                    flag = AROUND
                before2, before, last = before, kind, code
                continue
            if wide_letters:
                flag = AROUND
            at = begin
            wh, wp, wb, c2, c3 = _0, _1, _0, 0, 0
            while at < size:
                letter = int(data[at]) | 32
                if letter < 97 or letter > 122:
                    break
                if names:
                    if letter == 117 and c2 == 121 and (c3 == 108 or c3 == 110):
                        wh = wb * _P + np.uint64(118)
                    else:
                        wb = wh
                        wh = wh * _P + np.uint64(letter)
                        wp = wp * _P
                    c3, c2 = c2, letter
                at += 1
            length, word_end = at - begin, at
            if length > 1:
                first, second = (int(data[begin]) | 32) - 97, (int(data[begin + 1]) | 32) - 97
                spoken = spoken + length if spoken_starts[first * 26 + second] else 0
                if spoken >= 14:
                    flag = AROUND  # fourteen letters in words that all begin like a digit
                if names and crowded < 2:
                    # Pinyin: one to three words, the surname first or last.
                    w1, w2, w3, p1, p2, p3 = w2, w3, wh, p2, p3, wp
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
                        found = has(table, bits, _LATIN ^ value >> _4)
                        if found == 3 or (found and not crowded):
                            flag = max(flag, LIKELY)
                if kind & DULL or int(classes[int(data[at - 1])]) & DULL:
                    # xxxx: a mask, where digits stand on one side.
                    if before & DIGIT and not crowded:
                        flag = AROUND
                    starred = int(classes[int(data[at - 1])]) & DULL != 0
                before2 = int(classes[int(data[at - 2])])
            else:
                spoken = 0
                w1, w2, w3, p1, p2, p3 = w2, w3, wh, p2, p3, wp
                words = min(3, words + 1)
                before2 = before
            if before & DIGIT and kind & DRAWN and count >= 7:
                flag = AROUND
            last = int(data[at - 1])
            before = int(classes[last])
            continue
        elif kind != HAN:
            if code == 10:
                at = min(at, size)
                if masked >= 2:
                    flag = AROUND
                if flag:
                    out[count_out, 0], out[count_out, 1] = line, line_start
                    out[count_out, 2], out[count_out, 3] = at, flag
                    count_out += 1
                if at - line_start >= SHORT_LINE:
                    block_start = at
                if begin == size:
                    break
                flag, masked, line, line_start = 0, 0, line + 1, at
            if kind & (COMPLEX | OPENER | STAR | DULL | SOUND):
                if kind & COMPLEX:
                    flag = AROUND
                elif kind & OPENER and byte < 0x80 and at < size:
                    follow = int(data[at])
                    if (
                        48 <= follow <= 57 or 65 <= follow <= 90 or 97 <= follow <= 122
                        or follow == 35 or follow == 47 or follow == 33
                    ):  # fmt: skip
                        flag = AROUND
                if kind & STAR or (kind & DULL and last == code):
                    starred = True
                    if (before | before2) & (LETTER | DIGIT) and not crowded:
                        flag = AROUND
                elif byte != 32 and byte != 45:
                    starred = False
                if kind & SOUND:
                    if begin - sound_end > 8:
                        sound, sound_wide = 0, 0
                    sound, sound_wide, sound_end = sound + 1, sound_wide + 1, at
                    if sound >= 11 and sound_wide >= 6:
                        flag = AROUND
            elif byte != 32 and byte != 45:
                starred = False
            if not kind & (SOFT | DRAWN):
                count, spoken = 0, 0
            wide_letters = 0
            if not kind & HAN:
                if byte == 32 or byte == 46 or code == 183 or code == 0x3000 or code == 0xA0:
                    han_gap += 1
                else:
                    known = 0
                before2, before, last = before, kind, code
                continue
        else:
            # A plain Han character: nothing of what digits may hide in goes on beyond it.
            if last == 0x5C3E and (code == 0x53F7 or code == 0x6570):
                flag = AROUND  # 尾号, 尾数
            count, sound, spoken, words, wide_letters, starred = 0, 0, 0, 0, 0, False
            if not names:
                if charset == UTF8:
                    while at + 2 < size:
                        byte = int(data[at])
                        follow, final = int(data[at + 1]) ^ 0x80, int(data[at + 2]) ^ 0x80
                        if byte < 0xE4 or byte > 0xE9 or follow | final > 63:
                            break
                        if not plain[(byte & 15) << 12 | follow << 6 | final]:
                            break
                        at += 3
                else:
                    while at + 1 < size and data[at] > 0x80 and data[at] < 0xFF:
                        byte, follow = int(data[at]), int(data[at + 1])
                        if follow < 0x40:
                            break
                        if not two_plain[(byte - 0x81) * 192 + follow - 0x40]:
                            break
                        at += 2
                before2, before, last = HAN, HAN, 0
                continue
        # A Han character, plain or not: a name of two to four of them may end here, or a city.
        while names:
            folded = int(folds[code]) if code < SPAN else 0
            if known > 0 and han_gap > 3:
                known = 0
            h1, h2, h3, h4 = h2, h3, h4, np.uint64(folded)
            s1, s2, s3, s4 = s2, s3, s4, int(starts[folded])
            known += 1
            if crowded and s4 & CITY_SECOND and s3 & CITY_FIRST and known >= 2:
                value = h3 * _P + h4
                if is_city_of(table, bits, value, name_ring, name_at, block_start):
                    flag = max(flag, LIKELY)
                city_ring[ring_cities], city_at[ring_cities] = value, begin
                ring_cities = (ring_cities + 1) % RING
            if (
                crowded < 2
                and known > 1
                and (s3 & STARTS_TWO or s2 & STARTS_THREE or s1 & STARTS_FOUR or han_gap)
            ):
                for way in range(5):
                    if way == 0:
                        if not s3 & STARTS_TWO:
                            continue
                        value = h3 * _P + h4
                    elif way == 1:
                        if known < 3 or not s2 & STARTS_THREE:
                            continue
                        value = (h2 * _P + h3) * _P + h4
                    elif way == 2:
                        if known < 4 or not s1 & STARTS_FOUR:
                            continue
                        value = ((h1 * _P + h2) * _P + h3) * _P + h4
                    elif han_gap == 0:
                        break
                    elif way == 3 and s4 & STARTS_TWO:
                        value = h4 * _P + h3  # the surname last
                    elif way == 4 and known >= 3 and s4 & STARTS_THREE:
                        value = (h4 * _P + h2) * _P + h3
                    else:
                        continue
                    found = has(table, bits, _NAME ^ value >> _4)
                    if found == 3 or (found and not crowded):
                        flag = max(flag, LIKELY)
                    elif found:
                        if has_both(table, bits, value, city_ring, city_at, block_start):
                            flag = max(flag, LIKELY)
                        name_ring[ring_names], name_at[ring_names] = value, begin
                        ring_names = (ring_names + 1) % RING
            han_gap = 0
            # Go on while plain characters follow.
            if kind != HAN or at + 2 >= size or flag == AROUND:
                break
            byte = int(data[at])
            if charset == UTF8:
                follow, final = int(data[at + 1]) ^ 0x80, int(data[at + 2]) ^ 0x80
                if byte < 0xE4 or byte > 0xE9 or follow | final > 63:
                    break
                code, begin = (byte & 15) << 12 | follow << 6 | final, at
                if not plain[code]:
                    break
                at += 3
            else:
                follow = int(data[at + 1])
                if byte < 0x81 or byte > 0xFE or follow < 0x40:
                    break
                index = (byte - 0x81) * 192 + follow - 0x40
                if not two_plain[index]:
                    break
                code, begin = int(two_bytes[index]), at
                at += 2
            before, last = HAN, 0
        before2, before, last = before, kind, code
    return count_out, line


look_through = _compiled(_look_through)
