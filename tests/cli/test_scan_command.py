"""`canary scan` as people run it: offline, kept registers, filed reports, and its exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Canary
from tests.factories import NETWORK

REGISTER = (
    "bait,source,number,phone,name,province,city,district,address\n"
    "B1,S1,YT2047183659012,19340271865,单怡涵,江苏省,苏州市,姑苏区,人民路88号\n"
)


@pytest.fixture
def register(tmp_path: Path) -> Path:
    path = tmp_path / "register.csv"
    path.write_text(REGISTER)
    return path


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.txt"
    path.write_text("无关\n电话 193-4027-1865\n", encoding="gb18030")
    return path


def _lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_offline_scan_prints_a_line_a_match(canary: Canary, register: Path, dump: Path) -> None:
    ran = canary("scan", "--register", str(register), "--format", "jsonl", str(dump))
    match, last = _lines(ran.out)
    assert (match["bait"], match["line"], match["start"], match["level"]) == ("B1", 2, 3, "exact")
    assert last["summary"]["matches"] == 1
    assert ran.code == 0


def test_kept_register_gives_the_same(canary: Canary, register: Path, dump: Path) -> None:
    pytest.importorskip("numba", reason="needs the scan extra")
    kept = register.with_name("fast.register")
    assert canary("scan", "--register", str(register), "--keep", str(kept)).code == 0
    slow, fast = (
        _lines(canary("scan", "--register", str(one), "--format", "jsonl", str(dump)).out)[0]
        for one in (register, kept)
    )
    assert slow == fast


def test_unread_file_ends_with_one(canary: Canary, register: Path, tmp_path: Path) -> None:
    path = tmp_path / "locked.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(200))
    ran = canary("scan", "--register", str(register), str(path))
    assert ran.code == 1
    assert "not read" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--ingest", "x.txt"),
        ("--ingest", "--basis", "b", "--register", "register.csv", "x.txt"),
    ],
)
def test_wrong_usage_ends_with_two(
    canary: Canary, register: Path, arguments: tuple[str, ...]
) -> None:
    (register.parent / "x.txt").write_text("x")
    assert canary("scan", *arguments).code == 2


def test_lone_surrogate_in_a_match_is_printed(
    canary: Canary, register: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(
        b"\xff\xfe" + "1934\ud800027\u200b1865 19340271865".encode("utf-16-le", "surrogatepass")
    )
    ran = canary("scan", "--register", str(register), "--format", "jsonl", str(path))
    assert "19340271865" in ran.out


def test_ingest_files_what_matches_once(ready: Canary, tmp_path: Path) -> None:
    """The rows of baits become a manual report; the same scan again files nothing new."""
    network, sheets = tmp_path / "network.csv", tmp_path / "sheets"
    network.write_text(NETWORK, encoding="utf-8-sig")
    assert ready("sources", "import", str(network)).code == 0
    assert ready("seed", "--batch", "p", "--source", "OUT-A1").code == 0
    assert ready("plant", "export", "--batch", "p", "--out", str(sheets)).code == 0
    words = ("scan", "--ingest", "--basis", "found in the street", str(sheets))
    first, again = ready(*words), ready(*words)
    filed = [line for line in first.err.splitlines() if line.startswith("filed as")]
    assert first.code == 0
    assert len(filed) == 1
    assert [line for line in again.err.splitlines() if line.startswith("filed")] == filed
