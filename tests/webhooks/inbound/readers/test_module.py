"""4G modules: every robot's shape, the module's own lines, both signs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import pytest

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.readers.module import ModuleReader
from webhooks.json_strict import read_json
from webhooks.reports import Post, Report

READER = ModuleReader()
AT = datetime.fromtimestamp(1_700_000_000, UTC)
MakePost = Callable[..., Post]
ReadOne = Callable[..., Report]
AIR780E = (
    "您的快递78901已破损\n\n发件号码: 10690000\n发件时间: 2026/03/18 14:29:58\n#SMS\n\n"
    "本机号码: +8613900000000\n开机时长: 3天\n运营商: 中国移动\n信号: -63dBm\n重发次数: 2"
)
UART = "您的快递78901已破损\n----\n来自: 10690000\n时间: 2026-03-18 14:29:58"
SHAPES: list[Any] = [
    {"msgtype": "text", "text": {"content": AIR780E}},
    {"msg_type": "text", "content": {"text": AIR780E}},
    {"msgtype": "markdown", "markdown": {"content": AIR780E}},
    {"text": AIR780E},
    {"content": AIR780E},
    {"title": "t", "desp": AIR780E},
    {"title": "t", "message": AIR780E},
    {"chat_id": 1, "text": AIR780E},
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(shape))
def test_every_robot_shape_is_read(make_post: MakePost, read_one: ReadOne, shape: Any) -> None:
    report = read_one("module", make_post(json_body=shape))
    assert report.text == "您的快递78901已破损"
    assert (report.sender, report.receiver) == ("10690000", "13900000000")
    assert report.claimed_at == datetime(2026, 3, 18, 6, 29, 58, tzinfo=UTC)


def test_uart_layout_is_opened(make_post: MakePost, read_one: ReadOne) -> None:
    report = read_one("module", make_post(form={"content": UART}))
    assert (report.text, report.sender) == ("您的快递78901已破损", "10690000")


def test_label_inside_message_stays(make_post: MakePost, read_one: ReadOne) -> None:
    text = "本机号码: 13900000001 出售\n联系QQ"
    assert read_one("module", make_post(json_body={"text": text})).text == text


def test_message_of_labels_alone_stays(make_post: MakePost, read_one: ReadOne) -> None:
    text = "时间: 明天"
    assert read_one("module", make_post(json_body={"text": text})).text == text


def test_resend_after_power_cut_keeps_key(make_post: MakePost, read_one: ReadOne) -> None:
    first = read_one("module", make_post(json_body={"text": AIR780E}))
    again = read_one("module", make_post(json_body={"text": AIR780E + "\n#FSKV"}))
    assert first.message_id == again.message_id != ""


def test_custom_template_follows_map(make_post: MakePost, read_one: ReadOne) -> None:
    post = make_post(json_body={"d": {"m": "text", "n": "95001"}}, query="device=m1")
    report = read_one(
        "module", post, fields={"text": "d.m", "sender": "d.n"}, receivers={"m1": "13900000000"}
    )
    assert (report.text, report.sender, report.receiver) == ("text", "95001", "13900000000")


def test_dingtalk_sign_in_query_proves(make_post: MakePost) -> None:
    sign = quote_plus("lOvVf9TQCVugV68mGbSZCg0gzOl1SVjxWi1MyVZCUuA=")
    post = make_post(json_body=SHAPES[0], query=f"timestamp=1700000000000&sign={sign}")
    assert READER.authenticate(post, ["SECdemo"], AT) == "weak"
    with pytest.raises(SignatureError):
        READER.authenticate(post, ["SECother"], AT)


def test_feishu_sign_in_body_proves(make_post: MakePost) -> None:
    sign = "8oT2n3SMKFfEnDoiwer8BUM/SjKLwe9SqoEIHlhDTKo="
    post = make_post(json_body={**SHAPES[1], "timestamp": "1700000000", "sign": sign})
    assert READER.authenticate(post, ["demo"], AT) == "weak"
    with pytest.raises(SignatureError, match="stale"):
        READER.authenticate(post, ["demo"], AT.replace(year=2024))


def test_reply_satisfies_both_robots() -> None:
    reply = read_json(READER.reply.body)
    assert reply["errcode"] == reply["code"] == 0


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": {"content": 5.5, "x": []}, "a": 1}])
def test_posts_without_text_are_refused(make_post: MakePost, body: Any) -> None:
    if body.get("text") and body["text"].get("content"):
        body = {"text": {"content": []}}
    with pytest.raises(PayloadError):
        READER.read(make_post(json_body=body), {})
