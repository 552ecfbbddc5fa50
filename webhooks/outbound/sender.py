"""Call an endpoint by HTTP: only a judged address, short limits, no redirects, capped answer."""

import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import PoolManager

from webhooks.errors import AddressRefused, DeliveryError
from webhooks.outbound.addresses import AddressPolicy, Place
from webhooks.outbound.lines import CONNECT_SECONDS, TOTAL_SECONDS, Line
from webhooks.outbound.sending import Answer, Request, Sender

ANSWER_BYTES = 64 * 1024
_CHUNK = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSender(Sender):
    """Sends by HTTP and HTTPS under an address policy.

    The name is resolved once, every answer judged, and the connection made to a judged address
    and checked again on the connected socket; TLS still proves the name. Nothing is read from
    the environment.
    """

    policy: AddressPolicy = field(default_factory=AddressPolicy)
    connect_seconds: float = CONNECT_SECONDS
    total_seconds: float = TOTAL_SECONDS
    answer_bytes: int = ANSWER_BYTES
    ca_file: str | None = None

    def check(self, url: str) -> None:
        """Refuse a URL by its form and by what it resolves to now."""
        self.policy.addresses(self._place(url))

    def send(self, request: Request) -> Answer:
        """Send once within the total time."""
        place = self._place(request.url)
        line = Line(self.policy, place, self.connect_seconds, self.total_seconds)
        with line, _LineAdapter(line) as adapter:
            try:
                answer = self._exchange(adapter, request)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                raise DeliveryError(_reason(error, line)) from error
        # What had come when the line was cut can look like a whole answer.
        if line.cut:
            raise DeliveryError("no answer in time")
        return answer

    def _place(self, url: str) -> Place:
        place = self.policy.check_url(url)
        if place.scheme not in ("http", "https"):
            raise AddressRefused("only http and https are called this way")
        return place

    def _exchange(self, adapter: HTTPAdapter, request: Request) -> Answer:
        # Packed answers are not asked for: they could grow beyond the cap when opened.
        headers = {"Accept-Encoding": "identity", "User-Agent": "waybill-canary", **request.headers}
        prepared = requests.Request(
            request.method, request.url, headers=headers, data=request.body
        ).prepare()
        # The adapter and not a session: even told not to follow, a session reads the whole
        # body of a redirect into memory.
        response = adapter.send(
            prepared,
            stream=True,
            timeout=(self.connect_seconds, self.total_seconds),
            verify=self.ca_file or True,
        )
        with response:
            body = response.raw.read(self.answer_bytes, decode_content=False)
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=body,
            )


class _LineAdapter(HTTPAdapter):
    """Makes every connection of a session by its line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager: PoolManager
        self.poolmanager.pool_classes_by_scheme = _pools(self._line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pools(line: Line) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return line.connect()

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return line.connect()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _reason(error: Exception, line: Line) -> str:
    """Say in a few words what failed; details could map an inner network for a stranger."""
    if line.is_over or isinstance(error, TimeoutError | requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError):
        return "no trusted TLS connection"
    if isinstance(error, requests.ConnectionError | OSError):
        return "no connection"
    return "no readable answer"
