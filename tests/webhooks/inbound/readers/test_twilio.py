"""Twilio: signatures checked against its own library, 9.13.0."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from webhooks.digests import hmac_base64
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.readers.twilio import TwilioReader
from webhooks.reports import Post

READER = TwilioReader()
MakePost = Callable[..., Post]
FORM = {
    "MessageSid": "SM1",
    "From": "+8613800000000",
    "To": "+18005551212",
    "Body": "单号 & = +",
    "NumMedia": "0",
}
SHARED = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"


def signed(make_post: MakePost, sign: str, settings: str = "", **changes: Any) -> Post:
    headers = {"X-Twilio-Signature": sign}
    if settings:
        headers["X-Twilio-Webhooks-Signature-Settings"] = settings
    return make_post(**{"form": FORM, "query": "foo=1&bar=2", "headers": headers, **changes})


def test_vector_of_the_description_holds(make_post: MakePost, now: datetime) -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "From": "+14158675309",
        "Digits": "1234",
        "To": "+18005551212",
    }
    post = signed(
        make_post,
        "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        form=form,
        url="https://mycompany.com/myapp.php?foo=1&bar=2",
    )
    assert READER.authenticate(post, ["12345"], now) == "signed"


@pytest.mark.parametrize(
    ("sign", "settings"),
    [
        ("yFWDgdfg+n4Mk2XYQhQH1JU6hX4=", ""),
        ("XV3QqUs23pspt+9yhLm+NRMBz+5hrpKPCjoX/FGfVUo=", SHARED),
    ],
)
def test_vectors_of_the_library_hold(
    make_post: MakePost, now: datetime, sign: str, settings: str
) -> None:
    post = signed(make_post, sign, settings)
    assert READER.authenticate(post, ["old", "12345"], now) == "signed"


@pytest.mark.parametrize("port", ["", ":443", ":8443"])
def test_port_in_public_url_does_not_matter(make_post: MakePost, now: datetime, port: str) -> None:
    url = f"https://canary.example{port}/hooks/phone?foo=1&bar=2"
    post = signed(make_post, "yFWDgdfg+n4Mk2XYQhQH1JU6hX4=", url=url)
    assert READER.authenticate(post, ["12345"], now)


@pytest.mark.parametrize(
    "changes",
    [
        {"form": {**FORM, "Body": "other"}},
        {"form": {**FORM, "Extra": "1"}},
        {"query": "foo=1&bar=3"},
        {"headers": {}},
        {"settings": "algorithm=MD5"},
        {"settings": SHARED},
    ],
)
def test_any_change_is_refused(make_post: MakePost, now: datetime, changes: dict[str, Any]) -> None:
    post = signed(make_post, "yFWDgdfg+n4Mk2XYQhQH1JU6hX4=", **changes)
    with pytest.raises(SignatureError):
        READER.authenticate(post, ["12345"], now)


def test_json_body_is_bound_by_its_digest(make_post: MakePost, now: datetime) -> None:
    body = b'{"MessageSid":"SM1","Body":"x"}'
    url = f"https://canary.example/hooks/phone?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"X-Twilio-Signature": hmac_base64("12345", url.encode(), "sha1")}
    post = make_post(body, content_type="application/json", url=url, headers=headers)
    assert READER.authenticate(post, ["12345"], now) == "signed"
    other = make_post(body + b" ", content_type="application/json", url=url, headers=headers)
    with pytest.raises(SignatureError):
        READER.authenticate(other, ["12345"], now)


def test_message_is_read(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    report = read_one("twilio", make_post(form=FORM))
    assert (report.text, report.sender) == ("单号 & = +", "13800000000")
    assert READER.message_id(make_post(form=FORM)) == "SM1"


def test_media_stand_in_for_text(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    form = {**FORM, "Body": "", "MediaUrl0": "https://api.twilio.example/m/1"}
    assert read_one("twilio", make_post(form=form)).text == "https://api.twilio.example/m/1"


def test_empty_message_is_refused(make_post: MakePost) -> None:
    with pytest.raises(PayloadError):
        READER.read(make_post(form={**FORM, "Body": ""}), {})
