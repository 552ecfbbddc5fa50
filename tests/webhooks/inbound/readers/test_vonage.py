"""Vonage: every signature kind over all fields, messages in parts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.readers.vonage import VonageReader, digests, signed_text
from webhooks.reports import Post

READER = VonageReader()
MakePost = Callable[..., Post]


def fields(now: datetime, kind: int = 0, **changes: str) -> dict[str, str]:
    said = {
        "msisdn": "8613800000000",
        "to": "8613900000000",
        "messageId": "m1",
        "text": "单号 & = 78901",
        "message-timestamp": "2026-03-18 06:29:58",
        "timestamp": str(int(now.timestamp())),
        "nonce": "n1",
        **changes,
    }
    return {**said, "sig": digests(signed_text(said), "s")[kind].upper()}


def test_vector_of_the_description_holds() -> None:
    said = signed_text({"b": "x&y", "a": "1", "sig": "ignored"})
    assert said == "&a=1&b=x_y"
    found = digests(said, "s")
    assert found[0] == "7d0c3de46816b59849baa78e5e33de19"
    assert found[3] == "b4be4d2800c45c775997660264c0f644431583076f31361f49bab18c7f1e7f01"


@pytest.mark.parametrize("kind", range(5))
def test_every_signature_kind_proves(make_post: MakePost, now: datetime, kind: int) -> None:
    said = fields(now, kind)
    query = make_post(method="GET", query=urlencode(said))
    for post in (query, make_post(form=said), make_post(json_body=said)):
        assert READER.authenticate(post, ["old", "s"], now) == "signed"


def test_changed_field_is_refused(make_post: MakePost, now: datetime) -> None:
    with pytest.raises(SignatureError):
        READER.authenticate(make_post(form={**fields(now), "text": "x"}), ["s"], now)


def test_day_old_retry_is_taken_older_not(make_post: MakePost, now: datetime) -> None:
    post = make_post(form=fields(now))
    assert READER.authenticate(post, ["s"], now + timedelta(hours=24))
    with pytest.raises(SignatureError, match="stale"):
        READER.authenticate(post, ["s"], now + timedelta(hours=26))


def test_part_of_long_message_is_marked(
    make_post: MakePost, now: datetime, read_one: Callable[..., Any]
) -> None:
    part = {"concat": "true", "concat-ref": "7", "concat-total": "3", "concat-part": "2"}
    report = read_one("vonage", make_post(form=fields(now, **part)))
    assert (report.part.reference, report.part.number, report.part.total) == ("7", 2, 3)
    assert (report.sender, report.receiver) == ("13800000000", "13900000000")


@pytest.mark.parametrize("part", [{"concat-part": "9", "concat-total": "3"}, {"concat-part": "²"}])
def test_nonsense_part_is_ignored(
    make_post: MakePost, now: datetime, read_one: Callable[..., Any], part: dict[str, str]
) -> None:
    assert read_one("vonage", make_post(form=fields(now, **part))).part is None


def test_empty_message_is_refused(make_post: MakePost, now: datetime) -> None:
    with pytest.raises(PayloadError):
        READER.read(make_post(form=fields(now, text="")), {})
