"""Values that must not be readable in a copied database.

An envelope is: version (1 byte, 0x01), length of the key id (1 byte), key id, nonce (12 bytes),
AES-256-GCM ciphertext with its 16-byte tag. The place it belongs to (`table.column|row`) is
associated data, so that an envelope moved to another row does not open. NIST SP 800-38D.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from canary.domain.errors import CanaryError

VERSION = 1
NONCE_BYTES = 12
INDEX_BYTES = 16
BLOCK_BYTES = 64


class SealBroken(CanaryError):
    """An envelope does not open: other key, other row, or changed bytes."""


class Vault:
    """Seals and opens values; makes keyed index digests."""

    def __init__(self, data_keys: Mapping[str, bytes], active: str, index_key: bytes) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in data_keys.items()}
        if active not in self._ciphers:
            msg = "the active data key is not among the keys"
            raise ValueError(msg)
        self._active = active
        self._head = bytes([VERSION, len(active)]) + active.encode("ascii")
        # HMAC (RFC 2104) with both key pads hashed once: a batch makes millions of digests.
        padded = index_key.ljust(BLOCK_BYTES, b"\x00")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def seal(self, place: str, plain: bytes) -> bytes:
        """Encrypt `plain` for one `place`, given as `table.column|row`."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._ciphers[self._active]
        return self._head + nonce + cipher.encrypt(nonce, plain, place.encode())

    def unseal(self, place: str, envelope: bytes) -> bytes:
        """Decrypt what `seal` made for the same `place`. Raises SealBroken."""
        try:
            version, id_length = envelope[0], envelope[1]
            key_id = envelope[2 : 2 + id_length].decode("ascii")
            nonce_end = 2 + id_length + NONCE_BYTES
            nonce = envelope[2 + id_length : nonce_end]
            if version != VERSION:
                msg = f"envelope version {version} is unknown"
                raise SealBroken(msg)
            return self._ciphers[key_id].decrypt(nonce, envelope[nonce_end:], place.encode())
        except (IndexError, KeyError, UnicodeDecodeError, ValueError, InvalidTag) as error:
            msg = f"the sealed value of {place.partition('|')[0]} does not open"
            raise SealBroken(msg) from error

    def digest(self, key: str) -> bytes:
        """Keyed digest of an index key (HMAC-SHA-256, first 128 bits)."""
        inner = self._inner.copy()
        inner.update(key.encode("utf-8", "surrogatepass"))
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[:INDEX_BYTES]

    def digests(self, keys: Iterable[str]) -> dict[bytes, str]:
        """Map the digest of each key back to the key."""
        return {self.digest(key): key for key in keys}


def sha256(data: bytes) -> bytes:
    """Plain SHA-256, as evidence readers recompute it."""
    return hashlib.sha256(data).digest()
