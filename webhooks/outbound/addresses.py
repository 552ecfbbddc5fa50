"""May this address be called: every resolved address is judged, then only that one is called."""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from webhooks.errors import AddressRefused, DeliveryError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

DEFAULT_PORTS = {
    "http": frozenset({80, 443}),
    "https": frozenset({80, 443}),
    "smtp": frozenset({25, 465, 587}),
    "smtps": frozenset({465}),
    "syslog+udp": frozenset({514}),
    "syslog+tcp": frozenset({514, 601}),
    "syslog+tls": frozenset({6514}),
}
STANDARD_PORT = {
    "http": 80,
    "https": 443,
    "smtp": 587,
    "smtps": 465,
    "syslog+udp": 514,
    "syslog+tcp": 601,
    "syslog+tls": 6514,
}
_LONGEST_URL = 2000
# What `ipaddress` calls global although nobody outside should make us go there: metadata
# services (192.0.0.192, 168.63.129.16), relays, multicast, site-local and tunnels.
_DENIED_TEXT = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24
203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 3fff::/20 5f00::/16 fc00::/7 fe80::/10
fec0::/10 ff00::/8
"""
_DENIED = tuple(map(ipaddress.ip_network, _DENIED_TEXT.split()))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,252})")
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a URL leads: scheme, host in lower case, port."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """Which addresses may be called.

    `allowed` are inside networks or host names an operator opened, each perhaps with a port
    (`10.0.0.5:8088`, `siem.internal`, `[fd00::/8]:443`); without one all its ports are open.
    """

    allowed: Sequence[str] = ()
    resolve: Resolve = field(default_factory=lambda: resolve_by_system)

    def check_url(self, url: str) -> Place:
        """Return where `url` leads; raises AddressRefused by its form, without resolving.

        The port of a name is judged with its addresses: an open network opens its ports.
        """
        place = place_of(url)
        literal = _literal(place.host)
        if literal is not None:
            self._judge(literal, place)
        elif _NUMERIC_HOST.fullmatch(place.host):
            raise AddressRefused("the host is a number in disguise")
        return place

    def addresses(self, place: Place) -> list[str]:
        """Resolve and return the addresses to connect to.

        Raises:
            AddressRefused: when one of the answers may not be called.
            DeliveryError: when the name does not resolve.
        """
        try:
            found = list(dict.fromkeys(self.resolve(place.host, place.port)))
        except OSError as error:
            raise DeliveryError(f"the name {place.host} does not resolve") from error
        if not found:
            raise DeliveryError(f"the name {place.host} does not resolve")
        for text in found:
            self.judge(text, place)
        return found

    def judge(self, text: str, place: Place) -> None:
        """Refuse an address that may not be called for this place."""
        address = _literal(text)
        if address is None:
            raise AddressRefused("the resolver gave no address")
        self._judge(address, place)

    def _judge(self, address: Address, place: Place) -> None:
        inner = unwrap(address)
        if self._opened(inner, place):
            return
        if not inner.is_global or any(
            inner in net for net in _DENIED if net.version == inner.version
        ):
            raise AddressRefused("the address is not a public one")
        if place.port not in DEFAULT_PORTS[place.scheme]:
            raise AddressRefused(f"port {place.port} may not be called")

    def _opened(self, address: Address | None, place: Place) -> bool:
        return any(_opens(entry, address, place) for entry in self.allowed)


def place_of(url: str) -> Place:
    """Take a URL apart; raises AddressRefused when two programs could read it differently."""
    if len(url) > _LONGEST_URL or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefused("the address has characters that do not belong there")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused("the address cannot be read") from error
    scheme = parts.scheme.lower()
    if scheme not in STANDARD_PORT:
        raise AddressRefused("nothing sends to that kind of address")
    if parts.username is not None and not scheme.startswith("smtp"):
        raise AddressRefused("the address holds credentials")
    is_readable = _literal(host) if "[" in parts.netloc else _HOST.fullmatch(host)
    if not is_readable:
        raise AddressRefused("the address has no readable host")
    if port == 0:
        raise AddressRefused("port 0 may not be called")
    return Place(scheme=scheme, host=host, port=port or STANDARD_PORT[scheme])


def unwrap(address: Address) -> Address:
    """Return the IPv4 address inside a mapped, NAT64 or 6to4 one, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def resolve_by_system(host: str, port: int) -> list[str]:
    """Return all addresses the system's resolver gives."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _literal(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _opens(entry: str, address: Address | None, place: Place) -> bool:
    where, port = _entry(entry)
    if port is not None and port != place.port:
        return False
    try:
        network = ipaddress.ip_network(where, strict=False)
    except ValueError:
        return where.lower().rstrip(".") == place.host.rstrip(".")
    return address is not None and _lies_in(address, network)


def _lies_in(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _entry(entry: str) -> tuple[str, int | None]:
    entry = entry.strip()
    if entry.startswith("["):
        where, _, port = entry[1:].partition("]")
        port = port.removeprefix(":")
    elif entry.count(":") == 1:
        where, _, port = entry.partition(":")
    else:
        where, port = entry, ""
    return where, int(port) if port.isascii() and port.isdigit() else None
