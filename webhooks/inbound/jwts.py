"""Verify JWTs signed with a shared secret."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webhooks.errors import PayloadError, SignatureError
from webhooks.json_strict import read_object

_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_LONGEST = 4096


def read_jwt(jwt: str, secrets: Sequence[str], algorithms: Sequence[str]) -> Mapping[str, Any]:
    """Return the claims of a JWT that one of the secrets signed; raises SignatureError."""
    head, _, rest = jwt[:_LONGEST].partition(".")
    body, _, signature = rest.partition(".")
    try:
        algorithm = str(read_object(_decoded(head)).get("alg"))
        claims = read_object(_decoded(body))
    except PayloadError as error:
        raise SignatureError("no readable JWT") from error
    if algorithm not in algorithms:
        raise SignatureError("the JWT names another algorithm")
    signed, given = f"{head}.{body}".encode(), _decoded(signature)
    digests = [hmac.new(one.encode(), signed, _DIGESTS[algorithm]).digest() for one in secrets]
    if not sum(hmac.compare_digest(given, digest) for digest in digests):
        raise SignatureError("no secret signed the JWT")
    return claims


def check_span(claims: Mapping[str, Any], now: datetime) -> None:
    """Refuse claims outside `nbf` and `exp`; both must be there."""
    start, end = claims.get("nbf"), claims.get("exp")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        raise SignatureError("the JWT has no span")
    if not start <= now.timestamp() <= end:
        raise SignatureError("the JWT is stale")


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("no readable JWT") from error
