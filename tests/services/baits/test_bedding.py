"""A large batch is written by a process beside; what goes wrong there is told here."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from canary.domain.errors import Conflict, Unavailable
from canary.services.baits import seeding
from canary.services.baits.seeding import SeedOrder, SeedResult, seed_batch
from canary.storage.tables import Bait, Batch, Placement
from tests.factories import Office

Step = Callable[[int, int], None]


@pytest.fixture
def network(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(seeding, "CHUNK", 10)
    office.import_sources()
    return office


def seed_apart(office: Office, step: Step | None = None) -> SeedResult:
    return seed_batch(replace(office.nursery, apart_from=1), SeedOrder(batch="b1"), progress=step)


def test_process_beside_writes_the_batch(network: Office) -> None:
    made = seed_apart(network)
    assert made.created == network.count(Bait) == 30
    assert len(network.rows_of_identifiers("number")) == 30
    assert network.count(Placement) == 28
    assert network.only(Batch).state == "issued"
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("backend", ["sqlite"])
def test_second_seeder_is_told_across_processes(network: Office) -> None:
    def intrude(done: int, _: int) -> None:
        if done == 10:
            network.seed()

    with pytest.raises(Conflict, match="somebody else is making batch b1"):
        seed_apart(network, intrude)
    assert network.count(Bait) == 30


@pytest.mark.parametrize("backend", ["sqlite"])
def test_killed_writer_is_told_in_a_sentence(network: Office) -> None:
    def kill(done: int, _: int) -> None:
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()

    with pytest.raises(Unavailable, match="run the command again"):
        seed_apart(network, kill)
    assert network.seed().baits == 28
    assert network.count(Bait) == 30


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_writer_ends_with_who_started_it(tmp_path: Path) -> None:
    """A killed seeder leaves no process behind that holds the database open."""
    script = (
        "import os, signal, sys\n"
        "from canary.services.baits.bedding import open_writer, Prepared\n"
        "from canary.storage.session import open_database\n"
        "from collections import Counter\n"
        "from multiprocessing import active_children\n"
        "nothing = Prepared(baits=[], keys=[], placements=[], ranges=Counter())\n"
        "with open_writer(open_database(sys.argv[1]), 1, None, apart=True) as submit:\n"
        "    submit(nothing).exception()\n"
        "    print(active_children()[0].pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path}/canary.sqlite3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    deadline = time.monotonic() + 120
    while is_running(int(done.stdout)):
        assert time.monotonic() < deadline, "the writer is still there"
        time.sleep(0.02)
