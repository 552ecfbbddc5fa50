"""Fixtures for outbound tests: a fence against the outside, and servers on loopback."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from threading import Thread
from typing import Any

import pytest

from webhooks.messages import Message
from webhooks.outbound.formats.base import EndpointConfig

HOSTILE = (
    "<script>alert(1)</script> <https://evil.example|click> [x](http://evil.example) @all "
    '<at user_id="all"></at> <!channel> *bold* _i_ `c` | \\ = "q" \' \r\n0;URL=//evil '
    "\u202e\u200b\x00\x1b[31m {{7*191}} ${jndi:x} =cmd| 单号 喆玥 \ud800"
)


@pytest.fixture(autouse=True)
def fence(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Refuse every connection and look-up that leaves loopback, and remember the attempt."""
    attempts: list[str] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not ip_address(address[0]).is_loopback:
            attempts.append(str(address[0]))
            raise OSError("outside the fence")
        connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in ("127.0.0.1", "localhost", "::1"):
            attempts.append(str(host))
            raise OSError("outside the fence")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    return attempts


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    return ("127.0.0.1", 0)


@dataclass
class RawServer:
    """Answers each connection with what `script` does to it, and keeps what was sent."""

    script: Callable[[socket.socket], None]
    listener: socket.socket = field(default_factory=socket.socket)
    received: list[bytes] = field(default_factory=list)

    def start(self) -> None:
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self.received.append(connection.recv(65_536))
            self.script(connection)


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    """Start servers whose behaviour is a function of the socket."""
    servers: list[RawServer] = []

    def start(script: Callable[[socket.socket], None]) -> RawServer:
        server = RawServer(script)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.listener.close()


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 18, 6, 30, tzinfo=UTC)


@pytest.fixture
def make_message(now: datetime) -> Callable[..., Message]:
    """Make a message about an incident; keywords change its data."""

    def make(**data: Any) -> Message:
        values = {
            "title": "Bait waybill seen",
            "lines": ["Source OUT-001", "Seen at resale.example"],
            "link": "https://canary.example/incidents/INC-42",
            "severity": "critical",
            "incident": "INC-42",
            "source": "OUT-001",
            "venue": "resale.example",
            "url": "http://resale.example/list?p=1",
            "count": 3,
            "first_seen": "2026-03-18T06:00:00+00:00",
            "last_seen": "2026-03-18T06:30:00+00:00",
        }
        return Message(id="msg_1", type="incident.opened", occurred_at=now, data={**values, **data})

    return make


@pytest.fixture
def hostile_message(make_message: Callable[..., Message]) -> Message:
    """Return a message each text of which tries to break out."""
    return make_message(
        title=HOSTILE, lines=[HOSTILE] * 3, venue=HOSTILE, source=HOSTILE, url=HOSTILE
    )


@pytest.fixture
def make_config(secret: str) -> Callable[..., EndpointConfig]:
    def make(url: str = "https://receiver.example/hook", **options: Any) -> EndpointConfig:
        return EndpointConfig(url=url, secrets=(secret,), options=options)

    return make
