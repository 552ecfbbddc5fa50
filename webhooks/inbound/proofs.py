"""Proofs that a post comes from its reporter; all comparisons take constant time."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import floor

from webhooks.errors import SignatureError
from webhooks.reports import Grade, Post

TOLERANCE = timedelta(seconds=300)

_NUMBER = re.compile(r"[0-9]{1,16}")


def same(given: str, expected: str) -> bool:
    """Compare two texts in constant time, whatever characters they hold."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def any_same(given: str, expected: Iterable[str]) -> bool:
    """Say whether `given` equals one of `expected`; always compares with all."""
    return sum(same(given, one) for one in expected) > 0


def path_secret_digest(path_secret: str) -> str:
    """Return what is stored of a secret path, the SHA-256 in hex."""
    return hashlib.sha256(path_secret.encode("utf-8", "replace")).hexdigest()


def check_path(post: Post) -> None:
    """Refuse a post that did not come in by the reporter's secret path, if it has one."""
    if post.path_required and not post.path_proven:
        raise SignatureError("the secret path is missing")


def prove_weakly(post: Post, secrets: Sequence[str]) -> Grade:
    """Accept the secret path, or a secret shown in `Authorization`; raises SignatureError."""
    shown = shown_secret(post)
    if post.path_proven or (shown and any_same(shown, secrets)):
        return Grade.WEAK
    raise SignatureError("neither secret path nor credentials")


def shown_secret(post: Post) -> str:
    """Return the secret of a Bearer header or the password of a Basic one, else nothing."""
    scheme, _, value = post.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[2]


def check_age(
    timestamp: str, now: datetime, *, per_second: int = 1, tolerance: timedelta = TOLERANCE
) -> None:
    """Refuse a Unix timestamp outside the window, inclusive to the second."""
    if not _NUMBER.fullmatch(timestamp):
        raise SignatureError("no readable timestamp")
    if abs(floor(now.timestamp()) - int(timestamp) // per_second) > tolerance.total_seconds():
        raise SignatureError("the timestamp is stale")
