"""What holds for every format: hostile words stay words, and the exact call is on file.

To write the files anew after a wanted change: `GOLDEN=write pytest <this file>`, then read the
difference.
"""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.outbound.formats.base import EndpointConfig
from webhooks.outbound.registry import FORMATS
from webhooks.outbound.sending import Answer, Request

GOLDEN = Path(__file__).parent / "golden"
Make = Callable[..., Any]
OPTIONS = {
    "chat_id": "-1001",
    "from": "canary@ours.example",
    "to": ["team@ours.example"],
    "user": "canary",
}
CHATS = ["dingtalk", "feishu", "wecom", "slack", "telegram"]


def render(name: str, message: Message, now: datetime) -> Request:
    config = EndpointConfig(
        url="https://receiver.example",
        secrets=("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
        options=OPTIONS,
    )
    return FORMATS[name].render(message, config, now)


def shown(request: Request) -> str:
    headers = "".join(f"{name}: {value}\n" for name, value in sorted(request.headers.items()))
    body = request.body.decode()
    if body.startswith("{"):
        body = json.dumps(json.loads(body), ensure_ascii=False, indent=1)
    return f"{request.method} {request.url}\n{headers}\n{body}\n"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("case", ["plain", "hostile"])
def test_call_is_as_on_file(
    name: str, case: str, make_message: Make, hostile_message: Message, now: datetime
) -> None:
    message = make_message() if case == "plain" else hostile_message
    text = shown(render(name, message, now)).replace("\r\n", "\n")
    file = GOLDEN / f"{name}-{case}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHATS)
def test_no_chat_gets_live_links_or_mentions(
    name: str, hostile_message: Message, now: datetime
) -> None:
    text = shown(render(name, hostile_message, now))
    assert "://evil" not in text
    assert "evil.example" not in text
    assert "@" not in text
    assert text.count("https://canary.example/incidents/INC-42") == 1


# Standard and Splunk carry the data itself, in JSON, for programs.
@pytest.mark.parametrize("name", [n for n in FORMATS if n not in ("standard", "splunk")])
def test_no_format_sends_invisible_characters(
    name: str, hostile_message: Message, now: datetime
) -> None:
    body = render(name, hostile_message, now).body.decode().removeprefix("\ufeff")
    assert not [char for char in body if char in "\x00\x1b\u202e\u200b"]


@pytest.mark.parametrize("name", FORMATS)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=30,
)
@given(
    text=st.text(max_size=200),
    number=st.integers() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_words_can_be_told(name: str, text: str, number: Any, make_message: Make) -> None:
    message = make_message(title=text, lines=[text, text], url=text, venue=text, source=text)
    odd = make_message(title=number, lines=text, url=number, count=number, link=text, severity=[])
    for one in (message, odd):
        request = render(name, one, message.occurred_at)
        request.body.decode()
        assert not [value for value in request.headers.values() if "\n" in value]


def test_message_that_is_no_json_is_permanent(make_message: Make, now: datetime) -> None:
    with pytest.raises(DeliveryError) as failure:
        render("standard", make_message(count=float("nan")), now)
    assert failure.value.permanent


@pytest.mark.parametrize("name", FORMATS)
def test_bare_message_can_be_told(name: str, now: datetime) -> None:
    message = Message(id="msg_2", type="reporter.silent", occurred_at=now, lang="en")
    assert render(name, message, now).body


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "cef"])
@given(body=st.binary(max_size=60), status=st.integers(100, 599))
def test_any_answer_is_judged(name: str, body: bytes, status: int) -> None:
    now = datetime.fromisoformat("2026-03-18T06:30:00+00:00")
    for answer in (
        Answer(status=status, body=body),
        Answer(status=status, body=b'{"code":false,"errcode":"0","ok":1,"parameters":[]}'),
        Answer(status=status, body=b'{"code":[],"errcode":{},"failure_count":"x"}'),
        Answer(status=status, body=b"[" * 500),
    ):
        try:
            FORMATS[name].judge(answer, now)
        except DeliveryError:
            continue
        assert 200 <= status < 300


@pytest.mark.parametrize("name", FORMATS)
def test_format_is_named_as_registered(name: str) -> None:
    assert FORMATS[name].name == name


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in FORMATS
        if n not in ("dingtalk", "feishu", "wecom", "slack", "cef", "mail", "stix")
    ],
)
def test_missing_secret_is_permanent(name: str, make_message: Make, now: datetime) -> None:
    config = EndpointConfig(url="https://receiver.example", options=OPTIONS)
    with pytest.raises(DeliveryError) as failure:
        FORMATS[name].render(make_message(), config, now)
    assert failure.value.permanent
