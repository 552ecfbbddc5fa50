"""Fetching pages: nothing inside is reached, and no hostile server hangs or floods us."""

import gzip
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from webhooks.errors import AddressRefused, DeliveryError
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.fetcher import HttpFetcher
from webhooks.outbound.robots import KEPT_FOR, Robots
from webhooks.outbound.sender import HttpSender

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def fetcher(**more: Any) -> HttpFetcher:
    sender = HttpSender(policy=AddressPolicy(allowed=("127.0.0.1",)))
    return HttpFetcher(sender=sender, agent="waybill-canary/1 (test)", **more)


def test_page_is_fetched_as_it_is(httpserver: HTTPServer) -> None:
    body = "<p>喆玥</p>".encode("gb18030")
    httpserver.expect_request("/list").respond_with_data(body, headers={"ETag": '"1"'})
    page = fetcher().fetch(httpserver.url_for("/list"), {"Cookie": "a=b"})
    assert (page.status, page.body, page.headers["etag"]) == (200, body, '"1"')
    asked = httpserver.log[0][0]
    assert asked.headers["User-Agent"] == "waybill-canary/1 (test)"
    assert asked.headers["Cookie"] == "a=b"
    assert asked.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://[::1]:9/",
        "http://[::ffff:10.0.0.1]/",
        "http://0x7f000001/",
        "http://192.168.0.1.:80/",
        "http://user:pw@127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://127.0.0.1\\@10.0.0.1/",
    ],
)
def test_inside_is_never_reached(fence: list[str], url: str) -> None:
    with pytest.raises(DeliveryError):
        fetcher().fetch(url)
    assert fence in ([], ["192.168.0.1."])


@pytest.mark.parametrize(
    "onward",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "//10.0.0.1/",
        "http://localhost/",
        "file:///etc/passwd",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:22\\@x/",
    ],
)
def test_redirect_inside_is_not_followed(
    httpserver: HTTPServer, fence: list[str], onward: str
) -> None:
    httpserver.expect_request("/a").respond_with_data("", 302, headers={"Location": onward})
    with pytest.raises(DeliveryError):
        fetcher().fetch(httpserver.url_for("/a"))
    assert (fence, len(httpserver.log)) == ([], 1)


def test_redirect_on_the_same_host_is_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", 301, headers={"Location": "b#x"})
    httpserver.expect_request("/b").respond_with_data("here")
    page = fetcher().fetch(httpserver.url_for("/a"))
    assert (page.body, page.url) == (b"here", httpserver.url_for("/b"))


def test_redirect_is_judged_before_it_is_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/old").respond_with_data(status=302, headers={"Location": "/new"})

    def refuse(url: str) -> None:
        raise PermissionError(url)

    with pytest.raises(PermissionError, match="/new"):
        fetcher().fetch(httpserver.url_for("/old"), {}, refuse)
    assert [asked.path for asked, _ in httpserver.log] == ["/old"]


def test_circle_of_redirects_ends(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", 302, headers={"Location": "/a"})
    with pytest.raises(DeliveryError, match="circles"):
        fetcher().fetch(httpserver.url_for("/a"))
    assert len(httpserver.log) == 4


def flood(connection: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(b"x" * 65_536)


def flood_in_chunks(connection: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")


def drip(connection: socket.socket) -> None:
    connection.settimeout(0.05)
    with suppress(OSError):
        while True:
            connection.sendall(b"x")
            # The pace of the drip; it ends when the other side hangs up.
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        (HEAD + b"Content-Length: 104857600\r\n\r\n", flood, "larger"),
        (HEAD + b"\r\n", flood, "larger"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", flood_in_chunks, "larger"),
        (HEAD + b"\r\n", drip, "in time"),
        (b"HTTP/1.1 200 OK\r\n", drip, "no "),
    ],
)
def test_endless_answers_end(
    raw_server: Callable[..., Any], head: bytes, body: Callable[[socket.socket], None], said: str
) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        body(connection)

    seconds = 1.0 if body is drip else 60.0
    with pytest.raises(DeliveryError, match=said):
        fetcher(packed_bytes=200_000, seconds=seconds).fetch(raw_server(answer).url)


@pytest.mark.parametrize(
    ("packing", "body", "said"),
    [
        ("gzip", gzip.compress(b"\x00" * 30_000_000), "unpacked"),
        ("deflate", zlib.compress(b"\x00" * 30_000_000), "unpacked"),
        ("gzip", b"no gzip at all", "wrongly"),
        ("br", b"x", "a way"),
        ("gzip, gzip", b"x", "a way"),
    ],
)
def test_packed_bombs_are_not_opened(
    httpserver: HTTPServer, packing: str, body: bytes, said: str
) -> None:
    headers = {"Content-Encoding": packing}
    httpserver.expect_request("/a").respond_with_data(body, headers=headers)
    with pytest.raises(DeliveryError, match=said):
        fetcher().fetch(httpserver.url_for("/a"))


def test_packed_page_is_opened(httpserver: HTTPServer) -> None:
    packed = gzip.compress(b"<p>page</p>")
    headers = {"Content-Encoding": "gzip"}
    httpserver.expect_request("/a").respond_with_data(packed, headers=headers)
    assert fetcher().fetch(httpserver.url_for("/a")).body == b"<p>page</p>"


RULES = "User-agent: *\nDisallow: /private\nCrawl-delay: 7\n\nUser-agent: other\nDisallow: /"


def test_robots_are_asked_once_a_day(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/robots.txt").respond_with_data(RULES)
    robots = Robots(fetcher())
    said = robots.ask(httpserver.url_for("/list?a=1"), NOW)
    assert (said.is_given, said.pause) == (True, 7.0)
    assert not robots.ask(httpserver.url_for("/private/x"), NOW).is_given
    assert len(httpserver.log) == 1
    robots.ask(httpserver.url_for("/list"), NOW + KEPT_FOR)
    assert len(httpserver.log) == 2


def test_own_rules_come_first(httpserver: HTTPServer) -> None:
    rules = RULES + "\n\nUser-agent: waybill-canary\nDisallow: /list"
    httpserver.expect_request("/robots.txt").respond_with_data(rules)
    robots = Robots(fetcher())
    assert not robots.ask(httpserver.url_for("/list"), NOW).is_given
    assert robots.ask(httpserver.url_for("/private"), NOW).is_given


@pytest.mark.parametrize("status", [404, 403])
def test_site_without_rules_allows_all(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/robots.txt").respond_with_data("", status)
    assert Robots(fetcher()).ask(httpserver.url_for("/x"), NOW).is_given


@pytest.mark.parametrize("status", [500, 429])
def test_site_that_cannot_be_asked_is_left_alone(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/robots.txt").respond_with_data("", status)
    with pytest.raises(DeliveryError):
        Robots(fetcher()).ask(httpserver.url_for("/x"), NOW)


def test_wild_rules_cost_no_time(httpserver: HTTPServer) -> None:
    """Each wildcard multiplies what a pattern tries; a rule keeps its first three."""
    rules = "User-agent: *\nDisallow: /" + "*a" * 40 + "b"
    httpserver.expect_request("/robots.txt").respond_with_data(rules)
    said = Robots(fetcher()).ask(httpserver.url_for("/" + "a" * 1500), NOW)
    assert not said.is_given


def test_refused_address_is_told_before(fence: list[str]) -> None:
    with pytest.raises(AddressRefused):
        fetcher().check("http://10.0.0.1/")
    assert fence == []


def test_memory_of_sites_ends(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.outbound.robots.MOST_SITES", 0)
    httpserver.expect_request("/robots.txt").respond_with_data("")
    robots = Robots(fetcher())
    for step in range(2):
        robots.ask(httpserver.url_for("/x"), NOW + timedelta(seconds=step))
    assert len(httpserver.log) == 2
