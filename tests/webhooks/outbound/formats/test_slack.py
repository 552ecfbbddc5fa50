"""Slack: only the body `ok` is success."""

from collections.abc import Callable
from typing import Any

import pytest

from webhooks.errors import DeliveryError

Make = Callable[..., Any]


def hook(request: Any) -> str:
    """Answer as the hook does: it checks the limits of its blocks."""
    header, *others = request.get_json()["blocks"]
    sections = [block["text"]["text"] for block in others if block["type"] == "section"]
    if len(header["text"]["text"]) > 150 or any(len(text) > 3000 for text in sections):
        return "invalid_blocks"
    return "ok"


def test_hook_takes_blocks(deliver: Make, make_message: Make) -> None:
    sent = deliver("slack", make_message(lang="en"), hook).get_json()
    assert [block["type"] for block in sent["blocks"]] == ["header", "section", "actions"]


def test_long_alert_stays_under_limits(deliver: Make, make_message: Make) -> None:
    assert deliver("slack", make_message(title="题" * 999, lines=["单号" * 999] * 30), hook)


def test_fallback_text_is_escaped(deliver: Make, hostile_message: Any) -> None:
    assert "<" not in deliver("slack", hostile_message, hook).get_json()["text"]


def test_other_body_is_failure(deliver: Make, make_message: Make) -> None:
    with pytest.raises(DeliveryError):
        deliver("slack", make_message(), "<html>proxy</html>")


@pytest.mark.parametrize(
    ("status", "permanent"), [(403, True), (404, True), (410, True), (429, False), (500, False)]
)
def test_statuses_are_told_apart(
    deliver: Make, make_message: Make, status: int, permanent: bool
) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("slack", make_message(), "no_service", status=status, headers={"Retry-After": "7"})
    assert failure.value.permanent is permanent
    assert failure.value.retry_after == 7
