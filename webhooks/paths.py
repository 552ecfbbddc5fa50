"""Secret paths, for senders that cannot sign."""

import secrets as random_source

_BYTES = 24


def draw_path() -> str:
    """Return a fresh secret path of 192 random bits."""
    return random_source.token_urlsafe(_BYTES)
