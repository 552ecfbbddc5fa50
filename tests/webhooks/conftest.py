"""Fixtures for the webhooks library: posts, a fake inbox and the receiving routes."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webhooks import signing
from webhooks.errors import InboxConflict, InboxStale, WebhookError
from webhooks.inbound.arrivals import Arrival, Inbox, ReporterAccess
from webhooks.inbound.blueprint import create_blueprint
from webhooks.reports import Grade, Post

NOW = datetime(2026, 3, 18, 6, 30, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def secret() -> str:
    return SECRET


@pytest.fixture
def make_post() -> Callable[..., Post]:
    """Make a post; `form`, `json` or `body` give the body, header names may have any case."""

    def make(
        body: bytes | str = b"",
        *,
        form: dict[str, str] | None = None,
        json_body: Any = None,
        content_type: str = "",
        headers: dict[str, str] | None = None,
        query: str = "",
        **changes: Any,
    ) -> Post:
        if form is not None:
            body, content_type = urlencode(form), "application/x-www-form-urlencoded"
        if json_body is not None:
            body, content_type = json.dumps(json_body), "application/json"
        raw = body.encode() if isinstance(body, str) else body
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if content_type:
            sent.setdefault("content-type", content_type)
        values: dict[str, Any] = {
            "method": "POST",
            "url": "https://canary.example/hooks/phone" + (f"?{query}" if query else ""),
            "headers": sent,
            "body": raw,
            "remote_address": "203.0.113.9",
            "received_at": NOW,
        }
        return Post(**{**values, **changes})

    return make


@pytest.fixture
def sign_headers() -> Callable[..., dict[str, str]]:
    """Return the Standard Webhooks headers of a body, by default signed now."""

    def sign(body: bytes, message_id: str = "msg_1", secret: str = SECRET) -> dict[str, str]:
        return signing.headers([secret], message_id, NOW, body)

    return sign


@dataclass
class FakeInbox(Inbox):
    """Keeps everything in memory; `refusal` is raised instead of keeping.

    `changed` holds reporters that are remembered as they were before.
    """

    reporters: dict[str, ReporterAccess] = field(default_factory=dict)
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    dead: list[tuple[ReporterAccess, Post, str]] = field(default_factory=list)
    refusal: WebhookError | None = None
    changed: dict[str, ReporterAccess] = field(default_factory=dict)

    def find_reporter(self, name: str) -> ReporterAccess | None:
        return self.reporters.get(name)

    def forget(self, name: str) -> bool:
        fresh = self.changed.pop(name, None)
        if fresh is None:
            return False
        self.reporters[name] = fresh
        return True

    def accept(self, arrival: Arrival) -> None:
        if self.refusal:
            raise self.refusal
        if arrival.reporter_id in self.changed:
            raise InboxStale
        first = self.arrivals.setdefault(arrival.key, arrival)
        if first.digest != arrival.digest:
            raise InboxConflict

    def keep_dead(self, reporter: ReporterAccess, post: Post, reason: str, grade: Grade) -> None:
        self.dead.append((reporter, post, reason))

    def add(self, name: str, **values: Any) -> None:
        self.reporters[name] = ReporterAccess(id=name, name=name, **values)


@pytest.fixture
def inbox() -> FakeInbox:
    inbox = FakeInbox()
    inbox.add("ours", format="standard", secrets=(SECRET,))
    return inbox


@pytest.fixture
def client(inbox: FakeInbox) -> Iterator[FlaskClient]:
    app = Flask(__name__)
    app.register_blueprint(
        create_blueprint(
            inbox,
            public_url="https://canary.example",
            max_body=20_000,
            clock=lambda: NOW,
            trusted_proxies=("10.0.0.0/8",),
        )
    )
    with app.test_client() as client:
        yield client
