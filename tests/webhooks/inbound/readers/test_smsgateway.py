"""SMS Gateway for Android."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.readers.smsgateway import SmsGatewayReader
from webhooks.reports import Post, Report

READER = SmsGatewayReader()
MakePost = Callable[..., Post]
NOTICE: dict[str, Any] = {
    "id": "Ey6ECgOkVVFjz3CL48B8C",
    "webhookId": "w1",
    "event": "sms:received",
    "deviceId": "phone-7",
    "payload": {
        "messageId": "abc",
        "sender": "+8613800000000",
        "recipient": None,
        "simNumber": 1,
        "message": "单号 78901",
        "receivedAt": "2026-03-18T14:29:58.123+08:00",
    },
}


def signed(make_post: MakePost, now: datetime, body: bytes, secret: bytes = b"k3y") -> Post:
    stamp = str(int(now.timestamp()))
    sign = hmac.new(secret, body + stamp.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Timestamp": stamp, "X-Signature": sign}
    return make_post(body, content_type="application/json", headers=headers)


def test_signature_over_body_and_time_proves(make_post: MakePost, now: datetime) -> None:
    post = signed(make_post, now, json.dumps(NOTICE).encode())
    assert READER.authenticate(post, ["old", "k3y"], now) == "signed"


def test_changed_body_or_stale_time_is_refused(make_post: MakePost, now: datetime) -> None:
    post = signed(make_post, now, b"{}")
    with pytest.raises(SignatureError):
        READER.authenticate(make_post(b"{ }", headers=dict(post.headers)), ["k3y"], now)
    with pytest.raises(SignatureError, match="stale"):
        READER.authenticate(post, ["k3y"], now + timedelta(seconds=301))


def test_message_is_read_with_device_map(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    report: Report = read_one(
        "smsgateway", make_post(json_body=NOTICE), receivers={"phone-7/1": "+8613900000000"}
    )
    assert (report.text, report.sender) == ("单号 78901", "13800000000")
    assert report.receiver == "13900000000"
    assert report.claimed_at == datetime(2026, 3, 18, 6, 29, 58, 123000, tzinfo=UTC)
    assert READER.message_id(make_post(json_body=NOTICE)) == "Ey6ECgOkVVFjz3CL48B8C"


def test_data_message_is_decoded(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    notice = {**NOTICE, "event": "sms:data-received", "payload": {"data": "5Y2V5Y+3"}}
    assert read_one("smsgateway", make_post(json_body=notice)).text == "单号"


def test_ping_carries_no_report(make_post: MakePost) -> None:
    assert READER.read(make_post(json_body={**NOTICE, "event": "system:ping"}), {}) == []


@pytest.mark.parametrize("payload", [None, {}, {"data": "%"}, {"message": None}])
def test_broken_payload_is_refused(make_post: MakePost, payload: Any) -> None:
    with pytest.raises(PayloadError):
        READER.read(make_post(json_body={**NOTICE, "payload": payload}), {})
