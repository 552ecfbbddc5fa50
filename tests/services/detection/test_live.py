"""The live register: what was issued is found by the next message, in every worker."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from canary.domain.identifiers import BaitValues
from canary.matching.scan import scan_text
from canary.services.detection import live
from canary.services.detection.live import LiveRegister
from canary.services.detection.triage import list_waiting, triage_post
from canary.storage.tables import Bait, Match
from tests.factories import Office, sms


def _open(office: Office, file: Path | None = None) -> LiveRegister:
    return LiveRegister(office.database, office.vault, office.clock, file)


def _finds(office: Office, register: LiveRegister, values: BaitValues) -> bool:
    with office.database.read() as session:
        assert register.catch_up(session)
    return bool(scan_text(f"单号 {values.number} 到", register))


@pytest.fixture
def two(office: Office) -> tuple[LiveRegister, LiveRegister]:
    """Two workers' registers, opened before anything is issued."""
    office.import_sources()
    office.import_phones()
    workers = _open(office), _open(office)
    for one in workers:
        with office.database.read() as session:
            assert one.catch_up(session)
    return workers


def test_bait_issued_now_is_found_by_every_worker(
    office: Office, two: tuple[LiveRegister, LiveRegister]
) -> None:
    office.plant()
    values = office.all_values()
    assert all(_finds(office, one, values[-1]) for one in two)
    assert two[0].size == two[1].size == len(values)


def test_triage_uses_the_live_register(office: Office) -> None:
    office.plant()
    desk = replace(office.desk(), live=_open(office))
    office.post(office.add_reporter(), sms(f"包裹 {office.all_values()[0].number} 已到"))
    with office.database.read() as session:
        (waiting,) = list_waiting(session, office.clock())
    assert triage_post(desk, waiting)
    assert office.count(Match) == 1
    assert desk.live is not None
    assert desk.live.size == office.count(Bait)


def test_row_committed_late_is_taken_in(office: Office) -> None:
    """With PostgreSQL a lower id may become visible after a higher one."""
    office.plant()
    register = _open(office)
    values = office.all_values()
    with office.database.read() as session:
        assert register.catch_up(session)
    first = min(bait.id for bait in office.rows(Bait))
    register._held._forget(first)  # type: ignore[union-attr]  # as if it had not been there
    assert not _finds(office, register, values[0])
    office.clock.move(timedelta(seconds=2))
    assert _finds(office, register, values[0])


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="needs the scan extra")
    monkeypatch.setattr(live, "SMALL", 0)


@pytest.mark.usefixtures("large")
def test_large_register_starts_from_its_file(office: Office, tmp_path: Path) -> None:
    office.plant()
    file = tmp_path / "register.sealed"
    _open(office, file).load()
    values = office.all_values()
    assert (values[0].number or "").encode() not in file.read_bytes()
    again = _open(office, file)
    again.load()
    assert _finds(office, again, values[0])
    office.plant(batch="b2")
    assert _finds(office, again, office.all_values()[-1])


@pytest.mark.usefixtures("large")
def test_file_of_another_state_is_not_used(office: Office, tmp_path: Path) -> None:
    office.plant()
    file = tmp_path / "register.sealed"
    _open(office, file).load()
    office.change(Bait, max(bait.id for bait in office.rows(Bait)), ref="B-OTHER")
    register = _open(office, file)
    with office.database.read() as session:
        assert register._read_file(session) is None
    file.write_bytes(file.read_bytes()[:-1])
    with office.database.read() as session:
        assert register._read_file(session) is None


@pytest.mark.usefixtures("large")
def test_file_far_behind_is_written_anew(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking thousands of baits in one by one would keep the next message waiting."""
    office.plant()
    file = tmp_path / "register.sealed"
    _open(office, file).load()
    before = file.read_bytes()
    office.plant(batch="b2")
    monkeypatch.setattr(live, "FAR", 1)
    _open(office, file).load()
    assert file.read_bytes() != before
    with office.database.read() as session:
        assert _open(office, file)._read_file(session) is not None


@pytest.mark.usefixtures("large")
def test_messages_are_read_while_it_loads(office: Office) -> None:
    office.plant()
    register = _open(office)
    with office.database.read() as session:
        register.catch_up(session)
    assert register._loading is not None
    register._loading.join()
    assert register.is_ready


@pytest.mark.usefixtures("large")
def test_register_without_a_place_for_its_file_is_used(office: Office, tmp_path: Path) -> None:
    office.plant()
    register = _open(office, tmp_path / "missing" / "register.sealed")
    register.load()
    assert _finds(office, register, office.all_values()[0])


@pytest.mark.usefixtures("large")
def test_load_that_fails_is_tried_again_later(office: Office) -> None:
    """Until it succeeds, triage asks the database, message by message."""
    office.plant()
    first = min(bait.id for bait in office.rows(Bait))
    office.change(Bait, first, sealed_values=b"broken")
    register = _open(office)
    for _ in range(2):
        with office.database.read() as session:
            assert not register.catch_up(session)
        loading = register._loading  # the thread itself takes it away when it has failed
        if loading is not None:
            loading.join()
    assert not register.is_ready
    assert register._loading is None
