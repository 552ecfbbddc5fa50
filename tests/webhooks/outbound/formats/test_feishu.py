"""Feishu: the sign and the code are both in the body."""

from collections.abc import Callable
from typing import Any

import pytest

from webhooks.digests import feishu_sign
from webhooks.errors import DeliveryError

Make = Callable[..., Any]


def bot(request: Any) -> dict[str, Any]:
    """Answer as the bot does: it checks the sign and the size."""
    body = request.get_json()
    if body["sign"] != feishu_sign("demo", body["timestamp"]):
        return {"code": 19021, "msg": "sign match fail"}
    if len(request.data) > 20_000:
        return {"code": 9499, "msg": "Bad Request"}
    return {"code": 0, "msg": "success", "data": {}}


def test_vector_of_the_description_holds() -> None:
    assert feishu_sign("demo", "1700000000") == "8oT2n3SMKFfEnDoiwer8BUM/SjKLwe9SqoEIHlhDTKo="


def test_bot_takes_signed_card(deliver: Make, make_message: Make) -> None:
    card = deliver("feishu", make_message(), bot).get_json()["card"]
    assert card["header"]["template"] == "red"
    assert card["elements"][0]["text"]["tag"] == "plain_text"


def test_old_bots_answer_status_code(deliver: Make, make_message: Make) -> None:
    deliver("feishu", make_message(), {"StatusCode": 0, "StatusMessage": "success"})


@pytest.mark.parametrize(
    ("code", "permanent"), [(19021, True), (19024, True), (9499, True), (11232, False)]
)
def test_refusal_inside_200_is_failure(
    deliver: Make, make_message: Make, code: int, permanent: bool
) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("feishu", make_message(), {"code": code, "msg": "no"})
    assert failure.value.permanent is permanent


def test_wrong_secret_is_refused(deliver: Make, make_message: Make) -> None:
    with pytest.raises(DeliveryError, match="19021"):
        deliver("feishu", make_message(), bot, secrets=("other",))


def test_long_alert_stays_under_the_limit(deliver: Make, make_message: Make) -> None:
    long = make_message(title="题" * 3000, lines=["单号" * 3000] * 30)
    assert len(deliver("feishu", long, bot).data) <= 20_000
