"""What holds for every reader, whatever a stranger sends."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.registry import READERS
from webhooks.json_strict import read_json
from webhooks.reports import Post

MakePost = Callable[..., Post]
FIXTURES_ARE_STATELESS = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=40,
    deadline=None,
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "content",
                    "text",
                    "from",
                    "data",
                    "payload",
                    "message",
                    "type",
                    "items",
                    "event",
                    "kind",
                    "part",
                    "id",
                    "body",
                    "timestamp",
                    "title",
                    "attachments",
                    "msgtype",
                    "msg_type",
                    "sign",
                    "obj",
                    "matches",
                    "receivedAt",
                    "sender",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
CONTENT_TYPES = st.sampled_from(
    [
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain; charset=gbk",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/html; charset=klingon",
        "application/octet-stream",
    ]
)


def try_everything(post: Post, name: str, now: datetime) -> None:
    reader = READERS[name]
    with pytest.raises(SignatureError):
        reader.authenticate(post, ["a secret nobody knows"], now)
    with suppress(PayloadError):
        reader.read(post, {})
        reader.message_id(post)


@pytest.mark.parametrize("name", READERS)
@FIXTURES_ARE_STATELESS
@given(body=st.binary(max_size=200), kind=CONTENT_TYPES, query=st.text(max_size=30))
def test_any_bytes_raise_only_own_errors(
    make_post: MakePost, now: datetime, name: str, body: bytes, kind: str, query: str
) -> None:
    try_everything(make_post(body, content_type=kind, query=query), name, now)


@pytest.mark.parametrize("name", READERS)
@FIXTURES_ARE_STATELESS
@given(value=JSON_VALUES)
def test_any_json_raises_only_own_errors(
    make_post: MakePost, now: datetime, name: str, value: Any
) -> None:
    try_everything(make_post(json_body=value), name, now)


@pytest.mark.parametrize("name", READERS)
@FIXTURES_ARE_STATELESS
@given(st.dictionaries(st.sampled_from(["from", "content", "sign", "timestamp"]), st.text()))
def test_any_form_raises_only_own_errors(
    make_post: MakePost, now: datetime, name: str, form: dict[str, str]
) -> None:
    form = {key: value.encode("utf-8", "replace").decode() for key, value in form.items()}
    try_everything(make_post(form=form), name, now)


@pytest.mark.parametrize("name", READERS)
def test_reader_is_named_as_registered(name: str) -> None:
    assert READERS[name].name == name
    assert READERS[name].methods <= {"GET", "POST", "PUT", "PATCH"}


@pytest.mark.parametrize("name", READERS)
def test_reply_is_what_it_says(name: str) -> None:
    reply = READERS[name].reply
    assert 200 <= reply.status < 300
    if reply.content_type == "application/json":
        read_json(reply.body)
