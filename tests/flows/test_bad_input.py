"""Whatever a stranger or a broken sender posts: a clear answer, a living worker, nothing stored."""

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests

from canary.storage.tables import InboxPost
from tests.flows.conftest import PATIENCE, House
from webhooks import signing

JSON = {"Content-Type": "application/json"}


def address_of(house: House) -> tuple[str, int]:
    parts = urlsplit(house.base_url)
    return parts.hostname or "", parts.port or 0


@contextmanager
def opened(house: House) -> Iterator[socket.socket]:
    with socket.create_connection(address_of(house), timeout=PATIENCE) as line:
        yield line


def status_of(house: House, raw: bytes) -> int:
    """Send raw bytes and return the status of the answer."""
    with opened(house) as line:
        line.sendall(raw)
        head = line.recv(65536)
    assert b"Traceback" not in head
    return int(head.split(b" ", 2)[1])


def is_fine(house: House) -> bool:
    """Tell whether another reporter is served as ever."""
    answer = house.post("ours", *_good(house))
    return bool(answer.status_code == 202)


def _good(house: House) -> tuple[bytes, dict[str, str]]:
    said = {"type": "report", "data": {"kind": "listing", "text": "x"}}
    body = json.dumps(said).encode()
    return body, {**house.sign(body), **JSON}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (gzip.compress(b"0" * (30 << 20)), {"Content-Encoding": "gzip"}, 415),
        (gzip.compress(b"0" * (30 << 20)), {"Content-Type": "application/gzip"}, 415),
        (b"a=" + b"1" * (10 << 20), {"Content-Type": "application/x-www-form-urlencoded"}, 413),
        (b"", {"Content-Type": "text/html"}, 400),
    ],
)
def test_oversize_and_packed_bodies_are_refused(
    house: House, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert house.post_signed(body, **headers).status_code == status
    assert is_fine(house)


UNREADABLE = (
    b'{"type":"report","data":{"kind":"sms","text":"a","text":"b"}}',
    b'{"type":"report","data":{"kind":"sms","text":NaN}}',
    b'{"type":"report","data":{"kind":"sms","text":1e999}}',
    b'{"type":"report","data":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"type":"report","data":{"kind":"sms","text":"\xff"}}',
    b'{"type":"report","data":{"kind":"sms","text":"   "}}',
    b'{"type":"report","data":[]}',
)


def test_unreadable_json_is_kept_dead(house: House) -> None:
    for body in UNREADABLE:
        answer = house.post("ours", body, {**house.sign(body), **JSON})
        assert answer.status_code == 400, body[:80]
    assert house.office.count(InboxPost, state="dead") == len(UNREADABLE)
    assert is_fine(house)


def test_unstorable_characters_are_replaced(house: House) -> None:
    for text in (b"\\ud800", b"a\\u0000b", b"\\udfff\\ud800"):
        body = b'{"type":"report","data":{"kind":"sms","text":"%s x"}}' % text
        assert house.post("ours", body, {**house.sign(body), **JSON}).status_code == 202
    assert house.office.triage() == 3
    assert house.office.count(InboxPost, state="done") == 3


def test_thousands_of_fields_are_refused(house: House) -> None:
    form = "&".join(f"f{number}=1" for number in range(5000)).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert house.post("rack", form, headers).status_code == 401
    assert house.post(f"rack?{form.decode()[:30000]}", b"", headers).status_code == 401
    assert is_fine(house)


def test_signature_of_any_length_is_401(house: House) -> None:
    for sign in ["v1,", "v1," + "A" * 5000, "v1,\u00e9", "v2,AAAA", ",", "v1", "v1,=" * 500]:
        headers = {**house.sign(b"page"), "webhook-signature": sign.encode().decode("latin-1")}
        assert house.post("market", b"page", headers).status_code == 401


HEADERS = (
    b"webhook-id: \xe6\x88\x91\xff",
    b"webhook-signature: v1,\xff\xfe",
    b"Authorization: Bearer \xff\xfe",
    b"X-Canary-Venue: \xe7\xbe\xa4",
    b"Idempotency-Key: \x80",
    b"Content-Type: text/html; charset=\xff",
    b"X-Forwarded-For: \xff, 1.2.3.4",
)


def test_header_bytes_beyond_ascii_harm_nothing(house: House) -> None:
    for header in HEADERS:
        raw = (
            b"POST /hooks/market HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
            + header
            + b"\r\n\r\nx"
        )
        assert status_of(house, raw) in {400, 401}, header
    assert is_fine(house)


BROKEN = (
    b"\x00\x01\x02\x03\r\n\r\n",
    b"POST /hooks/market HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /hooks/market HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"GET /hooks/" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /hooks/market HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 60_000 + b"\r\n",
)


def test_broken_requests_are_refused(house: House) -> None:
    for raw in BROKEN:
        # The server may hang up instead of answering.
        with suppress(ConnectionError, IndexError):
            assert 400 <= status_of(house, raw) < 500
    assert is_fine(house)


def test_slow_bodies_hold_nobody_up(house: House) -> None:
    """Forty senders that never finish leave every worker free."""
    with ExitStack() as stack:
        for _ in range(40):
            line = stack.enter_context(opened(house))
            line.sendall(
                b"POST /hooks/market HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n<html>"
            )
        assert all(is_fine(house) for _ in range(10))
    assert house.office.count(InboxPost) == 10


def test_sender_that_hangs_up_leaves_nothing(house: House) -> None:
    headers = signing.headers([house.page_secret], "msg_1", datetime.now(UTC), b"<html>")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with opened(house) as line:
        head = f"POST /hooks/market HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: 90\r\n\r\n<html>"
        line.sendall(head.encode())
    assert is_fine(house)
    assert house.office.count(InboxPost) == 1


def test_other_methods_are_refused(house: House) -> None:
    for method in ["DELETE", "TRACE", "OPTIONS", "BREW"]:
        answer = requests.request(
            method, f"{house.base_url}/hooks/market", data=b"x", timeout=PATIENCE
        )
        assert 400 <= answer.status_code < 500
