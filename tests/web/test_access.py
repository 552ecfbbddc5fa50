"""Signing in: what opens, what throttles, what ends."""

from datetime import timedelta

import pytest

from canary.domain.errors import Conflict, Forbidden, Invalid
from canary.services.access import (
    IDLE,
    WHOLE,
    create_user,
    draw_password,
    find_viewer,
    sign_in,
    sign_out,
)
from canary.services.passwords import check_password
from canary.services.people.signins import change_password, end_sign_ins
from canary.storage.tables import User
from tests.web.building import NOW, PASSWORD


@pytest.fixture
def lin(build):
    return build.user("lin")


def try_in(database, password, now=NOW, name="lin"):
    return sign_in(database, name=name, password=password, now=now)


def test_right_password_opens_a_sign_in(database, lin):
    viewer = find_viewer(database, try_in(database, PASSWORD), NOW)
    assert (viewer.name, viewer.role) == ("lin", "analyst")


def test_stored_reference_is_only_a_digest(database, lin, tmp_path):
    reference = try_in(database, PASSWORD)
    database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("test.sqlite3*"))
    assert reference.encode() not in stored
    assert PASSWORD.encode() not in stored


def test_unknown_name_answers_like_wrong_password(database, lin):
    with pytest.raises(Forbidden) as wrong:
        try_in(database, "something else")
    with pytest.raises(Forbidden) as unknown:
        try_in(database, "something else", name="nobody")
    assert str(wrong.value) == str(unknown.value)


def test_five_failures_make_it_wait(database, lin):
    for _ in range(5):
        with pytest.raises(Forbidden):
            try_in(database, "wrong")
    with pytest.raises(Forbidden):
        try_in(database, PASSWORD)
    assert try_in(database, PASSWORD, NOW + timedelta(seconds=1))


def test_waiting_doubles_up_to_a_quarter_hour(database, lin, build):
    now, waits = NOW, []
    for _ in range(20):
        with pytest.raises(Forbidden):
            try_in(database, "wrong", now)
        with build.open() as session:
            until = session.get_one(User, 1).refused_until
        waits.append((until - now).total_seconds() if until else 0)
        now = until or now
    assert waits[4:9] == [1, 2, 4, 8, 16]
    assert waits[-1] == 900


def test_refused_attempt_is_not_counted(database, lin, build):
    for _ in range(5):
        with pytest.raises(Forbidden):
            try_in(database, "wrong")
    for _ in range(30):
        with pytest.raises(Forbidden):
            try_in(database, "wrong")
    with build.open() as session:
        assert session.get_one(User, 1).failed_sign_ins == 5


def test_success_forgets_the_failures(database, lin, build):
    for _ in range(4):
        with pytest.raises(Forbidden):
            try_in(database, "wrong")
    try_in(database, PASSWORD)
    with build.open() as session:
        assert session.get_one(User, 1).failed_sign_ins == 0


def test_idle_sign_in_ends(database, lin):
    reference = try_in(database, PASSWORD)
    assert find_viewer(database, reference, NOW + IDLE) is not None
    assert find_viewer(database, reference, NOW + 3 * IDLE) is None


def test_busy_sign_in_ends_after_twelve_hours(database, lin):
    reference = try_in(database, PASSWORD)
    now = NOW
    while now < NOW + WHOLE - IDLE:
        now += IDLE
        assert find_viewer(database, reference, now) is not None
    assert find_viewer(database, reference, NOW + WHOLE) is None


def test_signed_out_reference_opens_nothing(database, lin):
    reference = try_in(database, PASSWORD)
    sign_out(database, find_viewer(database, reference, NOW), NOW)
    assert find_viewer(database, reference, NOW) is None


def test_switched_off_user_is_out_at_once(database, lin, build):
    reference = try_in(database, PASSWORD)
    with database.write() as session:
        session.get_one(User, 1).is_active = False
    assert find_viewer(database, reference, NOW) is None
    with pytest.raises(Forbidden):
        try_in(database, PASSWORD)


def test_new_password_ends_other_sign_ins(database, lin):
    other = try_in(database, PASSWORD)
    mine = try_in(database, PASSWORD)
    viewer = find_viewer(database, mine, NOW)
    change_password(database, viewer, old=PASSWORD, new="green boats under bridges", now=NOW)
    assert find_viewer(database, other, NOW) is None
    assert find_viewer(database, mine, NOW) is not None


def test_wrong_old_password_changes_nothing(database, lin):
    viewer = find_viewer(database, try_in(database, PASSWORD), NOW)
    with pytest.raises(Forbidden):
        change_password(database, viewer, old="wrong", new="green boats under bridges", now=NOW)
    assert try_in(database, PASSWORD)


def test_ending_sign_ins_ends_them_all(database, lin):
    references = [try_in(database, PASSWORD) for _ in range(3)]
    with database.write() as session:
        assert end_sign_ins(session, name="lin", actor="admin", now=NOW) == 3
    assert all(find_viewer(database, reference, NOW) is None for reference in references)


def test_taken_name_is_a_conflict(build, lin):
    with pytest.raises(Conflict):
        build.user("lin")


@pytest.mark.parametrize(
    ("name", "role"), [("", "analyst"), ("a\u202eb", "analyst"), ("x" * 121, "analyst"), ("a", "x")]
)
def test_unusable_user_is_refused(database, name, role):
    with pytest.raises(Invalid), database.write() as session:
        create_user(session, name=name, password=PASSWORD, role=role, now=NOW)


def test_partner_needs_a_source(build):
    with pytest.raises(Invalid):
        build.user("p", "partner")


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 129,
        "password1234",
        "P@ssw0rd!!!!",
        "aaaaaaaaaaaa",
        "qwertyuiop12",
        "canary-waybill",
        "lin-wei-2026!",
        "111222333444",
    ],
)
def test_poor_password_is_refused(password):
    with pytest.raises(Invalid):
        check_password(password, words=("lin-wei",))


@pytest.mark.parametrize("password", [PASSWORD, "三只白鹭飞过秋天的江面去", "xK9#mQ2$vL7@"])
def test_good_password_is_taken(password):
    check_password(password, words=("lin",))


def test_one_time_passwords_differ():
    assert len({draw_password() for _ in range(50)}) == 50
