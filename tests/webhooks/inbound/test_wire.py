"""The receiving routes behind a real server, against raw and hostile bytes."""

import socket
from collections.abc import Callable, Iterator
from functools import partial
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from waitress.server import create_server
from waitress.wasyncore import close_all

from webhooks.inbound.proofs import path_secret_digest


@pytest.fixture
def send(client: FlaskClient, inbox: Any) -> Iterator[Callable[[bytes], bytes]]:
    """Send raw bytes to the routes under waitress and return all that comes back."""
    inbox.add("crawler", format="page", path_secret_digest=path_secret_digest("s3cret"))
    app: Flask = client.application
    channels: dict[int, Any] = {}
    server = create_server(
        app, map=channels, host="127.0.0.1", port=0, threads=2, channel_timeout=120
    )
    thread = Thread(target=server.run, daemon=True)
    thread.start()

    def run(raw: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", server.effective_port), timeout=120) as made:
            made.sendall(raw)
            made.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: made.recv(65_536), b""))

    yield run
    server.task_dispatcher.shutdown()
    # Closed by its own loop: a socket must not vanish from under its select.
    server.trigger.pull_trigger(partial(close_all, channels, ignore_all=True))
    thread.join(60)


def request(path: str, body: bytes, *headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: canary.example", "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_chunked_post_is_taken(send: Callable[[bytes], bytes], inbox: Any) -> None:
    raw = request("/hooks/crawler/s3cret", chunked(b"78901"), "Transfer-Encoding: chunked")
    assert status(send(raw)) == 202
    (arrival,) = inbox.arrivals.values()
    assert arrival.post.body == b"78901"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            request("/hooks/crawler/s3cret", chunked(b"x" * 30_000), "Transfer-Encoding: chunked"),
            {413},
        ),
        (request("/hooks/crawler/s3cret", b"x", "Content-Length: -1"), {400, 411}),
        (request("/hooks/crawler/s3cret", b"x", "Content-Length: abc"), {400, 411}),
        (request("/hooks/crawler/s3cret", b"x", "Content-Length: 99999999999"), {400, 413}),
        (
            request(
                "/hooks/crawler/s3cret",
                chunked(b"x"),
                "Content-Length: 1",
                "Transfer-Encoding: chunked",
            ),
            {202, 400},
        ),
        (request("/hooks/crawler/s3cret", b"zz\r\nx", "Transfer-Encoding: chunked"), {400}),
        (request("/hooks/ours", b"{}", "Content-Length: 2", "Webhook-Id: \xe9\xff"), {401}),
        (request("/hooks/ours?" + "a=1&" * 20_000, b"", "Content-Length: 0"), {401, 414, 431}),
        (request("/hooks/%ff%00", b"", "Content-Length: 0"), {401}),
        (request("/hooks/\xff", b"", "Content-Length: 0"), {400, 401}),
        (request("/hooks/" + "a" * 5000, b"", "Content-Length: 0"), {401}),
        (request("/hooks/ours", b"", method="BREW"), {405}),
        (request("/hooks/crawler/s3cret", b"\x1f\x8b", "Content-Encoding: gzip"), {415}),
    ],
)
def test_hostile_requests_end_in_4xx(
    send: Callable[[bytes], bytes], raw: bytes, expected: set[int]
) -> None:
    answer = send(raw)
    assert status(answer) in expected
    assert b"Traceback" not in answer
    after = request("/hooks/crawler/s3cret", b"78901", "Content-Length: 5")
    assert status(send(after)) == 202


def test_answer_carries_nothing_of_ours(send: Callable[[bytes], bytes]) -> None:
    answer = send(request("/hooks/crawler/s3cret", b"78901", "Content-Length: 5"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b""
    assert b"s3cret" not in head
    assert b"no-store" in head
