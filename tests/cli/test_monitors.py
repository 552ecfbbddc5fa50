"""Monitors on the command line: added, listed, run, paused, removed."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from tests.cli.conftest import Canary

BASIS = ("--basis", "a public page")


@pytest.fixture
def site() -> Iterator[HTTPServer]:
    with HTTPServer("127.0.0.1", 0) as server:
        server.expect_request("/robots.txt").respond_with_data("", 404)
        server.expect_request("/list").respond_with_data("<p>单号 78901234567801</p>")
        yield server


@pytest.fixture
def opened(ready: Canary, site: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Canary:
    monkeypatch.setenv("CANARY_OUTBOUND_ALLOW", "127.0.0.1")
    assert ready("monitor", "add", "market", site.url_for("/list"), *BASIS).code == 0
    return ready


def test_monitor_is_run_once_and_then_fine(opened: Canary) -> None:
    tried = opened("monitor", "run", "market", "--dry-run")
    assert "changed, 1 new" in tried.out
    assert "单号" in tried.out
    (ran,) = opened("monitor", "run", "--json").json
    assert (ran["state"], ran["added"]) == ("changed", 1)
    assert opened("inbox", "list", "--json").json
    assert opened("monitor", "run").out == "market: fine\n"


def test_trouble_is_told_and_ends_with_one(opened: Canary, site: HTTPServer) -> None:
    site.clear()
    site.expect_request("/robots.txt").respond_with_data("User-agent: *\nDisallow: /")
    ran = opened("monitor", "run", "market")
    assert ran.code == 1
    assert "robots.txt refuses" in ran.out


def test_monitor_is_paused_and_removed(opened: Canary) -> None:
    opened("monitor", "pause", "market")
    assert opened("monitor", "list", "--json").json[0]["state"] == "paused"
    assert opened("monitor", "run").out == ""
    opened("monitor", "resume", "market")
    assert opened("monitor", "list", "--json").json[0]["state"] == "new"
    opened("monitor", "remove", "market")
    assert opened("monitor", "list", "--json").json == []


@pytest.mark.parametrize(
    "wrong",
    [
        ("http://10.0.0.1/", *BASIS),
        ("file:///etc/passwd", *BASIS),
        ("http://127.0.0.1:1/", "--basis", " "),
        ("http://127.0.0.1:1/", *BASIS, "--every", "0"),
        ("http://127.0.0.1:1/", *BASIS, "--select", "a["),
        ("http://127.0.0.1:1/", *BASIS, "--charset", "klingon"),
        ("http://127.0.0.1:1/", *BASIS, "--header", "no colon"),
        ("http://127.0.0.1:1/", *BASIS, "--kind", "feed", "--select", "p"),
    ],
)
def test_wrong_wish_is_refused(opened: Canary, wrong: tuple[str, ...]) -> None:
    told = opened("monitor", "add", "other", *wrong)
    assert told.code == 1
    assert told.err.startswith("Error: ")


def test_unknown_monitor_is_told(opened: Canary) -> None:
    assert opened("monitor", "pause", "nobody").code == 1
    assert opened("monitor", "run", "nobody").code == 1
