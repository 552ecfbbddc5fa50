"""Short references people can read out: B-7K3M2Q5XWP."""

import os
from itertools import product

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = ["".join(pair) for pair in product(_LETTERS, repeat=2)]
_BYTES = 7


def make_ref(prefix: str) -> str:
    """Draw a new reference: ten characters of RFC 4648 base32, 50 bits of chance."""
    drawn = int.from_bytes(os.urandom(_BYTES))
    pairs = [_PAIRS[drawn >> shift & 1023] for shift in (0, 10, 20, 30, 40)]
    return f"{prefix}-{''.join(pairs)}"
