"""Where a request really comes from, behind proxies we trust by list."""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=256)
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Read networks such as `10.0.0.0/8` or `::1`; raises ValueError on anything else."""
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts)


def is_within(address: str, texts: Iterable[str]) -> bool:
    """Say whether an address lies in one of the networks; unreadable ones never match."""
    found = _read(address)
    try:
        allowed = networks(tuple(texts))
    except ValueError:
        return False
    return found is not None and any(found in network for network in allowed)


def client_address(peer: str, forwarded_for: str, trusted_proxies: Sequence[str]) -> str:
    """Return the sender's address: the last one in the chain that is not a trusted proxy.

    Without trusted proxies `X-Forwarded-For` is ignored.
    """
    chain = [entry.strip() for entry in forwarded_for[:2000].split(",") if entry.strip()]
    address = peer
    while chain and is_within(address, trusted_proxies) and _read(chain[-1]) is not None:
        address = chain.pop()
    return address


def _read(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
