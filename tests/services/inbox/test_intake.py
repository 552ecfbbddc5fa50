"""What is taken in is durable, counted once, and refused only with a reason."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from canary.domain.errors import Conflict, Invalid
from canary.doors import DatabaseInbox
from canary.services.inbox import intake
from canary.services.inbox.intake import accept_post, keep_dead_post
from canary.storage import session
from canary.storage.tables import InboxPost, Reporter
from canary.storage.vault import Vault, sha256
from tests.factories import Office, listing
from tests.fakes import FakeClock
from webhooks.errors import InboxBusy, InboxConflict


def test_replayed_post_is_kept_once(office: Office) -> None:
    reporter = office.add_reporter()
    assert office.post(reporter, listing("单号 1"), key="m1") is True
    assert office.post(reporter, listing("单号 1"), key="m1") is False
    assert office.count(InboxPost) == 1


def test_same_key_with_other_content_conflicts(office: Office) -> None:
    reporter = office.add_reporter()
    office.post(reporter, listing("one"), key="m1")
    with pytest.raises(InboxConflict):
        office.post(reporter, listing("two"), key="m1")
    assert office.count(InboxPost) == 1


def test_two_reporters_may_use_one_key(office: Office) -> None:
    for name in ("first", "second"):
        assert office.post(office.add_reporter(name), listing("x"), key="m1")
    assert office.count(InboxPost) == 2


def test_stored_bytes_open_as_received(office: Office) -> None:
    body = "快递单号\x00\ufffd".encode() + bytes(range(256))
    office.post(office.add_reporter(), listing("x"), body=body)
    post = office.only(InboxPost)
    place = f"inbox.sealed_body|{post.ref}"
    assert office.vault.unseal(place, post.sealed_body) == body
    assert (post.body_sha256, post.body_size) == (sha256(body), len(body))


def test_overload_is_refused_with_429(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "WAITING_LIMIT", 3)
    reporter = office.add_reporter()
    for _ in range(3):
        office.post(reporter, listing("x"))
    with pytest.raises(InboxBusy) as refusal:
        office.post(reporter, listing("x"))
    assert refusal.value.status == 429
    assert refusal.value.retry_after > 0
    assert office.count(InboxPost) == 3


def test_repeat_under_overload_stays_harmless(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "WAITING_LIMIT", 1)
    reporter = office.add_reporter()
    office.post(reporter, listing("x"), key="m1")
    with pytest.raises(InboxBusy):
        office.post(reporter, listing("x"), key="m1")
    office.triage()
    assert office.post(reporter, listing("x"), key="m1") is False


def test_locked_database_answers_503(
    tmp_path: Path, sqlite_template: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process holds the only write lock of SQLite."""
    monkeypatch.setattr(session, "BUSY_TIMEOUT_MS", 50)
    path = shutil.copy(sqlite_template, tmp_path / "canary.sqlite3")
    with closing(session.open_database(f"sqlite:///{path}")) as database:
        office = Office(database=database, vault=vault, clock=FakeClock())
        reporter = office.add_reporter()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(InboxBusy) as refusal:
                office.post(reporter, listing("x"), key="m1")
        assert (refusal.value.status, refusal.value.retry_after) == (503, 2)
        assert office.post(reporter, listing("x"), key="m1") is True


def test_absent_server_answers_503(tmp_path: Path, vault: Vault) -> None:
    url = f"postgresql://canary:hush@/nothing?host={tmp_path}"
    with closing(session.open_database(url)) as database:
        office = Office(database=database, vault=vault, clock=FakeClock())
        with pytest.raises(InboxBusy) as refusal:
            office.post(1, listing("x"))
        door = DatabaseInbox(database=database, vault=vault)
        with pytest.raises(InboxBusy):
            door.find_reporter("market")
    assert refusal.value.status == 503
    assert "hush" not in str(refusal.value)


def test_unreadable_post_is_kept_dead(office: Office) -> None:
    reporter = office.add_reporter()
    post = office.parcel(reporter, body=b"\xff\xfe").post
    for _ in range(2):
        keep_dead_post(office.database, office.vault, reporter, post, "not a text", grade="weak")
    kept = office.only(InboxPost)
    assert (kept.state, kept.failure) == ("dead", "not a text")
    assert office.triage() == 0


def test_dead_letters_do_not_block_the_living(office: Office) -> None:
    reporter = office.add_reporter()
    parcel = office.parcel(reporter, listing("x"), body=b"same bytes")
    keep_dead_post(
        office.database, office.vault, reporter, parcel.post, "unreadable", grade="signed"
    )
    assert accept_post(office.database, office.vault, parcel) is True


def test_post_notes_when_reporter_spoke(office: Office) -> None:
    office.post(office.add_reporter(), listing("x"))
    assert office.only(Reporter).last_post_at == office.clock()


@pytest.mark.parametrize("name", ["", "a b", "a/b", "电商", "x" * 81, "a?b", "..", "-"])
def test_name_must_stand_in_url(office: Office, name: str) -> None:
    with pytest.raises(Invalid, match="address"):
        office.add_reporter(name)
    assert office.count(Reporter) == 0


def test_reporter_name_is_taken_once(office: Office) -> None:
    office.add_reporter("gate")
    with pytest.raises(Conflict, match="already"):
        office.add_reporter("gate")


def test_secrets_open_for_their_reporter(office: Office) -> None:
    office.add_reporter("gate")
    with office.database.read() as rows:
        known = intake.find_reporter(rows, office.vault, "gate")
        assert intake.find_reporter(rows, office.vault, "nobody") is None
    assert known is not None
    assert known.secrets.signing == ("whsec_" + "A" * 44,)
