"""Any page or text."""

from collections.abc import Callable
from datetime import datetime

import pytest

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.readers.page import PageReader
from webhooks.reports import Post

READER = PageReader()
MakePost = Callable[..., Post]


def test_page_keeps_its_source_text(make_post: MakePost) -> None:
    source = '<meta charset="gb2312"><td>7890<b>1</b> 喆玥 李**</td>'
    (report,) = READER.read(make_post(source.encode("gb18030")), {})
    assert report.text == source
    assert (report.charset, report.charset_rung) == ("gb18030", "meta")


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"X-Canary-Venue": "resale.example", "X-Canary-Url": "http://resale.example/1"}, ""),
        ({"X-Canary-Venue": "resale%2Eexample"}, "url=http%3A%2F%2Fresale.example%2F1"),
        ({}, "venue=resale.example&url=http://resale.example/1"),
    ],
)
def test_venue_and_address_are_named(
    make_post: MakePost, headers: dict[str, str], query: str
) -> None:
    (report,) = READER.read(make_post("text", headers=headers, query=query), {})
    assert (report.venue, report.url) == ("resale.example", "http://resale.example/1")


def test_valid_signature_makes_it_signed(
    make_post: MakePost, sign_headers: Callable[..., dict[str, str]], secret: str, now: datetime
) -> None:
    post = make_post("text", headers=sign_headers(b"text"))
    assert READER.authenticate(post, [secret], now) == "signed"


def test_wrong_signature_is_not_saved_by_path(
    make_post: MakePost, sign_headers: Callable[..., dict[str, str]], secret: str, now: datetime
) -> None:
    post = make_post("text", headers=sign_headers(b"other"), path_proven=True)
    with pytest.raises(SignatureError):
        READER.authenticate(post, [secret], now)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_bearer_secret_proves_weakly(
    make_post: MakePost, secret: str, now: datetime, scheme: str
) -> None:
    post = make_post("text", headers={"Authorization": f"{scheme} {secret}"})
    assert READER.authenticate(post, [secret], now) == "weak"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic é", "Basic AAAA", "Digest a", "Bearer ", "Basic Og=="],
)
def test_wrong_credentials_are_refused(
    make_post: MakePost, secret: str, now: datetime, header: str
) -> None:
    with pytest.raises(SignatureError):
        READER.authenticate(make_post("text", headers={"Authorization": header}), [secret], now)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "", 400),
        (b" \n", "text/html", 400),
        (b"\x89PNG", "image/png", 415),
        (b"%PDF", "application/pdf", 415),
        (b"PK", "application/zip", 415),
    ],
)
def test_what_is_no_text_is_refused(
    make_post: MakePost, body: bytes, content_type: str, status: int
) -> None:
    with pytest.raises(PayloadError) as refusal:
        READER.read(make_post(body, content_type=content_type), {})
    assert refusal.value.status == status
