"""Inbound mail by Mailgun and SendGrid."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from webhooks.digests import hmac_hex
from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.registry import READERS
from webhooks.reports import Post

MakePost = Callable[..., Post]
ReadOne = Callable[..., Any]


def multipart(make_post: MakePost, fields: dict[str, bytes], tail: bytes = b"--x--\r\n") -> Post:
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    )
    return make_post(parts + tail, content_type='multipart/form-data; boundary="x"')


def mailgun(now: datetime, **changes: str) -> dict[str, str]:
    stamp = str(int(now.timestamp()))
    fields = {"recipient": "b@ours.example", "sender": "s@x.example", "body-plain": "单号 78901"}
    signed = {
        "timestamp": stamp,
        "token": "t1",
        "signature": hmac_hex("k3y", f"{stamp}t1".encode()),
    }
    return {**fields, **signed, **changes}


def test_mailgun_signature_proves_weakly(make_post: MakePost, now: datetime) -> None:
    reader, fields = READERS["mailgun"], mailgun(now)
    raw = {name: value.encode() for name, value in fields.items()}
    for post in (make_post(form=fields), multipart(make_post, raw)):
        assert reader.authenticate(post, ["k3y"], now + timedelta(hours=4)) == "weak"
        assert reader.message_id(post) == "t1"
        (report,) = reader.read(post, {})
        assert report.text == "单号 78901"


def test_mailgun_changes_are_refused(make_post: MakePost, now: datetime) -> None:
    for form in (mailgun(now, token="t2"), mailgun(now, signature=""), mailgun(now, timestamp="1")):
        with pytest.raises(SignatureError):
            READERS["mailgun"].authenticate(make_post(form=form), ["k3y"], now)


def test_sendgrid_field_keeps_its_charset(make_post: MakePost, read_one: ReadOne) -> None:
    post = multipart(
        make_post,
        {
            "charsets": b'{"text":"gb2312","subject":"UTF-8"}',
            "text": "单号 喆玥 78901".encode("gb18030"),
            "subject": "面单".encode(),
            "from": b"s@x.example",
        },
    )
    report = read_one("sendgrid", post)
    assert (report.text, report.title) == ("单号 喆玥 78901", "面单")
    assert (report.charset, report.charset_rung) == ("gb18030", "header")


def test_sendgrid_falls_back_to_html(make_post: MakePost, read_one: ReadOne) -> None:
    post = multipart(make_post, {"text": b" ", "html": "<b>单号</b>".encode()})
    assert read_one("sendgrid", post).text == "<b>单号</b>"


@pytest.mark.parametrize(
    "post",
    [
        {"body": b"", "content_type": "multipart/form-data"},
        {"body": b"--x", "content_type": "multipart/form-data; boundary=x"},
        {"body": b"--x\r\n\r\n", "content_type": "multipart/form-data; boundary=x"},
        {"body": b"text=1", "content_type": "application/x-www-form-urlencoded"},
    ],
)
def test_broken_multipart_is_refused(make_post: MakePost, post: dict[str, Any]) -> None:
    with pytest.raises(PayloadError):
        READERS["sendgrid"].read(make_post(**post), {})


def test_thousands_of_parts_are_refused(make_post: MakePost) -> None:
    post = multipart(make_post, {f"f{n}": b"1" for n in range(300)})
    with pytest.raises(PayloadError):
        READERS["sendgrid"].read(post, {})
