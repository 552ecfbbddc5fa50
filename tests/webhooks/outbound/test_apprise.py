"""Apprise runs apart, calls judged addresses only, and its yes is shown as a weak one."""

import json
import sys
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from webhooks.errors import AddressRefused, DeliveryError
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.apprise import WEAK_ANSWER, AppriseSender
from webhooks.outbound.sending import Request

# Stands in for the package: what it does is in its URL.
FAKE = """
import os, socket, time, urllib.request

class Apprise:
    def add(self, url):
        self.url = url
        return not url.startswith("unreadable")

    def notify(self, title, body, body_format):
        kind, _, rest = self.url.partition(":")
        if kind == "no":
            return False
        if kind == "hang":
            time.sleep(600)
        if kind == "proxy":
            return not [name for name in os.environ if "proxy" in name.lower()]
        if kind == "udp":
            try:
                host, port = rest.split(":")
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (host, int(port)))
            except OSError:
                return False
            return True
        try:
            return urllib.request.urlopen(rest, body.encode(), timeout=60).status == 200
        except OSError:
            return False
"""


@pytest.fixture(autouse=True)
def fake_apprise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apprise").mkdir()
    (tmp_path / "apprise" / "__init__.py").write_text(FAKE)
    monkeypatch.syspath_prepend(str(tmp_path))


def send(url: str, allowed: tuple[str, ...] = (), seconds: float = 120.0) -> bytes:
    sender = AppriseSender(policy=AddressPolicy(allowed=allowed), total_seconds=seconds)
    body = json.dumps({"url": url, "title": "t", "body": "words"}).encode()
    return sender.send(Request(url="apprise:", body=body)).body


def test_yes_is_a_weak_one(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x").respond_with_data("")
    assert send(f"call:{httpserver.url_for('/x')}", ("127.0.0.1",)) == WEAK_ANSWER
    assert httpserver.log[-1][0].get_data() == b"words"


def test_inside_address_is_not_called(httpserver: HTTPServer) -> None:
    """The same call without the operator's leave: Apprise alone would make it."""
    httpserver.expect_request("/x").respond_with_data("")
    with pytest.raises(AddressRefused):
        send(f"call:{httpserver.url_for('/x')}")
    assert httpserver.log == []


def test_redirect_inside_is_not_followed(httpserver: HTTPServer) -> None:
    other = f"http://127.0.0.2:{httpserver.port}/inner"
    httpserver.expect_request("/x").respond_with_data("", 302, {"Location": other})
    with pytest.raises(AddressRefused):
        send(f"call:{httpserver.url_for('/x')}", ("127.0.0.1",))


@pytest.mark.parametrize("place", ["127.0.0.1:514", "169.254.169.254:80", "10.0.0.1:53"])
def test_inside_datagram_is_not_sent(place: str) -> None:
    with pytest.raises(AddressRefused):
        send(f"udp:{place}")


def test_no_is_tried_again() -> None:
    with pytest.raises(DeliveryError) as failure:
        send("no:x")
    assert not failure.value.permanent


@pytest.mark.parametrize("url", ["unreadable:x", "syslog://", "DBUS://", "windows://"])
def test_unreadable_or_local_is_permanent(url: str) -> None:
    with pytest.raises(DeliveryError) as failure:
        send(url)
    assert failure.value.permanent


def test_hanging_receiver_is_cut_off() -> None:
    with pytest.raises(DeliveryError, match="in time"):
        send("hang:x", seconds=2.0)


def test_environment_lends_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert send("proxy:x") == WEAK_ANSWER


def test_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(AddressRefused, match="not installed"):
        AppriseSender().check("apprise:")


def test_other_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        AppriseSender().check("apprise:json://x")
