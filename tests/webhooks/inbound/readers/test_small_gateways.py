"""textbee, Incoming SMS to URL and jasmin."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.registry import READERS
from webhooks.reports import Post

MakePost = Callable[..., Post]
ReadOne = Callable[..., Any]
TEXTBEE = {
    "smsId": "s1",
    "message": "单号 78901",
    "deviceId": "d1",
    "webhookEvent": "MESSAGE_RECEIVED",
    "idempotencyKey": "idem-1",
    "sender": "+8613800000000",
    "receivedAt": "2026-03-18T06:29:58.000Z",
}


@pytest.mark.parametrize("prefix", ["", "sha256="])
def test_textbee_signature_covers_body(make_post: MakePost, now: datetime, prefix: str) -> None:
    body = json.dumps(TEXTBEE).encode()
    sign = prefix + hmac.new(b"k3y", body, hashlib.sha256).hexdigest()
    reader = READERS["textbee"]
    assert reader.authenticate(make_post(body, headers={"X-Signature": sign}), ["k3y"], now)
    with pytest.raises(SignatureError):
        reader.authenticate(make_post(body + b" ", headers={"X-Signature": sign}), ["k3y"], now)


def test_textbee_message_is_read(make_post: MakePost, read_one: ReadOne) -> None:
    report = read_one("textbee", make_post(json_body=TEXTBEE), receivers={"d1": "13900000000"})
    assert (report.text, report.receiver) == ("单号 78901", "13900000000")
    assert READERS["textbee"].message_id(make_post(json_body=TEXTBEE)) == "idem-1"


def test_textbee_other_notices_carry_no_report(make_post: MakePost) -> None:
    notice = {**TEXTBEE, "webhookEvent": "MESSAGE_SENT"}
    assert READERS["textbee"].read(make_post(json_body=notice), {}) == []


def test_sms_to_url_is_read(make_post: MakePost, read_one: ReadOne) -> None:
    fields = {"from": "95001", "text": "x", "sentStamp": 1773815398000, "sim": "sim1"}
    report = read_one("smstourl", make_post(json_body=fields), receivers={"/sim1": "13900000000"})
    assert report.claimed_at == datetime(2026, 3, 18, 6, 29, 58, tzinfo=UTC)
    assert (report.sender, report.receiver) == ("95001", "13900000000")


def test_jasmin_chinese_comes_from_binary(make_post: MakePost, read_one: ReadOne) -> None:
    raw = "单号 喆".encode("utf-16-be")
    body = (
        f"id=j1&from=1069&to=8613900000000&coding=8&content={quote_from_bytes(raw)}"
        f"&binary={raw.hex()}"
    )
    post = make_post(body, content_type="application/x-www-form-urlencoded")
    report = read_one("jasmin", post)
    assert (report.text, report.receiver, report.charset) == ("单号 喆", "13900000000", "utf-16-be")
    assert READERS["jasmin"].message_id(post) == "j1"


def test_jasmin_plain_comes_by_get(make_post: MakePost, read_one: ReadOne) -> None:
    post = make_post(method="GET", query="id=j2&from=1&to=2&coding=0&content=hello+you")
    assert read_one("jasmin", post).text == "hello you"


def test_jasmin_hears_its_acknowledgement() -> None:
    assert READERS["jasmin"].reply.body == b"ACK/Jasmin"
    assert READERS["jasmin"].reply.status == 200


@pytest.mark.parametrize("query", ["id=1", "binary=zz", "content=", "content=%ff"])
def test_jasmin_without_text_is_refused(make_post: MakePost, query: str) -> None:
    with pytest.raises(PayloadError):
        READERS["jasmin"].read(make_post(query=query, method="GET"), {})
