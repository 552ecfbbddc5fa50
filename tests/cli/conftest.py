"""The command as people run it, in this process."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from canary import cli
from canary.bootstrap import configure_logging
from canary.cli import design_check, network, planting


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Canary = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point every setting at an empty place, whatever this machine has set."""
    for name in list(os.environ):
        if name.startswith("CANARY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CANARY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the same in each run, where a command asks the system."""
    for module in (design_check, network, planting):
        monkeypatch.setattr(module, "SystemRandom", lambda: Random(7))


@pytest.fixture
def canary(
    home: Path,
    chance: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Canary]:
    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["canary", *arguments])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Ran(code, told.out, told.err)

    yield run
    # The commands log to this test's standard error, which is closed when the next test logs.
    with capsys.disabled():
        configure_logging("error")


@pytest.fixture
def ready(canary: Canary) -> Canary:
    """A command on an installation that exists."""
    assert canary("init").code == 0
    return canary
