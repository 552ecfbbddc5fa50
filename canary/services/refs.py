"""Short references people can read out: B-7K3M2Q5XWP."""

import base64
import os

LENGTH = 10
_BYTES = 7


def make_ref(prefix: str) -> str:
    """Draw a new reference: ten characters of RFC 4648 base32, 50 bits of chance."""
    return f"{prefix}-{base64.b32encode(os.urandom(_BYTES)).decode('ascii')[:LENGTH]}"
