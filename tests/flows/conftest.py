"""A whole installation on loopback: database, server, jobs, and somebody who takes alerts."""

import json
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from canary.bootstrap import (
    Application,
    make_jobs,
    make_sender,
    make_web,
    prepare_application,
    serve_in_thread,
)
from canary.domain.sightings import ChannelClass
from canary.services.access import create_user
from canary.services.alerts import alerting
from canary.services.inbox import intake
from tests.factories import Office
from tests.fakes import FakeClock
from webhooks import signing
from webhooks.errors import SignatureError

PASSWORD = "seven quiet parcels at noon"
PATIENCE = 120.0


@contextmanager
def hold_port() -> Iterator[int]:
    """Hold a free port of loopback that nobody listens on; a server that reuses it may."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@dataclass
class Receiver:
    """Takes alerts as an endpoint does; keeps those whose signature is right."""

    secret: str = field(default_factory=signing.new_secret)
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    forged: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)
    pause: Callable[[], None] = lambda: None
    url: str = ""

    def take(self, headers: dict[str, str], body: bytes) -> int:
        try:
            message_id = signing.verify([self.secret], headers, body, datetime.now(UTC))
        except SignatureError:
            self.forged += 1
            return 401
        self.taken.append((message_id, json.loads(body)))
        self.arrived.set()
        self.pause()
        return 204

    def wait_for(self, kind: str) -> None:
        """Wait until an alert of this kind has come."""
        for _ in range(120):
            if kind in {message["type"] for _, message in list(self.taken)}:
                return
            self.arrived.wait(1)
            self.arrived.clear()
        raise AssertionError(f"no {kind} came")


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({k.lower(): v for k, v in self.headers.items()}, body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # its clients are killed
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/alerts"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class House:
    """A served installation, and how its neighbours call it."""

    application: Application
    office: Office
    base_url: str
    page_secret: str
    sms_secret: str

    def post(self, name: str, body: bytes, headers: dict[str, str] | None = None) -> Any:
        url = f"{self.base_url}/hooks/{name}"
        return requests.post(url, data=body, headers=headers or {}, timeout=PATIENCE)

    def sign(self, body: bytes, message_id: str | None = None) -> dict[str, str]:
        wanted = message_id or f"msg_{secrets.token_hex(8)}"
        return signing.headers([self.page_secret], wanted, datetime.now(UTC), body)

    def post_signed(self, body: bytes, message_id: str | None = None, **headers: str) -> Any:
        return self.post("market", body, {**self.sign(body, message_id), **headers})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as running:
        yield running


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    opened = prepare_application(
        home=tmp_path / "home",
        database_url=f"sqlite:///{tmp_path}/home/canary.sqlite3",
        secret_file=tmp_path / "home" / "secrets.json",
        public_url="http://127.0.0.1:9",
        outbound_allow="127.0.0.1",
        log_level="error",
        lang="en",
    )
    yield opened
    opened.database.close()


@pytest.fixture
def house(application: Application, receiver: Receiver) -> Iterator[House]:
    listener = socket.create_server(("127.0.0.1", 0))
    office = Office(
        database=application.database,
        vault=application.keys.vault,
        clock=FakeClock(datetime.now(UTC)),
    )
    opened = House(
        application=application,
        office=office,
        base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        page_secret=signing.new_secret(),
        sms_secret="sms-secret",
    )
    furnish(opened, receiver)
    with serve_in_thread(make_web(application), listener):
        yield opened


def furnish(house: House, receiver: Receiver) -> None:
    """Add two reporters, an endpoint and a person."""
    application, now = house.application, datetime.now(UTC)
    vault = application.keys.vault
    with application.database.write() as session:
        for name, reader, kind, secret in (
            ("market", "page", ChannelClass.OWN, house.page_secret),
            ("ours", "standard", ChannelClass.CONTRACTED, house.page_secret),
            ("rack", "smsforwarder", ChannelClass.ARRIVAL, house.sms_secret),
        ):
            wanted = intake.NewReporter(
                name=name,
                format=reader,
                channel_class=kind,
                secrets=intake.Secrets(signing=(secret,)),
            )
            intake.add_reporter(session, vault, wanted, actor="test", now=now)
        route = alerting.Route(
            name="team",
            format="standard",
            config={"url": receiver.url, "secrets": [receiver.secret]},
        )
        sender = make_sender(application)
        alerting.add_endpoint(session, vault, sender, route, lang="en", actor="t", now=now)
        create_user(session, name="lin", password=PASSWORD, role="analyst", now=now, actor="test")


@pytest.fixture
def jobs(application: Application, house: House) -> Iterator[None]:
    running = make_jobs(application)
    running.start()
    yield
    running.stop()


@dataclass
class Browser:
    """Signs in and fills forms over real HTTP."""

    base_url: str
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> str:
        answer = self.session.get(self.base_url + path, timeout=PATIENCE)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def post(self, path: str, page: str, **fields: str) -> requests.Response:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found
        return self.session.post(
            self.base_url + path,
            data={"csrf_token": found[1], **fields},
            headers={"Origin": self.base_url},
            timeout=PATIENCE,
            allow_redirects=False,
        )


@pytest.fixture
def browser(house: House) -> Browser:
    opened = Browser(house.base_url)
    answer = opened.post("/sign-in", opened.get("/sign-in"), name="lin", password=PASSWORD)
    assert answer.status_code == 303
    return opened
