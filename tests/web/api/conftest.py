"""The API in a test client, and keys for it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canary.services.people.keys import Scope, create_key
from canary.web.parts import WebParts


@pytest.fixture
def make_key(parts: WebParts) -> Callable[..., str]:
    def make(*scopes: str, days: int = 1) -> str:
        now = parts.clock()
        with parts.database.write() as session:
            return create_key(
                session,
                name="crawler",
                scopes=scopes or [scope.value for scope in Scope],
                expires_at=now + timedelta(days=days),
                actor="admin",
                now=now,
            )

    return make


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def headers(make_key: Callable[..., str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key()}"}
