"""Chinese clouds: replies to our own messages."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from webhooks.errors import PayloadError
from webhooks.inbound.registry import READERS
from webhooks.json_strict import read_json
from webhooks.reports import Post

MakePost = Callable[..., Post]
AT = datetime(2026, 3, 18, 6, 29, 58, tzinfo=UTC)
BODIES: dict[str, Any] = {
    "aliyun": [
        {
            "phone_number": "13800000000",
            "content": "收到",
            "send_time": "2026-03-18 14:29:58",
            "dest_code": "10690",
            "sequence_id": 1234567890,
        }
    ],
    "tencent": {
        "extend": "10690",
        "mobile": "13800000000",
        "nationcode": "86",
        "sign": "品牌",
        "text": "收到",
        "time": 1773815398,
    },
    "volcengine": [
        {"content": "收到", "mobile": "13800000000", "recv_time": 1773815398000, "ext": "10690"}
    ],
    "qiniu": {
        "items": [
            {
                "mobile": "13800000000",
                "content": "收到",
                "time": 1773815398,
                "dest_code": "10690",
            }
        ]
    },
    "baidu": {
        "mobile": "13800000000",
        "content": "收到",
        "sign": "品牌",
        "receiveTime": "2026-03-18T06:29:58Z",
        "userExtId": "10690",
    },
}


@pytest.mark.parametrize("name", BODIES)
def test_reply_of_each_cloud_is_read(
    make_post: MakePost, read_one: Callable[..., Any], name: str
) -> None:
    report = read_one(name, make_post(json_body=BODIES[name]))
    assert (report.text, report.sender) == ("收到", "13800000000")
    assert (report.receiver, report.claimed_at) == ("10690", AT)


def test_own_ids_tell_replies_apart(make_post: MakePost, read_one: Callable[..., Any]) -> None:
    number = read_one("aliyun", make_post(json_body=BODIES["aliyun"]))
    text = [{**BODIES["aliyun"][0], "sequence_id": "1234567890"}]
    other = [{**BODIES["aliyun"][0], "sequence_id": "1234567891"}]
    assert number.message_id == read_one("aliyun", make_post(json_body=text)).message_id
    assert number.message_id != read_one("aliyun", make_post(json_body=other)).message_id


def test_clouds_hear_their_own_success() -> None:
    assert read_json(READERS["aliyun"].reply.body)["code"] == 0
    assert read_json(READERS["tencent"].reply.body) == {"result": 0, "errmsg": "OK"}
    assert {READERS[name].reply.status for name in BODIES} == {200}


def test_status_reports_carry_no_report(make_post: MakePost) -> None:
    body = [{"user_receive_time": "2026-03-18 14:29:58", "report_status": "SUCCESS"}] * 100
    assert READERS["tencent"].read(make_post(json_body=body), {}) == []


@pytest.mark.parametrize(
    "body", ["text", 5, [1], {"items": [None]}, [[]], [{"content": "x"}] * 1001]
)
def test_other_shapes_are_refused(make_post: MakePost, body: Any) -> None:
    with pytest.raises(PayloadError):
        READERS["qiniu"].read(make_post(json_body=body), {})
