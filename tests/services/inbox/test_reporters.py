"""A reporter in use: its secrets are replaced without a gap, and it can be switched off."""

import pytest

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.inbox import reporters
from canary.services.inbox.intake import find_reporter
from canary.storage.tables import AuditEntry, Reporter
from tests.factories import Office
from webhooks.signing import new_secret


@pytest.fixture
def market(office: Office) -> str:
    office.add_reporter("market")
    return "market"


def secrets_of(office: Office, name: str) -> tuple[str, ...]:
    with office.database.read() as session:
        known = find_reporter(session, office.vault, name)
    assert known
    return known.secrets.signing


def rotate(office: Office, name: str, secret: str) -> None:
    with office.database.write() as session:
        reporters.rotate_secret(
            session, office.vault, name, secret, actor="admin", now=office.clock()
        )


def finish(office: Office, name: str) -> None:
    with office.database.write() as session:
        reporters.drop_old_secret(session, office.vault, name, actor="admin", now=office.clock())


def test_both_secrets_live_while_one_is_replaced(office: Office, market: str) -> None:
    old, new = secrets_of(office, market)[0], new_secret()
    rotate(office, market, new)
    assert secrets_of(office, market) == (new, old)
    finish(office, market)
    assert secrets_of(office, market) == (new,)


def test_third_secret_is_refused(office: Office, market: str) -> None:
    rotate(office, market, new_secret())
    with pytest.raises(Conflict):
        rotate(office, market, new_secret())


def test_each_reporter_has_a_heartbeat_of_its_own(office: Office, market: str) -> None:
    office.add_reporter("other")
    phrases = []
    for name in (market, "other"):
        with office.database.read() as session:
            known = find_reporter(session, office.vault, name)
        assert known
        phrases.append(known.secrets.options["heartbeat"])
    assert len(set(phrases)) == 2


def test_only_secret_cannot_be_dropped(office: Office, market: str) -> None:
    with pytest.raises(Conflict):
        finish(office, market)


def test_options_are_kept_beside_secrets(office: Office, market: str) -> None:
    secret = secrets_of(office, market)
    for options in ({"venue": "a", "kind": "sms"}, {"venue": "b"}):
        with office.database.write() as session:
            reporters.set_options(
                session, office.vault, market, options, actor="admin", now=office.clock()
            )
    with office.database.read() as session:
        known = find_reporter(session, office.vault, market)
    assert known
    assert (known.secrets.options["venue"], known.secrets.options["kind"]) == ("b", "sms")
    assert known.secrets.signing == secret


@pytest.mark.parametrize("seconds", [0, -60, 59, 10**9])
def test_impossible_rhythm_is_refused(office: Office, market: str, seconds: int) -> None:
    with office.database.write() as session, pytest.raises(Invalid):
        reporters.set_rhythm(session, market, seconds, actor="admin", now=office.clock())


def test_changes_are_written_down(office: Office, market: str) -> None:
    with office.database.write() as session:
        more = {"actor": "admin", "now": office.clock()}
        reporters.set_rhythm(session, market, 600, **more)
        reporters.switch_reporter(session, market, active=False, **more)
    row = office.only(Reporter)
    assert (row.rhythm_seconds, row.is_active) == (600, False)
    actions = [entry.action for entry in office.rows(AuditEntry)]
    assert actions[-2:] == ["reporter.rhythm", "reporter.switched"]


def test_unknown_reporter_is_told(office: Office) -> None:
    with office.database.write() as session, pytest.raises(NotFound):
        reporters.switch_reporter(session, "x", active=True, actor="a", now=office.clock())
