"""The sieve's inner loop: one pass over raw bytes, compiled by numba, which this module needs.

It reads UTF-8 and GB18030 as they lie in the file, and is written in the plain subset of
Python that numba compiles; `canary.matching.sieve` says what it means. Nothing else imports it
before a text is long enough to be worth the half second that numba takes to load.

What was read before is remembered by where it ended, so that the characters in between need
not take it back: digits that end at byte 40 stand before a letter that begins there.
"""

# mypy: ignore-errors
import numpy as np

from canary.matching.codes import (
    AROUND,
    ASCII_DIGIT,
    ASCII_LETTER,
    ASCII_LINE,
    ASCII_PLAIN,
    ASCII_SORTS,
    BITS,
    BITS_MASK,
    BLOCK_START,
    CHARSET,
    CITY_FIRST,
    CITY_SECOND,
    CLASSES,
    COMPLEX,
    CROWDED,
    DATA,
    DIGIT,
    DIGITS,
    DRAWN,
    DULL,
    HAN,
    HAS_NAMES,
    HAS_SHORT,
    LATIN_AT,
    LETTER,
    LIKELY,
    LINE,
    LINE_START,
    NOT_PLAIN,
    ONLY_SOUND,
    OPENER,
    OUT,
    OUT_AT,
    PAIRS,
    PART_FIRST,
    PARTS,
    PARTS_COUNT,
    QUICK,
    RING_CITIES,
    RING_NAMES,
    RING_PLACES,
    SHORT_LINES,
    SIZE,
    SOFT,
    SOUND,
    SPAN,
    SPOKEN_STARTS,
    STAR,
    STARTS_FOUR,
    STARTS_THREE,
    STARTS_TWO,
    TABLE,
    TABLE_SIZE,
    TAG_LATIN,
    TAG_NAME,
    TAG_PLACE,
    TWO_BYTES,
    UTF8,
)
from canary.matching.probes import (
    LAST_DIGITS,
    P,
    await_both,
    await_digits,
    byte_at,
    character,
    compiled,
    digits_at,
    expect_drawn,
    folded,
    forget_drawn,
    has_digits,
    is_drawn_found,
    look_up_waiting,
    named,
    note_mask,
    pair_at,
    placed,
    put,
    remember,
    stands_with,
    word_at,
)

_NAME, _LATIN, _PLACE = np.uint64(TAG_NAME), np.uint64(TAG_LATIN), np.uint64(TAG_PLACE)
_0, _1, _4 = np.uint64(0), np.uint64(1), np.uint64(4)
_NEVER = -99
_NEAR = 12  # bytes of the three characters that may stand between two digits of a number
_BESIDE = 6  # bytes of what may stand between a mask and what it leaves to be seen
_SOUNDS, _SOUND_SPAN = 6, 41  # wide digits and sounds that make a phone, and how far apart
_SPOKEN = 14  # letters in words that all begin like a digit


def _han_after(block, at):  # pragma: no cover
    """Return the next character, folded, when it is Han, and where it ends; 0 when it is not."""
    if at >= word_at(block + SIZE) or byte_at(word_at(block + DATA) + at) < 0x80:
        return 0, at
    code, end = character(block, at)
    return (folded(block, code), end) if 0x3400 <= code < 0xA000 else (0, at)


han_after = compiled(_han_after)


def _begun(block, at, code):  # noqa: C901  # pragma: no cover
    """Return how a line passes for the names, or the city, that begin with a Han character.

    `at` is where the character ends.
    """
    quick, crowded = word_at(block + QUICK), word_at(block + CROWDED)
    if crowded == 2 and word_at(block + CHARSET) == UTF8 and at + 8 <= word_at(block + SIZE):
        word = word_at(word_at(block + DATA) + at)
        follow = (word & 15) << 12 | word >> 2 & 0xFC0 | word >> 16 & 63
        if word & 0xC0C0F0 == 0x8080E0 and not byte_at(quick + follow) & CITY_SECOND:
            return 0  # cities alone are looked for, and this begins none
    sort, flag = byte_at(quick + code), 0
    first, begin = np.uint64(folded(block, code)), at
    other, at = han_after(block, at)
    if other == 0:
        return 0
    if crowded and sort & CITY_FIRST and byte_at(quick + other) & CITY_SECOND:
        city = first * P + np.uint64(other)
        if crowded == 1:
            is_latin = word_at(block + LATIN_AT) >= word_at(block + BLOCK_START)
            if is_latin or stands_with(block, city, RING_NAMES):
                flag = LIKELY
        await_both(block, city, RING_PLACES)
        remember(block, RING_CITIES, city, begin)
    if crowded == 2:
        return flag
    value = first * P + np.uint64(other)
    if sort & STARTS_TWO:
        flag = max(flag, named(block, _NAME, value, begin))
    if sort & PART_FIRST:
        # 木子: a surname told by its parts; what follows is the given name.
        row = word_at(block + PARTS)
        for _ in range(word_at(block + PARTS_COUNT)):
            if word_at(row) == np.int64(first) and word_at(row + 8) == other:
                value, at_part = np.uint64(word_at(row + 16)), at
                for _ in range(2):
                    more, at_part = han_after(block, at_part)
                    if more:
                        value = value * P + np.uint64(more)
                        flag = max(flag, named(block, _NAME, value, begin))
            row += 24
        value = first * P + np.uint64(other)
    if sort & (STARTS_THREE | STARTS_FOUR):
        other, at = han_after(block, at)
        value = value * P + np.uint64(other)
        if other and sort & STARTS_THREE:
            flag = max(flag, named(block, _NAME, value, begin))
        if other and sort & STARTS_FOUR:
            other, at = han_after(block, at)
            value = value * P + np.uint64(other)
            if other:
                flag = max(flag, named(block, _NAME, value, begin))
    return flag


begun = compiled(_begun)


def _gap_end(block, at):  # pragma: no cover
    """Return where one to three spaces or points end before a Han character, or -1."""
    for _ in range(3):
        if at >= word_at(block + SIZE):
            return -1
        code, at = character(block, at)
        code = folded(block, code)
        if code != 32 and code != 46 and code != 183:
            return -1
        if han_after(block, at)[0]:
            return at
    return -1


gap_end = compiled(_gap_end)


def _spaced(block, start, end):  # pragma: no cover
    """Return how a line passes for a name written apart: 单 怡 涵, 怡涵 单.

    One or two Han characters stand from start to end.
    """
    flag = 0
    left = right = third = _0
    count_left = count_right = 0
    at = start
    while at < end:
        code, at = han_after(block, at)
        if code == 0 or count_left == 2:
            return 0
        left, count_left = left * P + np.uint64(code), count_left + 1
    at = gap_end(block, end)
    if at < 0:
        return 0
    value = left
    for _ in range(2):
        code, after = han_after(block, at)
        if code == 0:
            break
        at, count_right = after, count_right + 1
        right, value = right * P + np.uint64(code), value * P + np.uint64(code)
        flag = max(flag, named(block, _NAME, value, start))
        shifted = right
        for _ in range(count_left):
            shifted = shifted * P
        if count_left >= count_right:
            flag = max(flag, named(block, _NAME, shifted + left, start))
        next_at = gap_end(block, at)
        if next_at >= 0:
            third = np.uint64(han_after(block, next_at)[0])
            flag = max(flag, named(block, _NAME, value * P + third, start))
    return flag


spaced = compiled(_spaced)


def _house(block, start, end, digits):  # pragma: no cover
    """Return the hash of the last three Han characters before a house number and of it; or 0."""
    at = max(start, end - 9)
    if word_at(block + CHARSET) != UTF8 and end - start > 6:
        # Those of four bytes are rare; only from the start can one be told from two.
        is_long, at = False, start
        while at < end and not is_long:
            is_long = byte_at(word_at(block + DATA) + at + 1) < 0x40
            at += 2
        at = start if is_long else end - 6
    h1 = h2 = h3 = _0
    while at < end:
        code, at = han_after(block, at)
        if code == 0:
            return _0
        h1, h2, h3 = h2, h3, np.uint64(code)
    return _0 if h1 == _0 else ((h1 * P + h2) * P + h3) * P + np.uint64(digits)


house = compiled(_house)


def _beside(block, at, end):  # pragma: no cover
    """Tell whether nothing, one space or one dash stands from `at` to `end`."""
    if at == end:
        return True
    code, at = character(block, at)
    code = folded(block, code)
    return at == end and (code == 32 or code == 45)


beside = compiled(_beside)


def _opens(block, at, byte):  # pragma: no cover
    """Tell whether <, &, % or a backslash begins markup or an escape with what follows it."""
    data, size = word_at(block + DATA), word_at(block + SIZE)
    follow = byte_at(data + at) if at < size else 0
    letter = follow | 32
    if byte == 60:
        return 97 <= letter <= 122 or follow == 47 or follow == 33 or follow == 63
    if byte == 38:
        return follow >= 0x80 or follow == 35 or 48 <= follow <= 57 or 97 <= letter <= 122
    if byte == 92:
        if letter != 117 and letter != 120:
            return False
        at += 1
    for index in range(at, min(size, at + 2)):
        follow = byte_at(data + index)
        if not (48 <= follow <= 57 or 97 <= follow | 32 <= 102):
            return False
    return at + 2 <= size


opens = compiled(_opens)


def _look_through(words):  # noqa: C901  # pragma: no cover
    """Read all bytes once; write the passing lines out, return their number and all breaks.

    `words` is a block as `probes` says. A row that is written is the line's index, start, end
    and how it passes; a line may be written twice, and some lines late. One pass, one
    function: calls would cost half the speed.
    """
    block = np.int64(words.ctypes.data)
    data, size, charset = word_at(block + DATA), word_at(block + SIZE), word_at(block + CHARSET)
    crowded, names = word_at(block + CROWDED), word_at(block + HAS_NAMES)
    has_short = word_at(block + HAS_SHORT)
    classes, ascii_sorts = word_at(block + CLASSES), word_at(block + ASCII_SORTS)
    quick, pairs, digits = (
        word_at(block + QUICK), word_at(block + PAIRS), word_at(block + DIGITS)
    )  # fmt: skip
    spoken_starts, two_bytes = word_at(block + SPOKEN_STARTS), word_at(block + TWO_BYTES)
    care = NOT_PLAIN | ONLY_SOUND
    if names:
        care |= CITY_FIRST if crowded else 0
        care |= STARTS_TWO | STARTS_THREE | STARTS_FOUR | PART_FIRST if crowded < 2 else 0
    at, line, line_start, flag = 0, 0, 0, 0
    short_line = SHORT_LINES[0] if charset == UTF8 else SHORT_LINES[1]
    acc, count, digits_end = 0, 0, _NEVER  # the last eleven digits, and how many stand together
    hard_at = _NEVER  # the end of what never stands inside a number
    # The same with what is drawn like a digit; it counts where such a thing touches a digit.
    drawn, drawn_count, drawn_end, is_drawn, since = 0, 0, _NEVER, False, 0
    is_live = False
    han_start, han_end = _NEVER, _NEVER
    word_begin, word_end, is_pushed = _NEVER, _NEVER, False
    wide_letters, wide_end = 0, _NEVER
    star_end, dull_end, masked, is_headed = _NEVER, _NEVER, 0, False
    tail_at = _NEVER  # the end of 尾, 后 or 末
    sounds, sound_end, spoken = 0, _NEVER, 0
    w1, w2, w3, p1, p2, p3, words = _0, _0, _0, _1, _1, _1, 0  # Latin words, by their hashes
    while at <= size:
        if flag == AROUND:
            # The line passes with those around it: nothing more to learn from it.
            while at < size and byte_at(data + at) != 10:
                at += 1
        byte = byte_at(data + at) if at < size else 10  # the end counts as a line break
        if byte < 0x80 and byte_at(ascii_sorts + byte) == ASCII_PLAIN:
            at += 1
            byte = byte_at(data + at) if at < size else 10
        begin = at
        if byte < 0x80:
            at += 1
            sort = byte_at(ascii_sorts + byte)
            if sort == ASCII_PLAIN:
                continue
            if sort == ASCII_LINE:
                at = min(at, size)
                if masked >= 2:
                    flag = AROUND
                if flag:
                    out = word_at(block + OUT_AT)
                    put(out, line)
                    put(out + 8, line_start)
                    put(out + 16, at)
                    put(out + 24, flag)
                    put(block + OUT_AT, out + 32)
                if at - line_start >= short_line:
                    put(block + BLOCK_START, at)
                if begin == size:
                    break
                flag, masked, line, line_start = 0, 0, line + 1, at
                put(block + LINE, line)
                put(block + LINE_START, at)
                continue
            code, kind = byte, pair_at(classes + 2 * byte)
            if sort == ASCII_LETTER:
                if begin - word_end > _BESIDE:
                    words, spoken = 0, 0
                if begin - star_end <= _BESIDE:
                    flag = max(flag, note_mask(block, begin))
                if wide_end == begin:
                    flag = AROUND
                is_pinyin = names and crowded < 2
                wh, wp, wb, c2, c3 = _0, _1, _0, 0, 0
                at = begin
                while at < size:
                    letter = byte_at(data + at) | 32
                    if letter < 97 or letter > 122:
                        break
                    if is_pinyin:
                        if letter == 117 and c2 == 121 and (c3 == 108 or c3 == 110):
                            wh = wb * P + np.uint64(118)
                        else:
                            wb = wh
                            wh = wh * P + np.uint64(letter)
                            wp = wp * P
                        c3, c2 = c2, letter
                    at += 1
                length = at - begin
                final = pair_at(classes + 2 * byte_at(data + at - 1))
                if length > 1:
                    first = (byte | 32) - 97
                    second = (byte_at(data + begin + 1) | 32) - 97
                    spoken = spoken + length if byte_at(spoken_starts + first * 26 + second) else 0
                    if spoken >= _SPOKEN:
                        flag = AROUND
                else:
                    spoken = 0
                if is_pinyin:
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
                        flag = max(flag, named(block, _LATIN, value, begin))
                if (kind | final) & DULL:
                    # xxxx: a mask, where digits stand on one side.
                    is_headed = digits_end == begin
                    if is_headed:
                        masked += 1
                        flag = max(flag, note_mask(block, begin))
                    if final & DULL:
                        star_end = dull_end = at
                # Letters that look like digits, in a number that goes on.
                is_pushed = length <= 4
                word_begin, word_end = begin, at
                if begin - max(digits_end, drawn_end) > _NEAR or hard_at > max(
                    digits_end, drawn_end
                ):
                    is_pushed = False
                else:
                    for index in range(begin, min(at, begin + 4)):
                        letter = byte_at(data + index)
                        if pair_at(classes + 2 * letter) & DRAWN:
                            if not is_drawn:
                                drawn, drawn_count, is_drawn = acc, count, True
                            drawn = (drawn << 4 | byte_at(digits + letter)) & LAST_DIGITS
                            drawn_count, drawn_end, since = drawn_count + 1, index + 1, 0
                            expect_drawn(block, drawn, drawn_count)
                            is_live |= index == digits_end
                    if is_live and is_drawn_found(block):
                        flag = AROUND
                continue
        else:
            # Most characters are Han and nothing else.
            if han_end != begin:
                han_start = begin
            while at + 8 <= size:
                word = word_at(data + at)
                if charset == UTF8:
                    if word & 0xC0C0F0 != 0x8080E0:
                        break
                    code, step = (word & 15) << 12 | word >> 2 & 0xFC0 | word >> 16 & 63, 3
                    sort = byte_at(quick + code) & care
                else:
                    lead, follow = word & 255, word >> 8 & 255
                    if lead <= 0x80 or lead == 0xFF or follow < 0x40:
                        break
                    code, step = (lead - 0x81) * 192 + follow - 0x40, 2
                    sort = byte_at(pairs + code) & care
                if sort == 0:
                    at += step
                    hard_at = at
                    continue
                if sort & NOT_PLAIN:
                    break
                if sort & ONLY_SOUND:
                    if hard_at > sound_end or at - sound_end > _SOUND_SPAN:
                        sounds = 0
                    sounds, sound_end = sounds + 1, at + step
                    if sounds >= _SOUNDS:
                        flag = AROUND
                at += step
                hard_at = at
                if sort == ONLY_SOUND:
                    continue
                if charset != UTF8:
                    code = pair_at(two_bytes + 2 * code)
                flag = max(flag, begun(block, at, code))
            if at > begin:
                han_end = at
                if names and crowded < 2 and han_end - han_start <= 8:
                    flag = max(flag, spaced(block, han_start, han_end))
                continue
            code, at = character(block, at)
            if code < 0 or code == 0xFFFD:
                flag = AROUND  # another charset, perhaps: let it be read with care
                continue
            kind = HAN if code < 0xE0000 else COMPLEX
            if code < SPAN:
                kind = pair_at(classes + 2 * code)
            if kind & HAN and code < 0xA000:
                han_end = at
                if names and byte_at(quick + code) & care & ~NOT_PLAIN:
                    flag = max(flag, begun(block, at, code))
                if names and crowded < 2 and han_end - han_start <= 8:
                    flag = max(flag, spaced(block, han_start, han_end))
            if kind & (DIGIT | SOUND):
                if hard_at > sound_end or begin - sound_end > _SOUND_SPAN:
                    sounds = 0
                sounds, sound_end = sounds + 1, at
                if sounds >= _SOUNDS:
                    flag = AROUND
        if kind & DIGIT:
            chain_end = max(digits_end, drawn_end)
            if begin - chain_end > _NEAR or hard_at > chain_end:
                is_drawn = is_live = False
                forget_drawn(block)
            if begin - digits_end > _NEAR or hard_at > digits_end:
                count = 0
            if begin - star_end <= _BESIDE and beside(block, star_end, begin):
                masked += not is_headed
                is_headed = False
                flag = max(flag, note_mask(block, begin))
            if tail_at == begin and byte_at(digits + code) == 4:
                flag = AROUND  # 尾4, 后4位, 末四位
            group, house_begin, house_digits = 0, begin, 0
            if byte < 0x80:
                at = begin
            while True:
                if byte < 0x80:
                    while at + 8 <= size:
                        length, value_ = digits_at(data + at)
                        acc = acc << 4 * length | value_
                        at, group = at + length, group + length
                        house_digits += length
                        if length < 8:
                            break
                    else:
                        while at < size and 48 <= byte_at(data + at) <= 57:
                            acc = acc << 4 | byte_at(data + at) - 48
                            at, group, house_digits = at + 1, group + 1, house_digits + 1
                            acc &= LAST_DIGITS
                    acc &= LAST_DIGITS
                else:
                    acc = (acc << 4 | byte_at(digits + code)) & LAST_DIGITS
                    group, house_digits = group + 1, house_digits + 1
                    if kind & HAN:
                        house_begin, house_digits = at, 0
                # What follows: another digit, perhaps of another family?
                if at >= size:
                    break
                byte = byte_at(data + at)
                if byte < 0x80:
                    if byte_at(ascii_sorts + byte) != ASCII_DIGIT:
                        break
                    continue
                code, after = character(block, at)
                if code < 0 or code >= SPAN:
                    break
                kind = pair_at(classes + 2 * code)
                if not kind & DIGIT:
                    break
                if kind & HAN:
                    if han_end != at:
                        han_start = at
                    han_end = after
                if hard_at > sound_end or at - sound_end > _SOUND_SPAN:
                    sounds = 0
                at = after
                sounds, sound_end = sounds + 1, at
                if sounds >= _SOUNDS:
                    flag = AROUND
            count, last_digits, digits_end = count + group, digits_end, at
            if count >= 10:
                await_digits(block, acc, count, group)
            if has_short and has_digits(block, acc, min(count, 9)):
                flag = AROUND
            if group >= 11:
                is_drawn = False  # the last eleven digits are what they are
            else:
                if word_end == begin and not is_pushed:
                    # Letters before a number that look like digits: O9340271865.
                    first = begin
                    while first > max(word_begin, begin - 4):
                        if not pair_at(classes + 2 * byte_at(data + first - 1)) & DRAWN:
                            break
                        first -= 1
                    if first < begin:
                        if not is_drawn:
                            drawn, drawn_count, is_drawn = 0, 0, True
                        for index in range(first, begin):
                            drawn = drawn << 4 | byte_at(digits + byte_at(data + index))
                        drawn_count, since, is_live = drawn_count + begin - first, 0, True
                is_live |= is_drawn and drawn_end == begin and begin - last_digits > 3
                if is_drawn:
                    own = acc & ((1 << 4 * group) - 1)
                    drawn = (drawn << 4 * group | own) & LAST_DIGITS
                    drawn_count, since, drawn_end = drawn_count + group, since + group, at
                    if since < 11:
                        expect_drawn(block, drawn, drawn_count)
                if is_live and is_drawn_found(block):
                    flag = AROUND
                if names and han_end == house_begin and 0 < house_digits <= 5:
                    # 民路88: the last three characters before a house number, and it.
                    own = acc & ((1 << 4 * house_digits) - 1)
                    place = house(block, han_start, han_end, own)
                    if place != _0 and crowded:
                        flag = max(flag, placed(block, place, begin))
                    elif place != _0:
                        flag = max(flag, named(block, _PLACE, place, begin))
            continue
        if kind & COMPLEX:
            flag = AROUND
        if kind & LETTER:
            # A Latin letter of another family: names and spoken digits may be drawn so.
            wide_letters = wide_letters + 1 if wide_end == begin else 1
            wide_end = at
            if wide_letters >= 4 or word_end == begin:
                flag = AROUND
            if begin - star_end <= _BESIDE:
                flag = max(flag, note_mask(block, begin))
        if kind & OPENER:
            if byte < 0x80:
                if opens(block, at, byte):
                    flag = AROUND
            else:
                tail_at = at
                if code == 0x5C3E and at < size:
                    after, _ = character(block, at)
                    if after == 0x53F7 or after == 0x6570:
                        flag = AROUND  # 尾号, 尾数
        if kind & (STAR | DULL):
            if kind & STAR or dull_end == begin:
                head_end = max(digits_end, word_end, wide_end)
                if begin - head_end <= _BESIDE:
                    flag = max(flag, note_mask(block, begin))
                if begin != star_end:
                    is_headed = begin - head_end <= _BESIDE and star_end <= head_end
                    masked += is_headed
                star_end = at
            if kind & DULL:
                dull_end = at
        if kind & DRAWN:
            chain_end = max(digits_end, drawn_end)
            if begin - chain_end > _NEAR or hard_at > chain_end:
                is_drawn = is_live = False
                forget_drawn(block)
            if not is_drawn:
                is_drawn = True
                drawn, drawn_count = 0, 0
                if begin - digits_end <= _NEAR and hard_at <= digits_end:
                    drawn, drawn_count = acc, count
            drawn = (drawn << 4 | byte_at(digits + code)) & LAST_DIGITS
            drawn_count, drawn_end, since = drawn_count + 1, at, 0
            expect_drawn(block, drawn, drawn_count)
            is_live |= begin == digits_end
            if is_live and is_drawn_found(block):
                flag = AROUND
        elif not kind & (SOFT | LETTER):
            hard_at = at
    look_up_waiting(block)
    return (word_at(block + OUT_AT) - word_at(block + OUT)) // 32, line


look_through = compiled(_look_through)


def _look_through_arrays(words, data, out, starts, pairs, table, bits):  # pragma: no cover
    """Do the same with arrays, whose addresses only compiled code learns quickly."""
    words[DATA // 8], words[SIZE // 8] = data.ctypes.data, len(data)
    words[OUT // 8] = words[OUT_AT // 8] = out.ctypes.data
    words[QUICK // 8], words[PAIRS // 8] = starts.ctypes.data, pairs.ctypes.data
    words[TABLE // 8], words[TABLE_SIZE // 8] = table.ctypes.data, len(table)
    words[BITS // 8], words[BITS_MASK // 8] = bits.ctypes.data, len(bits) - 1
    return look_through(words)


look_through_arrays = compiled(_look_through_arrays)
