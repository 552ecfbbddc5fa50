"""SIGKILL at random moments: what was acknowledged is kept once, what must be told is told.

CANARY_KILLS says how often; `make soak` runs the same with many more.
"""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from canary.bootstrap import Application, make_sender, prepare_application
from canary.domain.sightings import ChannelClass
from canary.services.alerts import alerting
from canary.services.inbox import intake
from canary.services.pages.summaries import count_open_work
from canary.storage.tables import Alert, Delivery, Incident, Sighting
from tests.factories import Office
from tests.fakes import FakeClock
from tests.flows.conftest import Receiver, hold_port
from webhooks import signing

KILLS = int(os.environ.get("CANARY_KILLS", "20"))
OUTLETS = 25
CLIENTS = 4
PATIENCE = 300.0


@dataclass
class Victim:
    """`canary serve` in a process that is killed and started again."""

    home: Path
    port: int
    pid: int = 0

    def __post_init__(self) -> None:
        environment = {
            **os.environ,
            "CANARY_HOME": str(self.home),
            "CANARY_OUTBOUND_ALLOW": "127.0.0.1",
            "CANARY_LOG_LEVEL": "error",
            "OPENBLAS_NUM_THREADS": "1",
        }
        with (self.home / "log").open("ab") as log:
            self._starter = subprocess.Popen(
                [sys.executable, "-m", "tests.flows.starting"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
            )

    def start(self) -> None:
        assert self._starter.stdin
        assert self._starter.stdout
        self._starter.stdin.write(json.dumps(["serve", "--port", str(self.port)]) + "\n")
        self._starter.stdin.flush()
        self.pid = int(self._starter.stdout.readline())
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if not self.lives:
                break
            time.sleep(0.02)
        raise AssertionError((self.home / "log").read_text()[-3000:])

    @property
    def lives(self) -> bool:
        # Number 0 would be this whole group of processes.
        return self.pid > 0 and Path(f"/proc/{self.pid}/stat").exists()

    def kill(self) -> None:
        if self.lives:
            os.kill(self.pid, signal.SIGKILL)
        while self.lives:
            time.sleep(0.002)

    def end(self) -> None:
        self.kill()
        with self._starter:
            self._starter.kill()


@dataclass
class Driver:
    """Posts numbered reports without a pause, and knows which were acknowledged."""

    name: str
    port: int
    secret: str
    texts: list[str]
    acknowledged: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        while not self.stopped.is_set():
            text = self.texts[number % len(self.texts)]
            self._post_until_taken(
                f"{self.name}-{number}", f"{text} {self.name} 第{number}条".encode()
            )
            number += 1
            self.stopped.wait(0.06)

    def _post_until_taken(self, message_id: str, body: bytes) -> None:
        """Repeat under one id, as a sender does that got no answer."""
        while not self.stopped.is_set():
            headers = signing.headers([self.secret], message_id, datetime.now(UTC), body)
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                connection.request("POST", "/hooks/market", body, headers)
                status = connection.getresponse().status
                connection.close()
            except (OSError, http.client.HTTPException):
                self.stopped.wait(0.02)
                continue
            if status == 202:
                self.acknowledged.add(message_id)
                return
            self.refused[status] += 1
            self.stopped.wait(0.02)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def installation(home: Path) -> Iterator[Application]:
    opened = prepare_application(
        home=home,
        database_url=f"sqlite:///{home}/canary.sqlite3",
        secret_file=home / "secrets.json",
        outbound_allow="127.0.0.1",
        log_level="error",
    )
    yield opened
    opened.database.close()


def plant(office: Office) -> None:
    """Give each of many outlets that have nothing in common two baits."""
    rows = [f"OUT-{place},网点{place},outlet,,3301,YTO,100" for place in range(OUTLETS)]
    head = "code,name,kind,parent,region,carriers,daily_parcels"
    office.import_sources("\n".join([head, *rows]))
    office.seed(per_source=2)
    office.confirm()


def open_doors(application: Application, receiver: Receiver, secret: str) -> None:
    vault, now = application.keys.vault, datetime.now(UTC)
    wanted = intake.NewReporter(
        name="market",
        format="page",
        channel_class=ChannelClass.OWN,
        secrets=intake.Secrets(signing=(secret,)),
    )
    route = alerting.Route(
        name="team",
        format="standard",
        config={"url": receiver.url, "secrets": [receiver.secret]},
    )
    sender = make_sender(application)
    with application.database.write() as session:
        intake.add_reporter(session, vault, wanted, actor="test", now=now)
        alerting.add_endpoint(session, vault, sender, route, lang="en", actor="t", now=now)


def wait_until_settled(office: Office) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with office.database.read() as session:
            open_work = count_open_work(session)
        if open_work == 0 and office.count(Delivery, state="waiting") == 0:
            return
        time.sleep(0.2)
    raise AssertionError("the work was not done in time")


@pytest.mark.soak
def test_kills_lose_nothing_and_double_nothing(
    installation: Application, home: Path, receiver: Receiver
) -> None:
    """Posts flow in and alerts flow out while the server is killed again and again."""
    chance = random.Random(KILLS)
    receiver.pause = lambda: time.sleep(chance.uniform(0, 0.1))
    office = Office(
        database=installation.database,
        vault=installation.keys.vault,
        clock=FakeClock(datetime.now(UTC)),
    )
    plant(office)
    secret = signing.new_secret()
    open_doors(installation, receiver, secret)
    baits = [office.values_at(f"OUT-{place}")[0].number or "" for place in range(OUTLETS)]
    noise = [f"普通消息 {place}" for place in range(6)]
    texts = [text for bait in baits for text in (*noise, f"单号 {bait}")]
    with hold_port() as port:
        victim = Victim(home=home, port=port)
        drivers = [
            Driver(name=f"post{number}", port=port, secret=secret, texts=texts)
            for number in range(CLIENTS)
        ]
        posting = [threading.Thread(target=driver.run) for driver in drivers]
        for thread in posting:
            thread.start()
        try:
            for _ in range(KILLS):
                victim.start()
                time.sleep(chance.uniform(0.05, 1.1))
                victim.kill()
            victim.start()
            stop(drivers, posting)
            wait_until_settled(office)
        finally:
            stop(drivers, posting)
            victim.end()
    check_inbox(office, drivers)
    check_incidents(office)
    check_alerts(office, receiver)


def stop(drivers: list[Driver], posting: list[threading.Thread]) -> None:
    for driver in drivers:
        driver.stopped.set()
    for thread in posting:
        thread.join()


def check_inbox(office: Office, drivers: list[Driver]) -> None:
    """Every acknowledged post is there once, and led to one sighting."""
    acknowledged = {message_id for driver in drivers for message_id in driver.acknowledged}
    assert len(acknowledged) > KILLS
    assert {status for driver in drivers for status in driver.refused} <= {429, 503}
    posts = office.posts()
    kept = Counter(post.post_key for post in posts)
    for message_id in acknowledged:
        assert kept[intake.short_key(f"id:{message_id}")] == 1, message_id
    assert len(posts) - len(acknowledged) <= CLIENTS
    assert {post.state for post in posts} == {"done"}
    sightings = Counter(sighting.inbox_id for sighting in office.rows(Sighting))
    assert sightings == Counter({post.id: 1 for post in posts})


def check_incidents(office: Office) -> None:
    """Counts agree with what was gathered, and no leak has two incidents."""
    incidents = office.rows(Incident)
    assert incidents
    assert len({incident.scope for incident in incidents}) == len(incidents)
    gathered = Counter(sighting.incident_id for sighting in office.rows(Sighting))
    for incident in incidents:
        assert incident.sighting_count == gathered[incident.id]


def check_alerts(office: Office, receiver: Receiver) -> None:
    """Every alert arrived; what arrived twice came under the same id with the same words."""
    alerts = office.rows(Alert)
    arrived = [message_id for message_id, _ in receiver.taken]
    assert set(arrived) == {alert.ref for alert in alerts}
    assert receiver.forged == 0
    opened = Counter(alert.incident_id for alert in alerts if alert.type == "incident.opened")
    assert opened == Counter({incident.id: 1 for incident in office.rows(Incident)})
    first: dict[str, object] = {}
    for message_id, message in receiver.taken:
        assert first.setdefault(message_id, message["data"]) == message["data"]
