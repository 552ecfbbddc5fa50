"""Reports and posts as values."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.errors import PayloadError
from webhooks.reports import Part, Post, Report, ReportKind, TimeBasis

FULL = Report(
    kind=ReportKind.SMS,
    text="您的快递 78901",
    sender="10690000",
    claimed_at=datetime(2026, 3, 18, tzinfo=UTC),
    time_basis=TimeBasis.STATED,
    part=Part(reference="7", number=1, total=2),
    details={"app": "x"},
)


def test_report_survives_its_json() -> None:
    assert Report.from_json(FULL.to_json()) == FULL


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_text_survives_its_json(text: str, name: str) -> None:
    report = Report(kind=ReportKind.LISTING, text=text, details={name: text})
    assert Report.from_json(report.to_json()) == report


def test_unstorable_characters_are_replaced() -> None:
    report = Report(kind=ReportKind.LISTING, text="a\x00b\ud800c", details={"k\x00": "\udfff"})
    assert report.text == "a\ufffdb\ufffdc"
    assert report.details == {"k\ufffd": "\ufffd"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"kind":"sms"}',
        '{"kind":"x","text":""}',
        "[" * 9000,
        '{"kind":"sms","text":"a","part":3}',
        '{"kind":"sms","text":"a","nonsense":1}',
        '{"kind":"sms","text":"a","claimed_at":"never"}',
        '{"kind":"sms","text":5}',
    ],
)
def test_damaged_json_raises_payload_error(text: str) -> None:
    with pytest.raises(PayloadError):
        Report.from_json(text)


@pytest.mark.parametrize("secret", ["s3cret", "s3 cret/é"])
def test_stored_post_carries_no_secrets(secret: str) -> None:
    post = Post(
        method="POST",
        url="https://canary.example" + quote(f"/hooks/phone/{secret}") + "?x=1",
        headers={"authorization": "Bearer s3", "x-telegram-bot-api-secret-token": "s3"},
        body=b"text",
        remote_address="203.0.113.9",
        received_at=datetime(2026, 3, 18, tzinfo=UTC),
        path_secret=secret,
    )
    assert "s3" not in repr(post.without_secrets())
    assert post.without_secrets().url == "https://canary.example/hooks/phone/***?x=1"
