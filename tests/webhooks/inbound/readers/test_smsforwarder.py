"""SmsForwarder: the sign in all its encodings, the modes, the envelope."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.readers.smsforwarder import SmsForwarderReader
from webhooks.reports import Post, Report

READER = SmsForwarderReader()
# The vector of the format's description.
STAMP = "1700000000000"
SIGN = "xfnlAuOK5y01v9a1lNRpnLkBRS0dfla0aOWLQMANQuE="
AT = datetime.fromtimestamp(1_700_000_000, UTC)
MakePost = Callable[..., Post]
DISPLAY = (
    "10690000000\n【某快递】您的快递78901已破损\n双倍理赔加QQ\n"
    "SIM1_中国移动_+8613900000000\nSubId：1\n2026-03-18 14:29:58\nXiaomi 2201"
)


def read_one(post: Post, **options: Any) -> Report:
    (report,) = READER.read(post, options)
    return report


@pytest.mark.parametrize(
    "sign",
    [SIGN, quote_plus(SIGN), quote_plus(quote_plus(SIGN)), quote_plus(SIGN).lower()[:0] + SIGN],
)
@pytest.mark.parametrize("mode", ["form", "json", "query"])
def test_sign_verifies_in_every_encoding(make_post: MakePost, sign: str, mode: str) -> None:
    fields = {"from": "1069", "content": "text", "timestamp": STAMP, "sign": sign}
    posts = {
        "form": make_post(form=fields),
        "json": make_post(json_body=fields),
        "query": make_post(
            query="&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()),
            method="GET",
        ),
    }
    assert READER.authenticate(posts[mode], ["old", "demo"], AT) == "weak"


def test_plus_read_as_space_still_verifies(make_post: MakePost) -> None:
    stamp = next(
        str(1_700_000_000_000 + n) for n in range(200) if "+" in sign_of(str(1_700_000_000_000 + n))
    )
    post = make_post(query=f"content=x&timestamp={stamp}&sign={sign_of(stamp)}", method="GET")
    assert READER.authenticate(post, ["demo"], AT) == "weak"


def sign_of(stamp: str) -> str:
    import base64
    import hashlib
    import hmac

    digest = hmac.new(b"demo", f"{stamp}\ndemo".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize(("seconds", "fine"), [(300, True), (-300, True), (301, False)])
def test_sign_has_a_window(make_post: MakePost, seconds: int, fine: bool) -> None:
    post = make_post(form={"content": "x", "timestamp": STAMP, "sign": SIGN})
    if fine:
        assert READER.authenticate(post, ["demo"], AT + timedelta(seconds=seconds))
    else:
        with pytest.raises(SignatureError):
            READER.authenticate(post, ["demo"], AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sign": SIGN},
        {"timestamp": STAMP},
        {"timestamp": STAMP, "sign": SIGN[:-2]},
        {"timestamp": STAMP, "sign": ""},
        {"timestamp": "1700000000001", "sign": SIGN},
        {"timestamp": "١٧٠٠٠٠٠٠٠٠٠٠٠", "sign": SIGN},
        {"timestamp": STAMP, "sign": "é" * 100},
    ],
)
def test_broken_sign_is_refused(make_post: MakePost, fields: dict[str, str]) -> None:
    post = make_post(form={"content": "x", **fields}, path_proven=True)
    with pytest.raises(SignatureError):
        READER.authenticate(post, ["demo"], AT)


def test_missing_path_outweighs_good_sign(make_post: MakePost) -> None:
    post = make_post(form={"content": "x", "timestamp": STAMP, "sign": SIGN}, path_required=True)
    with pytest.raises(SignatureError):
        READER.authenticate(post, ["demo"], AT)


def test_path_alone_serves_without_secret(make_post: MakePost) -> None:
    post = make_post(form={"content": "x"}, path_required=True, path_proven=True)
    assert READER.authenticate(post, [], AT) == "weak"


def test_basic_credentials_serve_a_text_body(make_post: MakePost) -> None:
    headers = {"Authorization": "Basic Y2FuYXJ5OmRlbW8="}
    post = make_post("x", content_type="text/plain", headers=headers)
    assert READER.authenticate(post, ["demo"], AT) == "weak"


def test_default_display_is_opened(make_post: MakePost) -> None:
    report = read_one(make_post(form={"from": "10690000000", "content": DISPLAY}))
    assert report.text == "【某快递】您的快递78901已破损\n双倍理赔加QQ"
    assert report.sender == "10690000000"
    assert report.receiver == "13900000000"
    assert (report.slot, report.device) == ("1", "Xiaomi 2201")
    assert report.claimed_at == datetime(2026, 3, 18, 6, 29, 58, tzinfo=UTC)
    assert report.time_basis == "assumed_zone"


def test_own_number_never_stays_in_text(make_post: MakePost) -> None:
    """Otherwise each message to a bait phone would be a bait phone on sale."""
    bodies = [
        DISPLAY,
        DISPLAY.replace("\n", "\r\n"),
        DISPLAY.partition("\n")[2],
        "text\nSIM2_联通_13900000000",
        "text\nSIM2_联通_13900000000\n2026-03-18 14:29:58",
        "text\nSIM1：+86 139 0000 0000\nSubId：-1",
    ]
    reports = [read_one(make_post(form={"content": body})) for body in bodies]
    assert not [one for one in reports if "139" in one.text]
    assert {one.receiver for one in reports} == {"13900000000"}


def test_bait_phone_in_message_stays(make_post: MakePost) -> None:
    text = "出售面单\nSIM1_中国移动_+8613900000000\n13900000001 李四"
    report = read_one(make_post(form={"content": text, "from": "1069"}))
    assert report.text == text


def test_untouched_message_is_preferred(make_post: MakePost) -> None:
    report = read_one(make_post(json_body={"content": DISPLAY, "org_content": "just this"}))
    assert report.text == "just this"


def test_json_template_is_read(make_post: MakePost) -> None:
    fields = {
        "from": "+8613800000000",
        "org_content": "a < b & c",
        "card_slot": "SIM2_联通_13900000000",
        "receive_time": "2026-03-18 14:29:58",
        "device_mark": "phone-7",
        "title": "t",
    }
    report = read_one(make_post(json_body=fields))
    assert (report.sender, report.receiver) == ("13800000000", "13900000000")
    assert (report.slot, report.device, report.title) == ("2", "phone-7", "t")


def test_field_map_follows_custom_template(make_post: MakePost) -> None:
    post = make_post(json_body={"payload": {"body": "text", "who": "95xxx"}})
    report = read_one(post, fields={"text": "payload.body", "sender": "payload.who"})
    assert (report.text, report.sender) == ("text", "95xxx")


@pytest.mark.parametrize("key", ["phone-7/2", "phone-7", "/2"])
def test_receiver_comes_from_device_map(make_post: MakePost, key: str) -> None:
    post = make_post(form={"content": "x", "device_mark": "phone-7", "card_slot": "SIM2"})
    assert read_one(post, receivers={key: "13900000000"}).receiver == "13900000000"


def test_text_mode_reads_any_charset(make_post: MakePost) -> None:
    post = make_post(DISPLAY.encode("gb18030"), content_type="text/plain")
    report = read_one(post)
    assert report.text.endswith("双倍理赔加QQ")
    assert report.charset_rung == "gb18030"


def test_get_without_template_is_read(make_post: MakePost) -> None:
    report = read_one(make_post(query="a=b&content=%E5%8D%95%E5%8F%B7", method="GET"))
    assert report.text == "单号"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"from": "10690000", "content": "未接来电的短信"}, "sms"),
        ({"from": "13800000000", "content": "未接来电\n通话时长：0"}, "call"),
        ({"from": "13800000000", "content": "通话类型：未接来电"}, "call"),
        ({"from": "13800000000", "content": "x", "call_type": "3"}, "call"),
        ({"from": "com.tencent.mm", "content": "出售面单"}, "document"),
        ({"from": "JD.COM", "content": "x"}, "sms"),
    ],
)
def test_calls_and_notifications_are_told_apart(
    make_post: MakePost, fields: dict[str, str], kind: str
) -> None:
    assert read_one(make_post(form=fields)).kind == kind


def test_resend_keeps_its_content_key(make_post: MakePost) -> None:
    fields = {"from": "1069", "content": DISPLAY}
    first = read_one(make_post(form={**fields, "timestamp": STAMP}))
    again = read_one(make_post(form={**fields, "timestamp": "1700000999000"}))
    later = read_one(make_post(form={**fields, "content": DISPLAY.replace(":58", ":59")}))
    assert first.message_id == again.message_id != later.message_id


def test_device_local_time_follows_option(make_post: MakePost) -> None:
    post = make_post(form={"content": "x", "receive_time": "2026-03-18 14:29:58"})
    claimed = read_one(post, timezone="Europe/Berlin").claimed_at
    assert claimed == datetime(2026, 3, 18, 13, 29, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    "values",
    [
        {"body": b""},
        {"form": {"from": "1"}},
        {"form": {"content": ""}},
        {"form": {"content": " \n "}},
        {"json_body": []},
        {"json_body": {"content": ["x"]}},
        {"body": b"content=%ff%fe", "content_type": "application/x-www-form-urlencoded"},
        {"body": b"&".join([b"a=1"] * 2000)},
        {"body": b"\x89PNG", "content_type": "image/png"},
        {"body": json.dumps({"content": "x"})[:-1], "content_type": "application/json"},
    ],
)
def test_unreadable_posts_raise_payload_error(make_post: MakePost, values: dict[str, Any]) -> None:
    with pytest.raises(PayloadError):
        READER.read(make_post(**values), {})
