"""Telegram updates."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from webhooks.errors import SignatureError
from webhooks.inbound.readers.telegram import TelegramReader
from webhooks.reports import Post

READER = TelegramReader()
MakePost = Callable[..., Post]
POST: dict[str, Any] = {
    "message_id": 7,
    "date": 1773815398,
    "chat": {"id": -1001, "title": "料", "username": "resale"},
    "text": "出 78901",
}


@pytest.mark.parametrize(
    "name", ["message", "edited_message", "channel_post", "edited_channel_post"]
)
@pytest.mark.parametrize("key", ["text", "caption"])
def test_words_are_found_everywhere(
    make_post: MakePost, read_one: Callable[..., Any], name: str, key: str
) -> None:
    message = {**POST, "text": None, key: "出 78901"}
    report = read_one("telegram", make_post(json_body={"update_id": 5, name: message}))
    assert (report.text, report.venue) == ("出 78901", "料")
    assert report.url == "https://t.me/resale/7"
    assert report.claimed_at == datetime(2026, 3, 18, 6, 29, 58, tzinfo=UTC)


def test_update_id_is_the_message_id(make_post: MakePost) -> None:
    assert READER.message_id(make_post(json_body={"update_id": 5})) == "5"


def test_photo_without_words_carries_no_report(make_post: MakePost) -> None:
    post = make_post(json_body={"update_id": 5, "message": {**POST, "text": None}})
    assert READER.read(post, {}) == []


@pytest.mark.parametrize("header", ["", "other", "é"])
def test_other_secret_is_refused(make_post: MakePost, now: datetime, header: str) -> None:
    name = "X-Telegram-Bot-Api-Secret-Token"
    assert READER.authenticate(make_post(headers={name: "k3y"}), ["k3y"], now) == "weak"
    with pytest.raises(SignatureError):
        READER.authenticate(make_post(headers={name: header}), ["k3y"], now)
