"""Fixtures for outbound tests: a fence against the outside, and servers on loopback."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from werkzeug import Response

from webhooks.messages import Message
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.formats.base import EndpointConfig
from webhooks.outbound.registry import FORMATS
from webhooks.outbound.sender import HttpSender

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
        self.thread = Thread(target=self._serve, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End the thread that waits for callers: closing alone would leave it there for ever."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(60)
        self.listener.close()

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
        server.stop()


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


@pytest.fixture
def deliver(httpserver: HTTPServer, now: datetime) -> Callable[..., Any]:
    """Render, send over real HTTP to a server with the given answer, judge; return the request."""

    def run(
        format_name: str,
        message: Message,
        answer: Any,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        secrets: tuple[str, ...] = ("demo",),
        path: str = "/robot?key=1",
        **options: Any,
    ) -> Any:
        def respond(request: Any) -> Response:
            body = answer(request) if callable(answer) else answer
            text = body if isinstance(body, str) else json.dumps(body)
            return Response(text, status=status, headers=headers)

        httpserver.expect_request(re.compile(".*")).respond_with_handler(respond)
        config = EndpointConfig(
            url=httpserver.url_for("").rstrip("/") + path, secrets=secrets, options=options
        )
        chosen = FORMATS[format_name]
        sender = HttpSender(policy=AddressPolicy(allowed=("127.0.0.1",)))
        taken = sender.send(chosen.render(message, config, now))
        chosen.judge(taken, now)
        return httpserver.log[-1][0]

    return run


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the files of a certificate for siem.example and mail.example and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("siem.example"), x509.DNSName("mail.example")]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "siem.example")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")
