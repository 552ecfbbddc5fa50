"""Telegram: `ok` in the body, the waiting time too."""

from collections.abc import Callable
from typing import Any

import pytest

from webhooks.errors import DeliveryError

Make = Callable[..., Any]


def bot(request: Any) -> dict[str, Any]:
    """Answer as the API does: it checks chat and length."""
    body = request.get_json()
    if request.path != "/botdemo/sendMessage" or "parse_mode" in body:
        return {"ok": False, "error_code": 404, "description": "Not Found"}
    if len(body["text"].encode("utf-16-le")) // 2 > 4096:
        return {"ok": False, "error_code": 400, "description": "message is too long"}
    return {"ok": True, "result": {"message_id": 1}}


def test_bot_takes_plain_text(deliver: Make, make_message: Make) -> None:
    sent = deliver("telegram", make_message(), bot, path="/", chat_id="-1001").get_json()
    assert sent["chat_id"] == "-1001"
    assert sent["link_preview_options"] == {"is_disabled": True}


def test_long_alert_is_cut(deliver: Make, make_message: Make) -> None:
    long = make_message(lines=["🚚" * 3000] * 30)
    assert deliver("telegram", long, bot, path="", chat_id=1)


def test_waiting_time_in_body_is_kept(deliver: Make, make_message: Make) -> None:
    answer = {"ok": False, "error_code": 429, "parameters": {"retry_after": 35}}
    with pytest.raises(DeliveryError) as failure:
        deliver("telegram", make_message(), answer, status=429, chat_id=1)
    assert failure.value.retry_after == 35
    assert not failure.value.permanent


@pytest.mark.parametrize(("status", "permanent"), [(400, True), (403, True), (502, False)])
def test_refusals_are_told_apart(
    deliver: Make, make_message: Make, status: int, permanent: bool
) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("telegram", make_message(), {"ok": False}, status=status, chat_id=1)
    assert failure.value.permanent is permanent


def test_false_ok_inside_200_is_failure(deliver: Make, make_message: Make) -> None:
    with pytest.raises(DeliveryError):
        deliver("telegram", make_message(), {"ok": False}, chat_id=1)
