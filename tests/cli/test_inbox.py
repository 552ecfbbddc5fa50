"""Dead letters and rematches on the command line."""

import socket

import pytest

from tests.cli.conftest import Canary


def test_manual_report_is_listed(canary: Canary) -> None:
    canary("init")
    canary("report", "--text", "单号 YT1234567890123", "--venue", "群", "--basis", "public")
    (post,) = canary("inbox", "list", "--json").json
    assert (post["reporter"], post["state"]) == ("manual", "waiting")
    assert canary("inbox", "list", "--state", "dead", "--json").json == []
    assert canary("inbox", "again", post["ref"]).code == 1
    assert canary("inbox", "again").code == 1
    assert canary("inbox", "again", "--reporter", "manual").out.startswith("0 wait")


def test_rematch_is_asked_for(canary: Canary) -> None:
    canary("init")
    assert canary("rematch", "start", "--days", "7", "--reason", "late baits").code == 0
    (line,) = canary("rematch", "list", "--json").json
    assert (line["reason"], line["state"], line["total"]) == ("late baits", "waiting", 0)
    assert canary("rematch", "start", "--days", "0", "--reason", "x").code == 2


def test_drill_tells_what_is_unreachable(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:  # bound but not listening: nobody else can listen there either
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CANARY_PUBLIC_URL", f"http://127.0.0.1:{held.getsockname()[1]}")
        canary("init")
        assert canary("drill", "--json").json == []
        canary("reporter", "add", "market", "--format", "page", "--class", "own")
        told = canary("drill", "--json", "--wait", "0")
    assert (told.code, told.json[0]["reporter"], told.json[0]["status"]) == (1, "market", None)
