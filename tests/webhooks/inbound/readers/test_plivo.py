"""Plivo: signatures checked against its own library, 4.63.0."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from webhooks.digests import hmac_base64
from webhooks.errors import SignatureError
from webhooks.inbound.readers.plivo import PlivoReader
from webhooks.reports import Post

READER = PlivoReader()
MakePost = Callable[..., Post]
FORM = {"From": "1", "Text": "单号 a", "To": "2"}


def signed(make_post: MakePost, sign: str, **changes: Any) -> Post:
    headers = {"X-Plivo-Signature-V3": sign, "X-Plivo-Signature-V3-Nonce": "12345"}
    return make_post(**{"form": FORM, "headers": headers, **changes})


@pytest.mark.parametrize(
    ("query", "sign"),
    [
        ("", "9mjbc9Vpzc2myQ4jMO9UYBCxHGhbqZ7B3F/Drcs14FE="),
        ("b=2&a=1", "5VbWNpjVSyA2paaPr4o1PzUkJCfZ7iqIGzkxD4XVH9k="),
        ("", "other=, 9mjbc9Vpzc2myQ4jMO9UYBCxHGhbqZ7B3F/Drcs14FE="),
    ],
)
def test_vectors_of_the_library_hold(
    make_post: MakePost, now: datetime, query: str, sign: str
) -> None:
    assert READER.authenticate(signed(make_post, sign, query=query), ["tok"], now) == "signed"


def test_changed_field_is_refused(make_post: MakePost, now: datetime) -> None:
    post = signed(
        make_post, "9mjbc9Vpzc2myQ4jMO9UYBCxHGhbqZ7B3F/Drcs14FE=", form={**FORM, "Text": "b"}
    )
    with pytest.raises(SignatureError):
        READER.authenticate(post, ["tok"], now)


def test_older_signature_proves_weakly(make_post: MakePost, now: datetime) -> None:
    sign = hmac_base64("tok", b"https://canary.example/hooks/phone12345")
    headers = {"X-Plivo-Signature-V2": sign, "X-Plivo-Signature-V2-Nonce": "12345"}
    assert READER.authenticate(make_post(form=FORM, headers=headers), ["tok"], now) == "weak"


def test_message_is_read(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    assert read_one("plivo", make_post(form=FORM)).text == "单号 a"
