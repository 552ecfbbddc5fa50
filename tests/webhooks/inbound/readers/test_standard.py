"""Our own signed JSON."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from webhooks.errors import PayloadError, SignatureError
from webhooks.inbound.readers.standard import StandardReader
from webhooks.reports import Post

READER = StandardReader()
MakePost = Callable[..., Post]
ENTRY = {"kind": "listing", "text": "78901234567890 李**"}


def message(**changes: Any) -> dict[str, Any]:
    return {"type": "report", "data": {**ENTRY, **changes}}


def test_all_fields_reach_the_report(make_post: MakePost) -> None:
    body = message(
        venue="resale.example",
        url="http://resale.example/1",
        sender="seller",
        claimed_at="2026-03-18T14:00:00+08:00",
        part={"reference": "7", "number": 2, "total": 3},
        price="0.8",
    )
    (report,) = READER.read(make_post(json_body=body), {})
    assert (report.venue, report.sender) == ("resale.example", "seller")
    assert report.claimed_at == datetime(2026, 3, 18, 6, tzinfo=UTC)
    assert (report.part and report.part.number) == 2
    assert report.details == {"price": "0.8"}


def test_list_of_reports_is_read(make_post: MakePost) -> None:
    body = {"type": "report", "data": [ENTRY, {**ENTRY, "kind": "query_log"}]}
    kinds = [report.kind for report in READER.read(make_post(json_body=body), {})]
    assert kinds == ["listing", "query_log"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "report"},
        {"type": "other", "data": ENTRY},
        {"type": "report", "data": []},
        {"type": "report", "data": [ENTRY] * 1001},
        {"type": "report", "data": "text"},
        {"type": "report", "data": [1]},
        message(text=""),
        message(text=5),
        message(kind="gossip"),
        message(kind=None),
        message(kind=["sms"]),
        message(part=3),
        message(part={"number": 3, "total": 2}),
        message(part={"number": "1", "total": "2"}),
    ],
)
def test_wrong_shapes_raise_payload_error(make_post: MakePost, body: Any) -> None:
    with pytest.raises(PayloadError):
        READER.read(make_post(json_body=body), {})


def test_secret_path_does_not_replace_signature(
    make_post: MakePost, secret: str, now: datetime
) -> None:
    post = make_post(json_body=message(), path_proven=True)
    with pytest.raises(SignatureError):
        READER.authenticate(post, [secret], now)
