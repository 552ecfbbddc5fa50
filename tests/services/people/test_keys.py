"""Keys of programs: shown once, kept as digests, ended at once."""

from datetime import timedelta

import pytest

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.people.keys import (
    Caller,
    Scope,
    create_key,
    find_caller,
    list_keys,
    revoke_key,
)
from canary.storage.tables import ApiKey
from tests.factories import Office


def make(office: Office, scopes: tuple[str, ...] = ("inbox:read",), days: int | None = None) -> str:
    now = office.clock()
    with office.database.write() as session:
        return create_key(
            session,
            name="crawler",
            scopes=scopes,
            expires_at=now + timedelta(days=days) if days is not None else None,
            actor="admin",
            now=now,
        )


def find(office: Office, shown: str) -> Caller | None:
    return find_caller(office.database, shown, office.clock())


def test_key_opens_its_scopes(office: Office) -> None:
    caller = find(office, make(office, ("sightings:read", "inbox:read", "inbox:read")))
    assert caller
    assert caller.scopes == {Scope.INBOX_READ, Scope.SIGHTINGS_READ}
    assert caller.name == "crawler"


def test_secret_is_not_kept(office: Office) -> None:
    shown = make(office)
    row = office.only(ApiKey)
    assert row.ref in shown
    assert shown.split("_", 2)[2].encode() not in row.digest
    assert len(row.digest) == 32


@pytest.mark.parametrize("other", ["", "wck_", "wck_K-AAAAAAAAAA_x", "x" * 5000, "\ud800"])
def test_other_key_opens_nothing(office: Office, other: str) -> None:
    make(office)
    assert find(office, other) is None


def test_key_ends_at_its_time(office: Office) -> None:
    shown = make(office, days=1)
    office.clock.move(timedelta(days=1))
    assert find(office, shown) is None


def test_revoked_key_opens_nothing(office: Office) -> None:
    shown = make(office)
    ref = office.only(ApiKey).ref
    with office.database.write() as session:
        revoke_key(session, ref, actor="admin", now=office.clock())
    assert find(office, shown) is None
    with office.database.write() as session, pytest.raises(Conflict):
        revoke_key(session, ref, actor="admin", now=office.clock())


def test_unknown_key_cannot_be_revoked(office: Office) -> None:
    with office.database.write() as session, pytest.raises(NotFound):
        revoke_key(session, "K-AAAAAAAAAA", actor="admin", now=office.clock())


@pytest.mark.parametrize("scopes", [(), ("everything",), ("inbox:read", "x")])
def test_unknown_scope_is_refused(office: Office, scopes: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        make(office, scopes)


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_impossible_end_is_refused(office: Office, days: int) -> None:
    with pytest.raises(Invalid):
        make(office, days=days)


def test_use_is_noted_each_minute(office: Office) -> None:
    shown, first = make(office), office.clock()
    for _ in range(3):
        find(office, shown)
    assert office.only(ApiKey).last_used_at == first
    office.clock.move(timedelta(minutes=2))
    find(office, shown)
    assert office.only(ApiKey).last_used_at == first + timedelta(minutes=2)


def test_list_tells_the_state(office: Office) -> None:
    make(office, days=1)
    make(office)
    office.clock.move(timedelta(days=2))
    with office.database.read() as session:
        assert [line.state for line in list_keys(session, office.clock())] == ["live", "expired"]
