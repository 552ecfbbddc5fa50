"""SIGKILL between commit and send: every alert arrives, what arrives twice has the same id.

CANARY_DELIVERY_KILLS says how often; `make soak` kills a hundred times.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from canary.bootstrap import Application, make_sender
from canary.domain.alerts import AlertType
from canary.services.alerts import alerting
from canary.storage.tables import Alert, Delivery
from tests.factories import Office
from tests.fakes import FakeClock
from tests.flows.conftest import Receiver

KILLS = int(os.environ.get("CANARY_DELIVERY_KILLS", "10"))
PATIENCE = 300.0


@dataclass
class Postmen:
    """Starts a postman in a moment, and kills it in another."""

    starter: subprocess.Popen[str]

    def start(self) -> int:
        assert self.starter.stdin
        assert self.starter.stdout
        print(file=self.starter.stdin, flush=True)
        return int(self.starter.stdout.readline())

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/stat").exists():
            time.sleep(0.001)


@pytest.fixture
def postmen(application: Application, tmp_path: Path) -> Iterator[Postmen]:
    environment = {**os.environ, "CANARY_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "tests.flows.postman"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as starter:
        yield Postmen(starter)
        starter.kill()


@pytest.fixture
def office(application: Application, receiver: Receiver) -> Office:
    vault, now = application.keys.vault, application.clock()
    config = {"url": receiver.url, "secrets": [receiver.secret]}
    with application.database.write() as session:
        for name in ("team", "second"):
            route = alerting.Route(name=name, format="standard", config=config)
            sender = make_sender(application)
            alerting.add_endpoint(session, vault, sender, route, lang="en", actor="t", now=now)
    return Office(database=application.database, vault=vault, clock=FakeClock(now))


def put(office: Office, number: int) -> None:
    with office.database.write() as session:
        alerting.put_alert(
            session,
            AlertType.INCIDENT_OPENED,
            incident_id=None,
            revision=number,
            data={"title": f"leak {number}"},
            now=office.clock(),
        )


@pytest.mark.soak
def test_kills_between_commit_and_send_lose_nothing(
    office: Office, postmen: Postmen, receiver: Receiver
) -> None:
    """Half of the kills come at random, half when the receiver has it and we do not know."""
    chance = random.Random(KILLS)
    for number in range(KILLS):
        for one in range(3):
            put(office, 3 * number + one)
        knows, let_go = number % 2 == 0, threading.Event()
        receiver.pause = (lambda gate=let_go: gate.wait(60)) if knows else (lambda: None)
        receiver.arrived = held = threading.Event()
        pid = postmen.start()
        assert not knows or held.wait(PATIENCE)
        time.sleep(0 if knows else chance.uniform(0, 0.12))
        postmen.kill(pid)
        let_go.set()
    receiver.pause = lambda: None
    pid = postmen.start()
    wait_until_done(office)
    postmen.kill(pid)
    check(office, receiver)


def wait_until_done(office: Office) -> None:
    deadline = time.monotonic() + PATIENCE
    while office.count(Delivery, state="waiting"):
        assert time.monotonic() < deadline, "the deliveries were not done in time"
        time.sleep(0.05)


def check(office: Office, receiver: Receiver) -> None:
    """Each alert came to both endpoints, and what came again is the very same message."""
    alerts = {alert.ref for alert in office.rows(Alert)}
    assert {row.state for row in office.rows(Delivery)} == {"done"}
    arrived = Counter(message_id for message_id, _ in receiver.taken)
    assert set(arrived) == alerts
    assert min(arrived.values()) >= 2
    assert sum(arrived.values()) > 2 * len(alerts)
    assert receiver.forged == 0
    first: dict[str, object] = {}
    for message_id, message in receiver.taken:
        assert first.setdefault(message_id, message) == message
