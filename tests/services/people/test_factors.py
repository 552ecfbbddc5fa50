"""The second factor: proved before it counts, each code once, guesses throttled."""

from datetime import timedelta

import pytest

from canary.domain.errors import Conflict, Forbidden, Invalid
from canary.domain.onetime import code_at, step_of
from canary.services import access
from canary.services.people import factors
from canary.storage.tables import AuditEntry, User

PASSWORD = "seven quiet parcels at noon"


def test_change_of_the_demand_is_written_once(office):
    for roles in ((), ("admin",), ("admin",), ("analyst", "admin"), ()):
        factors.note_required(office.database, [access.Role(one) for one in roles], office.clock())
    told = [one.details["roles"] for one in office.rows(AuditEntry)]
    assert told == [["admin"], ["admin", "analyst"], []]


class Desk:
    """Signs one person in and out, with an app that shows codes."""

    def __init__(self, office):
        self.database, self.vault, self.clock = office.database, office.vault, office.clock
        with self.database.write() as session:
            access.create_user(
                session, name="lin", password=PASSWORD, role="analyst", now=self.clock()
            )
        self.secret = b""
        self.recovery = ()

    def sign_in(self, password=PASSWORD):
        reference = access.sign_in(self.database, name="lin", password=password, now=self.clock())
        return access.find_viewer(self.database, reference, self.clock()), reference

    def code(self, ahead=0):
        return code_at(self.secret, step_of(self.clock()) + ahead)

    def wrong_code(self):
        """Return a code that no step near this one has."""
        step = step_of(self.clock())
        live = {code_at(self.secret, step + one) for one in range(-3, 4)}
        return next(code for code in (f"{number:06}" for number in range(8)) if code not in live)

    def enrol(self):
        viewer, _ = self.sign_in()
        with self.database.write() as session:
            self.secret = factors.begin_enrolment(session, self.vault, viewer)
        with self.database.write() as session:
            self.recovery = factors.prove_enrolment(
                session, self.vault, viewer, self.code(), self.clock()
            )
        self.clock.move(timedelta(minutes=1))
        return viewer

    def give(self, viewer, code):
        factors.pass_code(self.database, self.vault, viewer, code, self.clock())


@pytest.fixture
def desk(office):
    return Desk(office)


def test_enrolled_sign_in_awaits_its_code(desk):
    desk.enrol()
    viewer, reference = desk.sign_in()
    assert viewer.awaits_code
    desk.give(viewer, desk.code())
    assert not access.find_viewer(desk.database, reference, desk.clock()).awaits_code


def test_unproved_factor_is_not_asked_for(desk):
    viewer, _ = desk.sign_in()
    with desk.database.write() as session:
        first = factors.begin_enrolment(session, desk.vault, viewer)
    with desk.database.write() as session:
        assert factors.begin_enrolment(session, desk.vault, viewer) == first
    assert not desk.sign_in()[0].awaits_code


def test_wrong_first_code_enrols_nothing(desk):
    viewer, _ = desk.sign_in()
    with desk.database.write() as session:
        desk.secret = factors.begin_enrolment(session, desk.vault, viewer)
    with pytest.raises(Invalid), desk.database.write() as session:
        factors.prove_enrolment(session, desk.vault, viewer, desk.wrong_code(), desk.clock())
    assert not desk.sign_in()[0].has_factor


def test_factor_in_force_is_not_replaced(desk):
    viewer = desk.enrol()
    with pytest.raises(Conflict), desk.database.write() as session:
        factors.begin_enrolment(session, desk.vault, viewer)


def test_code_opens_one_sign_in(desk):
    desk.enrol()
    code = desk.code()
    desk.give(desk.sign_in()[0], code)
    with pytest.raises(Forbidden):
        desk.give(desk.sign_in()[0], code)


def test_recovery_code_works_once(desk):
    desk.enrol()
    typed = desk.recovery[3].upper().replace("-", " ")
    desk.give(desk.sign_in()[0], typed)
    with pytest.raises(Forbidden):
        desk.give(desk.sign_in()[0], typed)


def test_known_password_does_not_free_guesses(desk):
    """Each right password would otherwise forget the wrong codes before it."""
    desk.enrol()
    refused = 0
    for _ in range(4):
        try:
            viewer, _ = desk.sign_in()
        except Forbidden:
            refused += 1
            continue
        with pytest.raises(Forbidden):
            desk.give(viewer, desk.wrong_code())
    assert refused == 1
    with desk.database.read() as session:
        assert session.get_one(User, 1).refused_until > desk.clock()


def test_secret_is_sealed_at_rest(desk):
    desk.enrol()
    with desk.database.read() as session:
        user = session.get_one(User, 1)
    assert desk.secret not in user.sealed_totp
    assert not set(desk.recovery) & set(user.recovery_digests)


def test_removed_factor_is_not_asked_for(desk):
    viewer = desk.enrol()
    with desk.database.write() as session:
        factors.remove_factor(session, name="lin", actor="admin", now=desk.clock())
    assert not desk.sign_in()[0].awaits_code
    with desk.database.write() as session:
        assert factors.begin_enrolment(session, desk.vault, viewer) != desk.secret
