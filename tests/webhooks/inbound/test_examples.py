"""The example of every sender is taken by its reader: what the set-up pages show works."""

from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from webhooks.inbound.examples import EXAMPLES, Ask, make_example
from webhooks.inbound.proofs import path_secret_digest
from webhooks.inbound.registry import READERS
from webhooks.reports import Report

SIGNING = {
    "standard",
    "smsgateway",
    "httpsms",
    "textbee",
    "twilio",
    "vonage",
    "plivo",
    "messagebird",
    "telegram",
    "mailgun",
}
TEXT = "canary-drill-0123456789abcdef01234567 通路演练"
BASE = "https://canary.example"


def send(client: FlaskClient, name: str, ask: Ask) -> Any:
    example = make_example(name, ask)
    return client.open(
        example.url.removeprefix(BASE),
        method=example.method,
        data=example.body,
        headers=dict(example.headers),
    )


def ask_for(now: datetime, url: str, secret: str, **more: Any) -> Ask:
    return Ask(
        text=TEXT, url=BASE + url, secret=secret, message_id="0123456789abcdef", now=now, **more
    )


def text_of(inbox: Any) -> str:
    (arrival,) = inbox.arrivals.values()
    (report,) = arrival.reports
    assert isinstance(report, Report)
    return report.text


def test_every_reader_has_an_example() -> None:
    assert list(EXAMPLES) == list(READERS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_with_secret_is_taken(
    client: FlaskClient, inbox: Any, now: datetime, secret: str, name: str
) -> None:
    inbox.add("x", format=name, secrets=(secret,))
    answer = send(client, name, ask_for(now, "/hooks/x", secret))
    assert answer.status_code == READERS[name].reply.status, answer.data
    assert TEXT in text_of(inbox)


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - SIGNING))
def test_example_by_secret_path_is_taken(
    client: FlaskClient, inbox: Any, now: datetime, name: str
) -> None:
    inbox.add("x", format=name, path_secret_digest=path_secret_digest("way"))
    answer = send(client, name, ask_for(now, "/hooks/x/way", ""))
    assert answer.status_code == READERS[name].reply.status, answer.data
    assert TEXT in text_of(inbox)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_with_wrong_secret_is_refused(
    client: FlaskClient, inbox: Any, now: datetime, secret: str, name: str
) -> None:
    inbox.add("x", format=name, secrets=(secret,))
    wrong = "whsec_" + "C" * 44
    assert send(client, name, ask_for(now, "/hooks/x", wrong)).status_code == 401


@pytest.mark.parametrize(
    "options", [{"fields": {"text": "data.0.body"}}, {"items": "a.list", "fields": {"text": "b"}}]
)
def test_mapped_example_follows_the_map(
    client: FlaskClient, inbox: Any, now: datetime, secret: str, options: dict[str, Any]
) -> None:
    inbox.add("x", format="mapped", secrets=(secret,), options=options)
    ask = ask_for(now, "/hooks/x", secret, options=options)
    assert send(client, "mapped", ask).status_code == 202
    assert text_of(inbox) == TEXT
