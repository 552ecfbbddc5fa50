"""The sender against hostile receivers: first the danger, then the guard."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, active_count
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer

from webhooks.errors import AddressRefused, DeliveryError
from webhooks.outbound.addresses import STANDARD_PORT, AddressPolicy
from webhooks.outbound.carriers import make_sender
from webhooks.outbound.sender import HttpSender
from webhooks.outbound.sending import Request

LOOPBACK = AddressPolicy(allowed=("127.0.0.1", "[::1]"))
Start = Callable[..., Any]


def patient(policy: AddressPolicy = LOOPBACK) -> HttpSender:
    """For what must not depend on how busy the machine is."""
    return HttpSender(policy=policy, connect_seconds=60, total_seconds=60)


def quick() -> HttpSender:
    """For what must end at the limit."""
    return HttpSender(policy=LOOPBACK, connect_seconds=60, total_seconds=0.5)


def head(*lines: str) -> bytes:
    return ("\r\n".join(("HTTP/1.1 200 OK", *lines)) + "\r\n\r\n").encode()


def test_request_arrives_as_rendered(httpserver: HTTPServer) -> None:
    httpserver.expect_request(
        "/hook", method="POST", data=b"\xe5\x8d\x95", headers={"X-One": "1"}
    ).respond_with_data("ok", status=202, headers={"X-Two": "2"})
    answer = patient().send(
        Request(url=httpserver.url_for("/hook"), body=b"\xe5\x8d\x95", headers={"X-One": "1"})
    )
    assert (answer.status, answer.body, answer.headers["x-two"]) == (202, b"ok", "2")


def test_plain_requests_would_reach_loopback(httpserver: HTTPServer) -> None:
    """Prove the danger: without the guard the call succeeds."""
    httpserver.expect_request("/admin").respond_with_data("secret")
    assert requests.get(httpserver.url_for("/admin"), timeout=60).text == "secret"
    with pytest.raises(AddressRefused):
        HttpSender().send(Request(url=httpserver.url_for("/admin"), body=b""))
    assert len(httpserver.log) == 1


def test_plain_requests_would_follow_to_loopback(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/admin").respond_with_data("secret")
    for status in (301, 302, 303, 307, 308):
        url = f"/from{status}"
        moved = {"Location": httpserver.url_for("/admin")}
        httpserver.expect_request(url).respond_with_data("", status=status, headers=moved)
        assert requests.get(httpserver.url_for(url), timeout=60).text == "secret"
        seen = len(httpserver.log)
        assert patient().send(Request(url=httpserver.url_for(url), body=b"")).status == status
        assert len(httpserver.log) == seen + 1


def test_rebinding_name_is_called_at_judged_address_only(
    httpserver: HTTPServer, fence: list[str]
) -> None:
    """A resolver that answers a public address first and loopback ever after."""
    httpserver.expect_request("/admin").respond_with_data("secret")
    answers = iter([["1.1.1.1"], ["127.0.0.1"], ["127.0.0.1"]])
    policy = AddressPolicy(resolve=lambda _host, _port: next(answers))
    sender = patient(policy)
    sender.check("http://rebind.example/admin")
    with pytest.raises(AddressRefused):
        sender.send(Request(url="http://rebind.example/admin", body=b""))
    assert not httpserver.log
    assert fence == []


def test_connected_peer_is_judged_again(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands between resolver and socket, the peer decides."""
    port, connect = httpserver.port, socket.socket.connect
    monkeypatch.setattr(
        socket.socket, "connect", lambda self, _address: connect(self, ("127.0.0.1", port))
    )
    policy = AddressPolicy(resolve=lambda _host, _port: ["1.1.1.1"])
    with pytest.raises(AddressRefused):
        patient(policy).send(Request(url="http://receiver.example/", body=b""))
    assert not httpserver.log


def test_name_is_kept_for_the_receiver(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("ok")
    policy = AddressPolicy(
        allowed=("receiver.example",), resolve=lambda _host, _port: ["127.0.0.1"]
    )
    url = f"http://receiver.example:{httpserver.port}/hook"
    assert patient(policy).send(Request(url=url, body=b"")).status == 200
    assert httpserver.log[0][0].headers["Host"] == f"receiver.example:{httpserver.port}"


def test_environment_is_not_read(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    httpserver.expect_request("/hook").respond_with_data("ok")
    url = httpserver.url_for("/hook")
    with pytest.raises(requests.RequestException):
        requests.get(url, timeout=60)
    assert patient().send(Request(url=url, body=b"")).status == 200
    assert "Authorization" not in httpserver.log[0][0].headers


def test_endless_answer_is_capped(raw_server: Start) -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(head("Content-Type: text/plain"))
        while True:
            connection.sendall(b"x" * 65_536)

    answer = patient().send(Request(url=raw_server(pour).url, body=b""))
    assert len(answer.body) == 64 * 1024


def test_endless_redirect_is_capped(raw_server: Start) -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    answer = patient().send(Request(url=raw_server(pour).url, body=b""))
    assert (answer.status, len(answer.body)) == (302, 64 * 1024)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(head("Content-Length: 100000"))
    drip(connection)


def drip_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(connection)


def drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize("script", [drip_body, drip_header, lambda caller: caller.recv(1)])
def test_slow_receiver_is_cut_in_time(
    raw_server: Start, script: Callable[[socket.socket], None]
) -> None:
    """Each byte comes within every socket timeout, so only a total limit ends it."""
    with pytest.raises(DeliveryError, match="no answer in time") as failure:
        quick().send(Request(url=raw_server(script).url, body=b""))
    assert not failure.value.permanent


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x00\xff\xff",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    ],
    ids=lambda reply: repr(reply[:30]),
)
def test_broken_answers_raise_delivery_error_at_most(raw_server: Start, reply: bytes) -> None:
    server = raw_server(lambda connection: connection.sendall(reply))
    with suppress(DeliveryError):
        assert patient().send(Request(url=server.url, body=b"")).status == 200


def test_packed_answer_is_not_opened(raw_server: Start) -> None:
    import gzip

    packed = gzip.compress(b"0" * 10_000_000)
    server = raw_server(
        lambda connection: connection.sendall(
            head("Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed
        )
    )
    answer = patient().send(Request(url=server.url, body=b""))
    assert answer.body == packed


def test_closed_port_is_worth_another_try() -> None:
    with socket.socket() as held:  # bound but not listening: nobody else can listen there either
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        with pytest.raises(DeliveryError, match="no connection") as failure:
            patient().send(Request(url=url, body=b""))
    assert not failure.value.permanent


def test_plain_server_fails_tls(raw_server: Start) -> None:
    server = raw_server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"))
    with pytest.raises(DeliveryError, match="TLS"):
        patient().send(Request(url=server.url.replace("http:", "https:"), body=b""))


def test_silent_resolver_is_not_waited_for() -> None:
    over = Event()

    def never(_host: str, _port: int) -> list[str]:
        over.wait(120)
        return ["127.0.0.1"]

    sender = HttpSender(policy=AddressPolicy(resolve=never), connect_seconds=0.1)
    with pytest.raises(DeliveryError, match="in time"):
        sender.send(Request(url="http://receiver.example/", body=b""))
    over.set()


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:25", "syslog+udp://127.0.0.1:514"])
def test_http_sender_speaks_http_only(url: str) -> None:
    for attempt in (patient().check, lambda one: patient().send(Request(url=one, body=b""))):
        with pytest.raises(AddressRefused):
            attempt(url)


def test_each_scheme_has_its_sender() -> None:
    sender = make_sender(LOOPBACK)
    for scheme in STANDARD_PORT:
        sender.check(f"{scheme}://127.0.0.1")
    with pytest.raises(AddressRefused):
        sender.check("ftp://127.0.0.1")


@pytest.mark.parametrize("name", ["X-Bad\r\nY", "X"])
def test_header_injection_is_not_sent(raw_server: Start, name: str) -> None:
    server = raw_server(lambda connection: connection.sendall(head("Content-Length: 0")))
    with pytest.raises(DeliveryError):
        patient().send(Request(url=server.url, body=b"", headers={name: "1\r\nInjected: 1"}))
    assert server.received in ([], [b""])


def test_calls_leave_no_threads_behind(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("ok")
    request = Request(url=httpserver.url_for("/hook"), body=b"")
    patient().send(request)
    before = active_count()
    for _ in range(10):
        patient().send(request)
    deadline = time.monotonic() + 60
    while active_count() > before:  # a timer that was called off ends a moment later
        assert time.monotonic() < deadline, "threads were left behind"
        time.sleep(0.01)
