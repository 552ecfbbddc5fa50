"""HMAC digests in the two spellings senders and receivers use."""

import base64
import hmac


def hmac_hex(secret: str, message: bytes, algorithm: str = "sha256") -> str:
    """Return the HMAC of a message in hex."""
    return _digest(secret, message, algorithm).hex()


def hmac_base64(secret: str, message: bytes, algorithm: str = "sha256") -> str:
    """Return the HMAC of a message in base64."""
    return base64.b64encode(_digest(secret, message, algorithm)).decode()


def feishu_sign(secret: str, stamp: str) -> str:
    """Return Feishu's sign: time and secret are the key, the message is empty."""
    return base64.b64encode(_digest(f"{stamp}\n{secret}", b"", "sha256")).decode()


def _digest(secret: str, message: bytes, algorithm: str) -> bytes:
    return hmac.new(secret.encode("utf-8", "replace"), message, algorithm).digest()
