"""DingTalk: a 200 is not yet success."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from webhooks.errors import DeliveryError
from webhooks.outbound.formats.base import EndpointConfig
from webhooks.outbound.formats.dingtalk import DingTalkFormat

Make = Callable[..., Any]


def robot(request: Any) -> dict[str, Any]:
    """Answer as the robot does: it checks the sign and the size."""
    stamp = request.args["timestamp"]
    digest = hmac.new(b"SECdemo", f"{stamp}\nSECdemo".encode(), hashlib.sha256).digest()
    if request.args["sign"] != base64.b64encode(digest).decode():
        return {"errcode": 310000, "errmsg": "sign not match"}
    if request.get_json()["msgtype"] != "text":
        return {"errcode": 400101, "errmsg": "unknown msgtype"}
    return {"errcode": 0, "errmsg": "ok"}


def test_vector_of_the_description_holds(make_message: Make) -> None:
    config = EndpointConfig(url="https://robot.example/send?access_token=x", secrets=("SECdemo",))
    at = datetime.fromtimestamp(1_700_000_000, UTC)
    query = parse_qs(urlsplit(DingTalkFormat().render(make_message(), config, at).url).query)
    assert query["timestamp"] == ["1700000000000"]
    assert query["sign"] == ["lOvVf9TQCVugV68mGbSZCg0gzOl1SVjxWi1MyVZCUuA="]


def test_robot_takes_signed_text(deliver: Make, make_message: Make) -> None:
    sent = deliver("dingtalk", make_message(), robot, secrets=("SECdemo",), keyword="面单")
    assert sent.get_json()["text"]["content"].startswith("面单\nBait waybill seen")
    assert sent.get_json()["at"] == {"atMobiles": [], "isAtAll": False}


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ({"errcode": 310000, "errmsg": "keywords not in content"}, True),
        ({"errcode": 130101, "errmsg": "send too fast"}, False),
        ({"errcode": "0"}, False),
        ({"errcode": False}, False),
        ({}, False),
        ("<html>gateway</html>", False),
    ],
)
def test_refusal_inside_200_is_failure(
    deliver: Make, make_message: Make, answer: Any, permanent: bool
) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("dingtalk", make_message(), answer)
    assert failure.value.permanent is permanent


def test_wrong_secret_is_refused(deliver: Make, make_message: Make) -> None:
    with pytest.raises(DeliveryError, match="310000"):
        deliver("dingtalk", make_message(), robot, secrets=("other",))


def test_long_alert_is_cut_between_characters(deliver: Make, make_message: Make) -> None:
    sent = deliver(
        "dingtalk", make_message(lines=["单号" * 3000] * 30), robot, secrets=("SECdemo",)
    )
    content = sent.get_json()["text"]["content"]
    assert len(content.encode()) <= 18_000
    assert content.endswith("…\nhttps://canary.example/incidents/INC-42")
