"""WeCom: 2,048 bytes, and refusals inside a 200."""

from collections.abc import Callable
from typing import Any

import pytest

from webhooks.errors import DeliveryError

Make = Callable[..., Any]


def robot(request: Any) -> dict[str, Any]:
    """Answer as the robot does: it checks the key and the bytes."""
    if request.args.get("key") != "1":
        return {"errcode": 93000, "errmsg": "invalid webhook url"}
    if len(request.get_json()["text"]["content"].encode()) > 2048:
        return {"errcode": 40058, "errmsg": "content exceed max length"}
    return {"errcode": 0, "errmsg": "ok"}


def test_robot_takes_text(deliver: Make, make_message: Make) -> None:
    content = deliver("wecom", make_message(), robot).get_json()["text"]["content"]
    assert "Source OUT-001" in content
    assert "resale[.]example" in content


def test_long_alert_fits_and_keeps_link(deliver: Make, make_message: Make) -> None:
    sent = deliver("wecom", make_message(lines=["单号🚚" * 3000] * 30), robot)
    assert sent.get_json()["text"]["content"].endswith("/incidents/INC-42")


@pytest.mark.parametrize(
    ("path", "permanent"), [("/robot?key=2", True), ("/robot", True), ("/robot?key=1", None)]
)
def test_wrong_key_is_permanent(
    deliver: Make, make_message: Make, path: str, permanent: bool | None
) -> None:
    if permanent is None:
        deliver("wecom", make_message(), robot, path=path)
        return
    with pytest.raises(DeliveryError) as failure:
        deliver("wecom", make_message(), robot, path=path)
    assert failure.value.permanent is permanent


def test_rate_limit_is_worth_another_try(deliver: Make, make_message: Make) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("wecom", make_message(), {"errcode": 45009, "errmsg": "api freq out of limit"})
    assert not failure.value.permanent


@pytest.mark.parametrize(
    ("robot", "answer", "seconds"),
    [
        ("wecom", {"errcode": 45009}, 60),
        ("dingtalk", {"errcode": 130101}, 600),
        ("feishu", {"code": 11232}, 60),
        ("wecom", {"errcode": -1}, None),
    ],
)
def test_robot_called_too_often_is_left_alone(
    deliver: Make, make_message: Make, robot: str, answer: dict[str, int], seconds: float | None
) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver(robot, make_message(), answer)
    assert (failure.value.permanent, failure.value.retry_after) == (False, seconds)
