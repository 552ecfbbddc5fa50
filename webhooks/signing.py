"""Standard Webhooks 1.0: sign and verify messages with shared secrets."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets as random_source
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from math import floor

from webhooks.errors import SignatureError

PREFIX = "whsec_"
TOLERANCE = timedelta(seconds=300)
ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

_SECRET_BYTES = 32
_MOST_SIGNATURES = 20
# A dot in the id would let "id.time.body" be cut in another place.
_MESSAGE_ID = re.compile(r"[!-\-/-~]{1,256}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def new_secret(draw: Callable[[int], bytes] = random_source.token_bytes) -> str:
    """Return a fresh secret, `whsec_` and the base64 of 32 bytes."""
    return PREFIX + base64.b64encode(draw(_SECRET_BYTES)).decode("ascii")


def key_of(secret: str) -> bytes:
    """Return the key bytes of a secret; raises SignatureError when it is none."""
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("the secret is not base64") from error
    if not key:
        raise SignatureError("the secret is empty")
    return key


def sign(secret: str, message_id: str, at: datetime, body: bytes) -> str:
    """Return the `v1,...` signature of a body sent at the aware time `at`."""
    return "v1," + _digest(key_of(secret), message_id, str(floor(at.timestamp())), body)


def headers(secrets: Iterable[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers; each live secret adds its signature."""
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(floor(at.timestamp())),
        SIGNATURE_HEADER: " ".join(sign(secret, message_id, at, body) for secret in secrets),
    }


def verify(
    secrets: Iterable[str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> str:
    """Return the message id when one live secret signed id, time and body.

    `headers` are read by lower-case name. The time may differ from `now` by `tolerance`,
    inclusive to the second.

    Raises:
        SignatureError: always and only, whatever the headers hold.
    """
    message_id = headers.get(ID_HEADER, "")
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    if not _MESSAGE_ID.fullmatch(message_id) or not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError("no readable webhook-id and webhook-timestamp")
    if abs(floor(now.timestamp()) - int(timestamp)) > tolerance.total_seconds():
        raise SignatureError("the timestamp is stale")
    given = _signatures(headers.get(SIGNATURE_HEADER, ""))
    expected = [_digest(key_of(secret), message_id, timestamp, body) for secret in secrets]
    # Every pair is compared, so that time tells nothing about which secret is live.
    matches = [hmac.compare_digest(one.encode(), other) for one in expected for other in given]
    if not any(matches):
        raise SignatureError("no signature matches")
    return message_id


def _signatures(header: str) -> list[bytes]:
    pairs = [entry.partition(",") for entry in header.split(" ")[:_MOST_SIGNATURES]]
    return [value.encode("utf-8", "replace") for version, _, value in pairs if version == "v1"]


def _digest(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")
