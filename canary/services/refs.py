"""Short references people can read out: B-7K3M9Q2XWP."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10


def make_ref(prefix: str) -> str:
    """Draw a new reference, 49 bits of chance behind the prefix."""
    return prefix + "-" + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
