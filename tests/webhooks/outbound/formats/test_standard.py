"""Standard Webhooks out: the reference library reads it, every status is judged."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import time_machine
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook

from webhooks import signing
from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.formats.base import EndpointConfig
from webhooks.outbound.formats.standard import StandardFormat
from webhooks.outbound.sender import HttpSender
from webhooks.outbound.sending import Answer

FORMAT = StandardFormat()
Make = Callable[..., Any]


def test_reference_library_verifies_what_arrives(
    httpserver: HTTPServer, hostile_message: Message, make_config: Make, secret: str, now: datetime
) -> None:
    httpserver.expect_request("/hook").respond_with_data("", status=204)
    config = make_config(httpserver.url_for("/hook"))
    answer = HttpSender(policy=AddressPolicy(allowed=("127.0.0.1",))).send(
        FORMAT.render(hostile_message, config, now)
    )
    FORMAT.judge(answer, now)
    arrived = httpserver.log[0][0]
    with time_machine.travel(now, tick=False):
        body = Webhook(secret).verify(arrived.data, dict(arrived.headers))
    assert body["type"] == "incident.opened"
    assert body["timestamp"] == "2026-03-18T06:30:00Z"


def test_both_live_secrets_sign(make_message: Make, secret: str, now: datetime) -> None:
    other = signing.new_secret()
    config = EndpointConfig(url="https://receiver.example/", secrets=(secret, other))
    request = FORMAT.render(make_message(), config, now)
    for one in (secret, other):
        assert signing.verify([one], request.headers, request.body, now) == "msg_1"


def test_id_stays_over_attempts(make_message: Make, make_config: Make, now: datetime) -> None:
    first = FORMAT.render(make_message(), make_config(), now)
    later = FORMAT.render(make_message(), make_config(), now.replace(hour=9))
    assert first.headers["webhook-id"] == later.headers["webhook-id"] == "msg_1"
    assert first.headers["webhook-timestamp"] != later.headers["webhook-timestamp"]


def test_cloudevents_headers_stand_beside(
    make_message: Make, make_config: Make, now: datetime
) -> None:
    config = make_config(cloud_source="https://canary.example")
    headers = FORMAT.render(make_message(), config, now).headers
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-id"] == "msg_1"


@pytest.mark.parametrize("secrets", [(), ("whsec_***",)])
def test_unusable_secret_is_permanent(
    make_message: Make, now: datetime, secrets: tuple[str, ...]
) -> None:
    config = EndpointConfig(url="https://receiver.example/", secrets=secrets)
    with pytest.raises(DeliveryError) as failure:
        FORMAT.render(make_message(), config, now)
    assert failure.value.permanent


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_taken(status: int, now: datetime) -> None:
    assert FORMAT.judge(Answer(status=status), now) is None


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, True) for status in (400, 401, 404, 410)),
        *((status, False) for status in (301, 302, 408, 425, 429, 500, 502, 503)),
    ],
)
def test_failures_are_told_apart(status: int, permanent: bool, now: datetime) -> None:
    with pytest.raises(DeliveryError) as failure:
        FORMAT.judge(Answer(status=status, body=b"why\x00\xff"), now)
    assert failure.value.permanent is permanent
    assert failure.value.answer == "why \ufffd"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("1.5", 1.5),
        ("Wed, 18 Mar 2026 06:31:00 GMT", 60.0),
        ("Wed, 18 Mar 2026 06:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
        ("١٢", None),
    ],
)
def test_retry_after_is_read(header: str, seconds: float | None, now: datetime) -> None:
    with pytest.raises(DeliveryError) as failure:
        FORMAT.judge(Answer(status=503, headers={"retry-after": header}), now)
    assert failure.value.retry_after == seconds
