"""HMAC digests in the two spellings senders and receivers use."""

import base64
import hmac


def hmac_hex(secret: str, message: bytes, algorithm: str = "sha256") -> str:
    """Return the HMAC of a message in hex."""
    return hmac.new(secret.encode(), message, algorithm).hexdigest()


def hmac_base64(secret: str, message: bytes, algorithm: str = "sha256") -> str:
    """Return the HMAC of a message in base64."""
    return base64.b64encode(hmac.new(secret.encode(), message, algorithm).digest()).decode()
