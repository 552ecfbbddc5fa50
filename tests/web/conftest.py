"""The application on a fresh database, and somebody signed in."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from canary.services.detection.live import LiveRegister
from canary.storage.session import Database, open_database
from canary.storage.tables import Row
from canary.storage.vault import Vault
from canary.web.app import create_app
from canary.web.parts import WebParts
from tests.fakes import FakeFetcher, FakePoster, FakeSender, make_lookout
from tests.web.building import PASSWORD, Builder, Clock


class EmptyInbox:
    """An inbox that knows no reporter."""

    def find_reporter(self, name: str) -> None:
        return None

    def forget(self, name: str) -> bool:
        return False

    def accept(self, arrival: object) -> None:
        raise AssertionError

    def keep_dead(self, reporter: object, post: object, reason: str, grade: object) -> None:
        raise AssertionError


class Browser:
    """A test client that fills in forms as a browser does."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **more)

    def post(self, path: str, form: str | None = None, **fields: Any) -> TestResponse:
        page = self.get(form or path).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, "the page has no form"
        return self.client.post(path, data={"csrf_token": found[1], **fields})

    def sign_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/sign-in", name=name, password=password)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the tables once; each test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite3"
    opened = open_database(f"sqlite:///{path}")
    Row.metadata.create_all(opened.engine)
    opened.close()
    return path


@pytest.fixture
def database(tmp_path: Path, empty_file: Path) -> Iterator[Database]:
    shutil.copy(empty_file, tmp_path / "test.sqlite3")
    opened = open_database(f"sqlite:///{tmp_path}/test.sqlite3")
    # A test need not survive a power cut; without the waiting it takes half the time.
    event.listen(opened.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    yield opened
    opened.close()


@pytest.fixture
def vault() -> Vault:
    return Vault({"k1": b"k" * 32}, "k1", b"i" * 32)


@pytest.fixture
def build(database: Database, vault: Vault) -> Builder:
    return Builder(database, vault)


@pytest.fixture
def site() -> FakeFetcher:
    return FakeFetcher()


@pytest.fixture
def parts(database: Database, vault: Vault, clock: Clock, site: FakeFetcher) -> WebParts:
    return WebParts(
        database=database,
        vault=vault,
        clock=clock,
        inbox=EmptyInbox(),
        sender=FakeSender(),
        poster=FakePoster(),
        lookout=make_lookout(database, vault, clock, site),
        live=LiveRegister(database, vault, clock),
        session_key=b"s" * 32,
        public_url="http://localhost",
        default_lang="en",
        timezone="Asia/Shanghai",
        max_body=1024 * 1024,
        trusted_proxies=0,
        alive=lambda: {"jobs": True},
    )


@pytest.fixture
def app(parts: WebParts) -> Flask:
    return create_app(parts)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def as_role(app: Flask, build: Builder) -> Callable[..., Browser]:
    """Give a browser in which somebody of this role is signed in already, without hashing."""

    def sign_in(role: str, **more: Any) -> Browser:
        browser = Browser(app)
        reference = build.signed_in(f"the-{role}", role, **more)
        with browser.client.session_transaction() as session:
            session["ref"] = reference
        return browser

    return sign_in


@pytest.fixture
def analyst(as_role: Callable[..., Browser]) -> Browser:
    return as_role("analyst")
