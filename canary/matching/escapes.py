"""Text full of \\uXXXX, as JSON often is, with these undone line by line; numba is needed."""

# mypy: ignore-errors
import numpy as np

from canary.matching.probes import compiled

_SAMPLE = 1 << 16  # bytes at the start and in the middle that tell whether it pays
_OFTEN = 100  # bytes to an escape, at most
_BACKSLASH, _U = 92, 117


def are_many(raw: bytes) -> bool:
    """Tell whether a text holds so many escapes that most of its lines have some."""
    middle = len(raw) // 2
    return any(
        piece.count(b"\\u") * _OFTEN > len(piece)
        for piece in (raw[:_SAMPLE], raw[middle : middle + _SAMPLE])
    )


def unescaped(raw: bytes) -> tuple[bytes, "np.ndarray"]:
    """Return UTF-8 without escapes, and where each of its lines begins in the original.

    It has the same lines: an escaped line break becomes a space.
    """
    out = np.empty(len(raw), dtype=np.uint8)
    starts = np.zeros(raw.count(b"\n") + 1, dtype=np.int64)
    size = _write(np.frombuffer(raw, dtype=np.uint8), out, starts)
    return out[:size].tobytes(), starts


def _unit(raw, at):  # pragma: no cover
    """Return the sixteen bits that an escape at a place tells; -1 where there is none."""
    if at + 6 > len(raw) or raw[at] != _BACKSLASH or raw[at + 1] != _U:
        return -1
    unit = 0
    for index in range(at + 2, at + 6):
        byte = np.int64(raw[index])
        letter = byte | 32
        if 48 <= byte <= 57:
            unit = unit << 4 | byte - 48
        elif 97 <= letter <= 102:
            unit = unit << 4 | letter - 87
        else:
            return -1
    return unit


_unit_at = compiled(_unit)


def _undo(raw, out, starts):  # pragma: no cover
    """Write the text without escapes and the starts of its lines; return its size."""
    at, to, line = 0, 0, 0
    while at < len(raw):
        code = _unit_at(raw, at) if raw[at] == _BACKSLASH else -1
        step = 6
        if 0xD800 <= code < 0xDC00:
            low = _unit_at(raw, at + 6)
            if 0xDC00 <= low < 0xE000:
                code, step = 0x10000 + (code - 0xD800 << 10) + low - 0xDC00, 12
        if code < 0 or 0xD800 <= code < 0xE000:
            out[to] = raw[at]
            at, to = at + 1, to + 1
            if raw[at - 1] == 10:
                line += 1
                starts[line] = at
            continue
        at += step
        if code < 0x80:
            out[to] = max(code, 32)
            to += 1
        elif code < 0x800:
            out[to], out[to + 1] = 0xC0 | code >> 6, 0x80 | code & 63
            to += 2
        elif code < 0x10000:
            out[to], out[to + 1] = 0xE0 | code >> 12, 0x80 | code >> 6 & 63
            out[to + 2] = 0x80 | code & 63
            to += 3
        else:
            out[to], out[to + 1] = 0xF0 | code >> 18, 0x80 | code >> 12 & 63
            out[to + 2], out[to + 3] = 0x80 | code >> 6 & 63, 0x80 | code & 63
            to += 4
    return to


_write = compiled(_undo)
