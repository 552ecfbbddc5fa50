"""Fetch a page by HTTP: through the same gate as every call, with caps on bytes and time."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from urllib.parse import urljoin, urlsplit

from webhooks.errors import DeliveryError
from webhooks.outbound.addresses import place_of
from webhooks.outbound.sender import HttpSender
from webhooks.outbound.sending import Answer, Request

PACKED_BYTES = 5 * 1024 * 1024
OPEN_BYTES = 20 * 1024 * 1024
SECONDS = 20.0
HOPS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What came back: `url` is where it came from in the end, `body` unpacked."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFetcher:
    """Fetches pages; a redirect is followed on its own host only, and judged anew."""

    sender: HttpSender
    agent: str
    packed_bytes: int = PACKED_BYTES
    open_bytes: int = OPEN_BYTES
    seconds: float = SECONDS

    def check(self, url: str) -> None:
        """Refuse a URL that may not be called. Raises DeliveryError."""
        self.sender.check(url)

    def fetch(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        judge: Callable[[str], None] | None = None,
    ) -> Page:
        """Return what is at `url`, whatever its status. Raises DeliveryError.

        `judge` is shown where each redirect leads before it is followed, and raises to stop there.
        """
        end = monotonic() + self.seconds
        for _ in range(HOPS + 1):
            answer = self._get(url, headers or {}, end - monotonic())
            if answer.status not in _REDIRECTS or not answer.headers.get("location"):
                body = _unpack(answer, self.open_bytes)
                return Page(url=url, status=answer.status, headers=answer.headers, body=body)
            url = _onward(url, answer.headers["location"])
            if judge is not None:
                judge(url)
        raise DeliveryError("it sends us round in circles")

    def _get(self, url: str, headers: Mapping[str, str], left: float) -> Answer:
        if left <= 0:
            raise DeliveryError("no answer in time")
        sender = replace(self.sender, total_seconds=left, answer_bytes=self.packed_bytes + 1)
        wanted = {"User-Agent": self.agent, "Accept": "*/*", **headers}
        answer = sender.send(Request(url=url, body=b"", headers=wanted, method="GET"))
        if len(answer.body) > self.packed_bytes:
            raise DeliveryError(f"it is larger than {self.packed_bytes >> 10} KiB")
        return answer


def _onward(url: str, location: str) -> str:
    """Return where a redirect leads. Raises DeliveryError when that is no place of the host."""
    try:
        onward = urljoin(url, location[:2000]).partition("#")[0]
        here, there = place_of(url), place_of(onward)
    except ValueError as error:
        raise DeliveryError("it sends us to an address that cannot be read") from error
    if there.host != here.host or urlsplit(onward).username is not None:
        raise DeliveryError("it sends us to another host")
    if (here.scheme, there.scheme) == ("https", "http"):
        raise DeliveryError("it sends us from https to http")
    return onward


def _unpack(answer: Answer, most: int) -> bytes:
    """Open what was packed although we asked for it plain; never more than `most` bytes."""
    packing = answer.headers.get("content-encoding", "").strip().lower()
    if packing in {"", "identity"} or not answer.body:
        return answer.body
    if packing not in {"gzip", "x-gzip", "deflate"}:
        raise DeliveryError("it is packed in a way we do not read")
    opener = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        opened = opener.decompress(answer.body, most + 1)
    except zlib.error as error:
        raise DeliveryError("it is packed wrongly") from error
    if len(opened) > most:
        raise DeliveryError(f"unpacked it is larger than {most >> 10} KiB")
    return opened
