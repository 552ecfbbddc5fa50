"""Posts from many threads are committed together, and each is judged alone."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event

from canary.services.inbox.accepting import Acceptor
from canary.services.inbox.intake import Parcel, find_reporter
from canary.services.inbox.reporters import rotate_secret, switch_reporter
from canary.storage.tables import InboxPost, Reporter
from tests.factories import Office, listing
from webhooks.errors import InboxBusy, InboxConflict, InboxStale
from webhooks.signing import new_secret


@pytest.fixture
def acceptor(office: Office) -> Acceptor:
    return Acceptor(office.database, office.vault)


def take_all(acceptor: Acceptor, parcels: list[Parcel], threads: int = 8) -> list[bool]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(acceptor.accept, parcels))


def test_each_post_is_kept_once(office: Office, acceptor: Acceptor) -> None:
    reporter = office.add_reporter()
    parcels = [office.parcel(reporter, listing("x"), key=f"m{n % 40}") for n in range(60)]
    assert sum(take_all(acceptor, parcels)) == 40
    assert office.count(InboxPost) == 40


def test_posts_that_wait_share_a_commit(office: Office) -> None:
    """While the first commit is held up, the others gather, and one commit takes them all."""
    acceptor = Acceptor(office.database, office.vault)
    reporter = office.add_reporter()
    commits, held, seven = [], threading.Event(), threading.Event()

    @event.listens_for(office.database.engine, "commit")
    def count(connection: object) -> None:
        commits.append(connection)
        if len(commits) == 1:
            held.set()
            assert seven.wait(120)

    parcels = [office.parcel(reporter, listing("x")) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(acceptor.accept, parcels[0])
        assert held.wait(120)
        others = [pool.submit(acceptor.accept, parcel) for parcel in parcels[1:]]
        deadline = time.monotonic() + 100
        while acceptor.gathered < 7 and time.monotonic() < deadline:
            time.sleep(0.001)
        seven.set()
        assert all(one.result(120) for one in (first, *others))
    assert len(commits) == 2


def test_writers_with_the_same_keys_take_turns(office: Office) -> None:
    """Two processes get the same posts in opposite orders."""
    reporter = office.add_reporter()
    doors = [Acceptor(office.database, office.vault) for _ in range(2)]
    parcels = [office.parcel(reporter, listing("x"), key=f"m{n}", body=b"x") for n in range(40)]
    with ThreadPoolExecutor(16) as pool:
        taken = [pool.submit(doors[0].accept, one) for one in parcels]
        taken += [pool.submit(doors[1].accept, one) for one in reversed(parcels)]
    assert sum(one.result() for one in taken) == office.count(InboxPost) == 40


def test_conflict_refuses_only_itself(office: Office, acceptor: Acceptor) -> None:
    reporter = office.add_reporter()
    acceptor.accept(office.parcel(reporter, listing("one"), key="m1"))
    with pytest.raises(InboxConflict):
        acceptor.accept(office.parcel(reporter, listing("two"), key="m1"))
    assert acceptor.accept(office.parcel(reporter, listing("two"), key="m2"))


def test_unwritable_post_takes_no_other_along(office: Office, acceptor: Acceptor) -> None:
    reporter = office.add_reporter()
    good = [office.parcel(reporter, listing("x")) for _ in range(6)]
    bad = office.parcel(987_654, listing("of nobody"))
    with ThreadPoolExecutor(8) as pool:
        taken = [pool.submit(acceptor.accept, one) for one in (*good[:3], bad, *good[3:])]
    failures = [one.exception() for one in taken]
    assert [type(error) for error in failures if error] == [InboxBusy]
    assert office.count(InboxPost) == 6


@pytest.fixture
def proven(office: Office) -> Parcel:
    """Return a parcel proven by what the reporter is known by now."""
    reporter = office.add_reporter("market")
    with office.database.read() as session:
        known = find_reporter(session, office.vault, "market")
    assert known
    return replace(office.parcel(reporter, listing("x")), proof=known.proof)


def test_unchanged_reporter_is_no_obstacle(acceptor: Acceptor, proven: Parcel) -> None:
    assert acceptor.accept(proven)


def test_switched_off_reporter_stores_nothing(
    office: Office, acceptor: Acceptor, proven: Parcel
) -> None:
    with office.database.write() as session:
        switch_reporter(session, "market", active=False, actor="admin", now=office.clock())
    with pytest.raises(InboxStale):
        acceptor.accept(proven)
    assert office.count(InboxPost) == 0


def test_changed_secret_asks_for_new_proof(
    office: Office, acceptor: Acceptor, proven: Parcel
) -> None:
    with office.database.write() as session:
        rotate_secret(
            session, office.vault, "market", new_secret(), actor="admin", now=office.clock()
        )
    with pytest.raises(InboxStale):
        acceptor.accept(proven)


def test_last_post_is_noted(office: Office, acceptor: Acceptor) -> None:
    reporter = office.add_reporter()
    acceptor.accept(office.parcel(reporter, listing("x")))
    assert office.only(Reporter).last_post_at == office.clock()
