"""The strict JSON reader."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.errors import PayloadError
from webhooks.json_strict import read_json, read_object

REFUSED = [
    b"",
    b" ",
    b"{",
    b"nul",
    b"NaN",
    b"[Infinity]",
    b"[-Infinity]",
    b"[1e999]",
    b'{"a":1,"a":2}',
    b'[{"b":{"a":1,"\\u0061":2}}]',
    b"9223372036854775808",
    b"-9223372036854775809",
    b"1" * 5000,
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b"[" * 21 + b"]" * 21,
    b'{"a":"\xff"}',
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    b"{'a':1}",
    b'{"a":1,}',
    b'{"a":1} x',
    b'"\x01"',
    b"01",
    b"\x00",
]


@pytest.mark.parametrize("body", REFUSED, ids=lambda body: repr(body[:24]))
def test_doubtful_json_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError):
        read_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[" * 20 + b"]" * 20, json.loads("[" * 20 + "]" * 20)),
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b'"\\u674e"', "李"),
        (b"1.5", 1.5),
        (b"[1,[2],{}]", [1, [2], {}]),
    ],
)
def test_plain_json_is_read(body: bytes, value: object) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"1", b"null", b"true"])
def test_only_an_object_is_an_object(body: bytes) -> None:
    with pytest.raises(PayloadError):
        read_object(body)


@given(st.binary(max_size=200))
def test_any_bytes_read_or_are_refused(body: bytes) -> None:
    try:
        value = read_json(body)
    except PayloadError:
        return
    assert json.loads(body) == value
