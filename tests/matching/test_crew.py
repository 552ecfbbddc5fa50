"""Several workers find what one finds, also when one of them dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import active_children
from pathlib import Path

import pytest

from canary.domain.errors import Unavailable
from canary.domain.identifiers import BaitValues
from canary.matching import texts
from canary.matching.crew import local_hands
from canary.matching.paths import scan_paths
from canary.matching.register import MemoryRegister

distributed = pytest.importorskip("distributed", reason="needs the cluster extra")
PATIENCE = 60.0  # seconds


class Deadly:
    """Doubles numbers; kills its own process at one of them, once or each time."""

    def __init__(self, flag: Path, *, always: bool) -> None:
        self._flag, self._always = flag, always

    def scan(self, number: int) -> int:
        if number == 7 and (self._always or not self._flag.exists()):
            self._flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * 2


def test_killed_process_costs_nothing(tmp_path: Path) -> None:
    told: list[bool] = []
    work = Deadly(tmp_path / "flag", always=False)
    with local_hands(work, 2, lambda: told.append(True)) as hands:
        answers = list(hands.run(iter(range(30))))
    assert answers == [(number, number * 2) for number in range(30)]
    assert len(told) == 1


def test_scan_gives_up_when_killed_again_and_again(tmp_path: Path) -> None:
    work = Deadly(tmp_path / "flag", always=True)
    with pytest.raises(Unavailable, match="being killed"), local_hands(work, 2) as hands:
        list(hands.run(iter(range(30))))
    assert active_children() == []


# Whoever started the tests in the background may have had SIGINT ignored, also for children.
SLEEPER = """
import os, signal, sys, time
from pathlib import Path
from canary.matching.crew import local_hands

signal.signal(signal.SIGINT, signal.default_int_handler)

class Work:
    def scan(self, number):
        Path(sys.argv[1], str(os.getpid())).touch()
        time.sleep(600)

with local_hands(Work(), 2) as hands:
    list(hands.run(iter(range(9))))
"""


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_scan(how: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLEEPER, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=Path.cwd()) as started:
        try:
            _wait(lambda: len(list(tmp_path.iterdir())) == 2)
            pids = [int(one.name) for one in tmp_path.iterdir()]
            started.send_signal(how)
            _wait(lambda: started.poll() is not None)
            _wait(lambda: all(map(_is_gone, pids)))
        finally:
            started.kill()


@pytest.fixture
def labelled(first: BaitValues) -> MemoryRegister:
    register = MemoryRegister()
    register.add(1, first, code="B1", source="S1")
    return register


@pytest.fixture
def cluster() -> Iterator[object]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        host="127.0.0.1", silence_logs=50, worker_dashboard_address=None,
    ) as local:  # fmt: skip
        yield local


def test_killed_worker_costs_nothing(
    cluster: object, labelled: MemoryRegister, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "BLOCK", 4000)
    threads = threading.active_count()
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{i:05} 快递 19340271865 到\n" for i in range(1200)))
    alone = list(scan_paths([path], labelled, processes=1))[:-1]
    pids = [one.pid for one in cluster.workers.values()]  # type: ignore[attr-defined]
    address = cluster.scheduler_address  # type: ignore[attr-defined]
    together = []
    for result in scan_paths([path], labelled, cluster=address):
        together.append(result)
        if len(together) == 100:
            os.kill(pids[0], signal.SIGKILL)
    assert together[:-1] == alone
    assert threading.active_count() < threads + 40


def test_missing_scheduler_is_told(labelled: MemoryRegister, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    with pytest.raises(Unavailable, match="no Dask scheduler"):
        list(scan_paths([path], labelled, cluster="nonsense://here"))
