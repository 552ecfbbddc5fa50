"""Call an endpoint by HTTP: only a judged address, short limits, no redirects, capped answer."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import PoolManager

from webhooks.errors import DeliveryError
from webhooks.outbound.addresses import AddressPolicy, Place
from webhooks.outbound.sending import Answer, Request, Sender

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
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
        self.policy.addresses(self.policy.check_url(url))

    def send(self, request: Request) -> Answer:
        """Send once within the total time."""
        place = self.policy.check_url(request.url)
        line = _Line(self, place)
        with line.limited(), _LineAdapter(line) as adapter:
            try:
                answer = self._exchange(adapter, request)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                raise DeliveryError(_reason(error, line)) from error
        # What had come when the line was cut can look like a whole answer.
        if line.cut:
            raise DeliveryError("no answer in time")
        return answer

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


class _Line:
    """One connection of one call, cut when its time is over."""

    def __init__(self, sender: HttpSender, place: Place) -> None:
        self.sender = sender
        self.place = place
        self.cut = False
        self._deadline = monotonic() + sender.total_seconds
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Cut the connection at the deadline: a receiver may drip bytes below every timeout."""
        timer = threading.Timer(self.sender.total_seconds, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def connect(self) -> socket.socket:
        """Return a socket connected to a judged address of the place."""
        failure: OSError | None = None
        for address in self._resolve():
            try:
                return self._dial(address)
            except OSError as error:
                failure = error
        raise failure or OSError("no address")

    def _resolve(self) -> list[str]:
        # The system's resolver knows no time limit of ours.
        found: list[list[str] | Exception] = []

        def look_up() -> None:
            try:
                found.append(self.sender.policy.addresses(self.place))
            except Exception as error:  # noqa: BLE001  # carried to the calling thread
                found.append(error)

        thread = threading.Thread(target=look_up, daemon=True)
        thread.start()
        thread.join(self.sender.connect_seconds)
        if not found:
            raise DeliveryError(f"the name {self.place.host} does not resolve in time")
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    def _dial(self, address: str) -> socket.socket:
        left = min(self.sender.connect_seconds, self._deadline - monotonic())
        if left <= 0:
            raise TimeoutError
        made = socket.create_connection((address, self.place.port), timeout=left)
        try:
            self.sender.policy.judge(str(made.getpeername()[0]), self.place)
            made.settimeout(max(0.01, self._deadline - monotonic()))
            self._keep(made)
        except BaseException:
            made.close()
            raise
        return made

    def _keep(self, made: socket.socket) -> None:
        with self._lock:
            if self.cut:
                raise TimeoutError
            # A descriptor of its own: TLS takes the first one over.
            self._socket = made.dup()

    def _hang_up(self) -> None:
        with self._lock:
            self.cut = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptor back."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None


class _LineAdapter(HTTPAdapter):
    """Makes every connection of a session by its line."""

    def __init__(self, line: _Line) -> None:
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
        self._line.close()


def _pools(line: _Line) -> dict[str, Any]:
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


def _reason(error: Exception, line: _Line) -> str:
    """Say in a few words what failed; details could map an inner network for a stranger."""
    if line.cut or isinstance(error, TimeoutError | requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError):
        return "no trusted TLS connection"
    if isinstance(error, requests.ConnectionError | OSError):
        return "no connection"
    return "no readable answer"
