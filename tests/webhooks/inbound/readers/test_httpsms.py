"""httpSMS: a JWT for our address, not for the body."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.readers.httpsms import HttpSmsReader
from webhooks.reports import Post

READER = HttpSmsReader()
MakePost = Callable[..., Post]
URL = "https://canary.example/hooks/phone"
NOTICE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "evt-1",
    "type": "message.phone.received",
    "data": {
        "owner": "+8613900000000",
        "contact": "+8613800000000",
        "content": "单号 78901",
        "timestamp": "2026-03-18T06:29:58Z",
        "sim": "SIM1",
        "encrypted": False,
    },
}


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def jwt(now: datetime, head: Any = None, secret: bytes = b"k3y", **changes: Any) -> str:
    at = now.timestamp()
    claims = {"iss": "api.httpsms.com", "aud": [URL], "nbf": at - 600, "exp": at + 600, **changes}
    said = f"{encoded(head or {'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims)}"
    sign = hmac.new(secret, said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(sign).rstrip(b'=').decode()}"


def bearing(make_post: MakePost, token: str) -> Post:
    return make_post(json_body=NOTICE, headers={"Authorization": f"Bearer {token}"})


def test_jwt_for_our_address_proves(make_post: MakePost, now: datetime) -> None:
    assert READER.authenticate(bearing(make_post, jwt(now)), ["old", "k3y"], now) == "weak"


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": b"other"},
        {"aud": ["https://elsewhere.example"]},
        {"aud": None},
        {"iss": "x"},
        {"exp": 1},
        {"nbf": 9e12},
        {"exp": "never"},
        {"head": {"alg": "none"}},
        {"head": {"alg": "HS512"}},
        {"head": {"x": 1}},
    ],
)
def test_other_jwts_are_refused(
    make_post: MakePost, now: datetime, changes: dict[str, Any]
) -> None:
    with pytest.raises(SignatureError):
        READER.authenticate(bearing(make_post, jwt(now, **changes)), ["k3y"], now)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "e30.e30.", "x" * 9000])
def test_broken_jwts_are_refused(make_post: MakePost, now: datetime, token: str) -> None:
    with pytest.raises(SignatureError):
        READER.authenticate(bearing(make_post, token), ["k3y"], now)


def test_owner_is_the_receiver(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    report = read_one("httpsms", make_post(json_body=NOTICE))
    assert (report.sender, report.receiver) == ("13800000000", "13900000000")
    assert READER.message_id(make_post(json_body=NOTICE)) == "evt-1"


def test_missed_call_is_a_call(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    data = {"owner": "1", "contact": "+8613800000000", "timestamp": "2026-03-18T06:29:58Z"}
    notice = {**NOTICE, "type": "message.call.missed", "data": data}
    assert read_one("httpsms", make_post(json_body=notice)).kind == "call"


def test_ciphertext_is_refused_with_advice(make_post: MakePost) -> None:
    notice = {**NOTICE, "data": {**NOTICE["data"], "encrypted": True}}
    with pytest.raises(PayloadError, match="switch that off"):
        READER.read(make_post(json_body=notice), {})


def test_other_notices_carry_no_report(make_post: MakePost) -> None:
    assert READER.read(make_post(json_body={**NOTICE, "type": "phone.heartbeat"}), {}) == []
