"""Inviting people and changing what they may do."""

from datetime import timedelta

import pytest

from canary.domain.errors import Conflict, Forbidden, Invalid, NotFound
from canary.services import access
from canary.services.access import Role
from canary.services.people import accounts
from canary.storage.tables import AuditEntry, Source

PASSWORD = "seven quiet parcels at noon"


@pytest.fixture
def house(office):
    """An installation with an administrator and an analyst."""
    with office.database.write() as session:
        for name, role in (("boss", "admin"), ("lin", "analyst")):
            access.create_user(session, name=name, password=PASSWORD, role=role, now=office.clock())
        now = office.clock()
        session.add(Source(code="HZ", name="杭州", kind="hub", created_at=now, updated_at=now))
    return office


def sign_in(house, name="lin", password=PASSWORD):
    reference = access.sign_in(house.database, name=name, password=password, now=house.clock())
    return access.find_viewer(house.database, reference, house.clock()), reference


def invite(house, name="wu", role="partner", source="HZ"):
    with house.database.write() as session:
        return accounts.invite(
            session, name=name, role=role, source_code=source, actor="boss", now=house.clock()
        )


def accept(house, code, password=PASSWORD):
    with house.database.write() as session:
        return accounts.accept(session, code, password=password, now=house.clock())


def test_invited_partner_joins_with_its_source(house):
    assert accept(house, invite(house)).role is Role.PARTNER
    viewer, _ = sign_in(house, "wu")
    assert (viewer.role, viewer.source_id) == ("partner", 1)


def test_invitation_works_once(house):
    code = invite(house)
    accept(house, code)
    with pytest.raises(NotFound):
        accept(house, code)


def test_invitation_ends_after_three_days(house):
    code = invite(house)
    house.clock.move(accounts.INVITED_FOR + timedelta(seconds=1))
    with pytest.raises(NotFound):
        accept(house, code)


def test_poor_password_leaves_the_invitation_open(house):
    code = invite(house)
    with pytest.raises(Invalid):
        accept(house, code, "short")
    accept(house, code)


def test_withdrawn_invitation_opens_nothing(house):
    code = invite(house)
    with house.database.write() as session:
        accounts.withdraw(session, 1, actor="boss", now=house.clock())
    with pytest.raises(NotFound):
        accept(house, code)


def test_second_invitation_replaces_the_first(house):
    first, second = invite(house), invite(house)
    with pytest.raises(NotFound):
        accept(house, first)
    accept(house, second)


@pytest.mark.parametrize(
    ("name", "role", "source"),
    [("lin", "analyst", None), ("", "analyst", None), ("a", "king", None), ("a", "partner", None)],
)
def test_impossible_invitation_is_refused(house, name, role, source):
    with pytest.raises(Invalid):
        invite(house, name, role, source)


def test_code_is_stored_as_a_digest(house):
    code = invite(house)
    with house.database.read() as session:
        row = session.get_one(accounts.Invitation, 1)
    assert code.encode() not in row.digest
    assert len(row.digest) == 32


def change(house, step, *given, **more):
    with house.database.write() as session:
        return step(session, *given, actor="boss", now=house.clock(), **more)


def test_new_role_ends_the_sign_ins(house):
    _, reference = sign_in(house)
    change(house, accounts.set_role, "lin", "auditor", source_code=None)
    assert access.find_viewer(house.database, reference, house.clock()) is None
    assert sign_in(house)[0].role is Role.AUDITOR


def test_switched_off_user_cannot_sign_in(house):
    change(house, accounts.switch, "lin", active=False)
    with pytest.raises(Forbidden):
        sign_in(house)
    change(house, accounts.switch, "lin", active=True)
    assert sign_in(house)[0] is not None


def test_reset_password_must_be_changed(house):
    password = change(house, accounts.reset_password, "lin")
    with pytest.raises(Forbidden):
        sign_in(house)
    assert sign_in(house, password=password)[0].must_change_password


@pytest.mark.parametrize("step", ["role", "switch", "reset"])
def test_nobody_changes_their_own_rights(house, step):
    steps = {
        "role": lambda: change(house, accounts.set_role, "boss", "analyst", source_code=None),
        "switch": lambda: change(house, accounts.switch, "boss", active=False),
        "reset": lambda: change(house, accounts.reset_password, "boss"),
    }
    with pytest.raises(Conflict):
        steps[step]()


def test_list_shows_roles_and_invitations(house):
    invite(house)
    sign_in(house)
    with house.database.read() as session:
        lines = accounts.list_people(session, house.clock())
        open_now = accounts.list_invitations(session, house.clock())
    assert [(line.name, line.role, line.open_sign_ins) for line in lines] == [
        ("boss", "admin", 0),
        ("lin", "analyst", 1),
    ]
    assert [(one.name, one.source.code) for one in open_now] == [("wu", "HZ")]


def test_changes_are_written_down(house):
    change(house, accounts.set_role, "lin", "auditor", source_code=None)
    with house.database.read() as session:
        entry = session.query(AuditEntry).filter_by(action="user.role_changed").one()
    assert (entry.actor, entry.subject, entry.details) == ("boss", "user/lin", {"role": "auditor"})
