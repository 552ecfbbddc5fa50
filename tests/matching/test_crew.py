"""Several workers find what one finds, also when one of them dies."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.domain.errors import Unavailable
from canary.domain.identifiers import BaitValues
from canary.matching import files
from canary.matching.paths import scan_paths
from canary.matching.register import MemoryRegister

distributed = pytest.importorskip("distributed", reason="needs the cluster extra")


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
    monkeypatch.setattr(files, "BLOCK", 4000)
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
