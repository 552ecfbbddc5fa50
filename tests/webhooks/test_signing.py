"""Standard Webhooks signatures: the vector, the window, rotation, hostile headers."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from webhooks import signing
from webhooks.errors import SignatureError

AT = datetime.fromtimestamp(1614265330, UTC)
SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_vector_of_the_specification_holds() -> None:
    assert signing.sign(SECRET, MESSAGE_ID, AT, BODY) == SIGNATURE


def test_time_zone_does_not_change_signature() -> None:
    shanghai = AT.astimezone(timezone(timedelta(hours=8)))
    assert signing.sign(SECRET, MESSAGE_ID, shanghai, BODY) == SIGNATURE


@given(st.binary(min_size=24, max_size=64), st.text(max_size=200))
def test_reference_library_signs_the_same(key: bytes, text: str) -> None:
    secret = signing.new_secret(lambda _: key)
    body = text.encode("utf-8", "replace")
    expected = Webhook(secret).sign("msg_1", AT, body.decode())
    assert signing.sign(secret, "msg_1", AT, body) == expected


@given(st.binary(max_size=300))
def test_signed_message_verifies(body: bytes) -> None:
    headers = signing.headers([SECRET], "msg_1", AT, body)
    assert signing.verify([SECRET], headers, body, AT) == "msg_1"


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_time_within_window_is_taken(seconds: int) -> None:
    headers = signing.headers([SECRET], "msg_1", AT, BODY)
    assert signing.verify([SECRET], headers, BODY, AT + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_time_outside_window_is_refused(seconds: int) -> None:
    headers = signing.headers([SECRET], "msg_1", AT, BODY)
    with pytest.raises(SignatureError, match="stale"):
        signing.verify([SECRET], headers, BODY, AT + timedelta(seconds=seconds))


def test_both_secrets_verify_during_rotation() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    for sender in ([old], [new], [old, new]):
        headers = signing.headers(sender, "msg_1", AT, BODY)
        assert signing.verify([new, old], headers, BODY, AT) == "msg_1"


def test_retired_secret_is_refused() -> None:
    headers = signing.headers([signing.new_secret()], "msg_1", AT, BODY)
    with pytest.raises(SignatureError):
        signing.verify([SECRET], headers, BODY, AT)


def test_no_secret_means_refused() -> None:
    headers = signing.headers([], "msg_1", AT, BODY)
    with pytest.raises(SignatureError):
        signing.verify([], headers, BODY, AT)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_changed_header_is_refused(name: str) -> None:
    headers = signing.headers([SECRET], MESSAGE_ID, AT, BODY)
    headers[name] = headers[name].replace("X", "Y").replace("1", "2")
    with pytest.raises(SignatureError):
        signing.verify([SECRET], headers, BODY, AT)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_each_changed_byte_is_refused(place: int, change: int) -> None:
    headers = signing.headers([SECRET], MESSAGE_ID, AT, BODY)
    changed = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1 :]
    with pytest.raises(SignatureError):
        signing.verify([SECRET], headers, changed, AT)


def test_dot_in_id_is_refused() -> None:
    """Otherwise bytes could move between id, time and body under one signature."""
    headers = signing.headers([SECRET], "a.b", AT, BODY)
    with pytest.raises(SignatureError):
        signing.verify([SECRET], headers, BODY, AT)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_hostile_headers_raise_only_signature_errors(one: str, two: str, three: str) -> None:
    for timestamp in (two, "1614265330", "١٦١٤٢٦٥٣٣٠"):
        headers = {
            "webhook-id": one,
            "webhook-timestamp": timestamp,
            "webhook-signature": three,
        }
        with pytest.raises(SignatureError):
            signing.verify([SECRET], headers, BODY, AT)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", "whsec_é", "whsec_A"])
def test_unusable_secret_raises_signature_error(secret: str) -> None:
    with pytest.raises(SignatureError):
        signing.sign(secret, "msg_1", AT, BODY)


def test_new_secrets_differ_and_carry_prefix() -> None:
    drawn = {signing.new_secret() for _ in range(50)}
    assert len(drawn) == 50
    assert all(one.startswith("whsec_") and len(signing.key_of(one)) == 32 for one in drawn)
