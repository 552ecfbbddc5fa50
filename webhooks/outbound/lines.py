"""One connection of one call: to a judged address only, and cut when its time is over."""

import socket
import threading
from contextlib import suppress
from time import monotonic
from typing import Self

from webhooks.errors import DeliveryError
from webhooks.outbound.addresses import AddressPolicy, Place

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0


class Line:
    """Dials a place and hangs up at the deadline.

    A receiver may drip bytes below every socket timeout, so that only cutting ends it. Use as a
    context; times in seconds.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        place: Place,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.place = place
        self.cut = False
        self._policy = policy
        self._connect_seconds = connect_seconds
        self._deadline = monotonic() + total_seconds
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(total_seconds, self._hang_up)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    @property
    def is_over(self) -> bool:
        """Say whether the time is used up."""
        return self.cut or monotonic() >= self._deadline

    def connect(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """Return a socket connected to a judged address of the place; the caller closes it.

        Raises:
            DeliveryError: the name does not resolve, or to what may not be called.
            OSError: nobody answers there.
        """
        failure: OSError | None = None
        for address in self._resolve():
            try:
                return self._dial(address, kind)
            except OSError as error:
                failure = error
        raise failure or OSError("no address")

    def _resolve(self) -> list[str]:
        # The system's resolver knows no time limit of ours.
        found: list[list[str] | Exception] = []

        def look_up() -> None:
            try:
                found.append(self._policy.addresses(self.place))
            except Exception as error:  # noqa: BLE001  # carried to the calling thread
                found.append(error)

        thread = threading.Thread(target=look_up, daemon=True)
        thread.start()
        thread.join(self._connect_seconds)
        if not found:
            raise DeliveryError(f"the name {self.place.host} does not resolve in time")
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    def _dial(self, address: str, kind: socket.SocketKind) -> socket.socket:
        left = min(self._connect_seconds, self._deadline - monotonic())
        if left <= 0:
            raise TimeoutError
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        try:
            made.settimeout(left)
            made.connect((address, self.place.port))
            self._policy.judge(str(made.getpeername()[0]), self.place)
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
