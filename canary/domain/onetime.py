"""Time-based one-time codes (RFC 6238, with HMAC-SHA-1 and 30 seconds, as every app reads them)."""

import base64
import hmac
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

PERIOD_S = 30
DIGITS = 6
SECRET_BYTES = 20
# The one that every app reads; HMAC-SHA-1 is not touched by collisions.
HASH = SHA1()  # noqa: S303
# One period to either side: clocks of phones are seconds off, and people type slowly.
DRIFT = 1


def step_of(now: datetime) -> int:
    """Return the number of the period that `now` lies in."""
    return int(now.timestamp()) // PERIOD_S


def code_at(secret: bytes, step: int) -> str:
    """Return the code of one period (RFC 4226, section 5.3)."""
    return HOTP(secret, DIGITS, HASH).generate(step).decode()


def find_step(secret: bytes, code: str, now: datetime, *, after: int | None = None) -> int | None:
    """Return the period whose code this is, or None; periods up to `after` are used up."""
    given = "".join(code.split())
    if len(given) != DIGITS or not (given.isascii() and given.isdigit()):
        return None
    found = None
    for step in range(step_of(now) - DRIFT, step_of(now) + DRIFT + 1):
        is_right = hmac.compare_digest(code_at(secret, step), given)
        if is_right and (after is None or step > after):
            found = step
    return found


def spell_secret(secret: bytes) -> str:
    """Return the secret in base 32, as it is typed into an app."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def make_uri(secret: bytes, name: str, issuer: str) -> str:
    """Return the address an app reads from a QR code (Google Authenticator's key URI format)."""
    uri = TOTP(secret, DIGITS, HASH, PERIOD_S).get_provisioning_uri(name, issuer)
    # Some apps show the plus that the library writes for a blank.
    return uri.replace("+", "%20")
