"""Bird and classic MessageBird."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from webhooks.errors import SignatureError
from webhooks.inbound.readers.messagebird import MessageBirdReader
from webhooks.reports import Post

READER = MessageBirdReader()
MakePost = Callable[..., Post]
URL = "https://canary.example/hooks/phone"
BIRD = {
    "service": "channels",
    "event": "sms.inbound",
    "payload": {
        "id": "b1",
        "channelId": "c1",
        "sender": {"contact": {"identifierValue": "+8613800000000"}},
        "body": {"type": "text", "text": {"text": "单号 78901"}},
        "createdAt": "2026-03-18T06:29:58Z",
    },
}


def bird(make_post: MakePost, now: datetime, body: bytes, signed_body: bytes) -> Post:
    stamp = str(int(now.timestamp()))
    said = f"{stamp}\n{URL}\n".encode() + hashlib.sha256(signed_body).digest()
    sign = base64.b64encode(hmac.new(b"k3y", said, hashlib.sha256).digest()).decode()
    headers = {"MessageBird-Signature": sign, "MessageBird-Request-Timestamp": stamp}
    return make_post(body, content_type="application/json", headers=headers)


def test_bird_signature_covers_body(make_post: MakePost, now: datetime) -> None:
    body = json.dumps(BIRD).encode()
    assert READER.authenticate(bird(make_post, now, body, body), ["k3y"], now) == "signed"
    with pytest.raises(SignatureError):
        READER.authenticate(bird(make_post, now, body, b"other"), ["k3y"], now)


def test_bird_message_is_read(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    report = read_one("messagebird", make_post(json_body=BIRD), receivers={"c1": "13900000000"})
    assert (report.text, report.sender) == ("单号 78901", "13800000000")
    assert report.receiver == "13900000000"
    assert READER.message_id(make_post(json_body=BIRD)) == "b1"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def classic(make_post: MakePost, now: datetime, **changes: Any) -> Post:
    form = {"id": "c1", "recipient": "8613900000000", "originator": "8613800000000", "body": "x"}
    post = make_post(form=form)
    claims = {
        "iss": "MessageBird",
        "nbf": now.timestamp() - 1,
        "exp": now.timestamp() + 60,
        "url_hash": hashlib.sha256(URL.encode()).hexdigest(),
        "payload_hash": hashlib.sha256(post.body).hexdigest(),
        **changes,
    }
    head = b'{"alg":"HS512"}'
    said = f"{encoded(head)}.{encoded(json.dumps(claims).encode())}"
    sign = encoded(hmac.new(b"k3y", said.encode(), hashlib.sha512).digest())
    return make_post(form=form, headers={"MessageBird-Signature-JWT": f"{said}.{sign}"})


def test_classic_jwt_binds_url_and_body(make_post: MakePost, now: datetime) -> None:
    assert READER.authenticate(classic(make_post, now), ["k3y"], now) == "signed"


@pytest.mark.parametrize("claim", ["iss", "url_hash", "payload_hash", "exp", "nbf"])
def test_classic_jwt_for_other_things_is_refused(
    make_post: MakePost, now: datetime, claim: str
) -> None:
    with pytest.raises(SignatureError):
        READER.authenticate(classic(make_post, now, **{claim: "other"}), ["k3y"], now)


def test_classic_form_is_read(
    make_post: MakePost, now: datetime, read_one: Callable[..., Any]
) -> None:
    report = read_one("messagebird", classic(make_post, now))
    assert (report.sender, report.receiver) == ("13800000000", "13900000000")
