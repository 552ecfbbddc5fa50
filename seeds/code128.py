"""Code 128 (ISO/IEC 15417), as bar widths: code sets B and C, shortest switch for digit runs."""

import re
from collections.abc import Iterator

from seeds.errors import BadSheet

_WIDTHS = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132
122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212
322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311
112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321
331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214
112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212
124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113
411311 113141 114131 311141 411131 211412 211214 211232 2331112
"""
_PATTERNS = _WIDTHS.split()
_TO_C, _TO_B, _START_B, _START_C, _STOP = 99, 100, 104, 105, 106


def encode_code128(text: str) -> list[int]:
    """Return the widths of bars and spaces in turn, a bar first, in modules, without quiet zones.

    Raises BadSheet for characters outside printable ASCII.
    """
    if re.fullmatch(r"[ -~]+", text) is None:
        raise BadSheet(f"{text!r} cannot be a bar code", mend="use ASCII letters, digits and signs")
    codes = list(_to_codes(text))
    check = (codes[0] + sum(i * code for i, code in enumerate(codes))) % 103
    return [int(width) for code in (*codes, check, _STOP) for width in _PATTERNS[code]]


def _to_codes(text: str) -> Iterator[int]:
    """Yield symbol values; runs of four digits or more go into set C, two digits a symbol."""
    in_c = False
    for number, part in enumerate(re.findall(r"(?:\d\d){2,}|(?:(?!\d{4})[ -~])+", text)):
        wants_c = len(part) >= 4 and part.isdigit()
        if number == 0:
            yield _START_C if wants_c else _START_B
        elif wants_c != in_c:
            yield _TO_C if wants_c else _TO_B
        in_c = wants_c
        if in_c:
            yield from (int(part[i : i + 2]) for i in range(0, len(part), 2))
        else:
            yield from (ord(char) - 32 for char in part)
