"""Baits leave the house with a date, and nobody who held one is cleared by a late word."""

import csv
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from canary.domain.baits import BaitState
from canary.domain.errors import Invalid, NotFound
from canary.services.baits.confirming import find_baits
from canary.services.baits.planting import export_sheets
from canary.services.baits.rotation import list_gaps
from canary.storage.tables import AuditEntry, Bait, Exposure, Placement
from tests.factories import NETWORK, Office, row


@pytest.fixture
def seeded(office: Office) -> Office:
    office.import_sources()
    office.import_phones(20)
    office.seed()
    return office


def read_sheet(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_source_gets_its_own_sheet(seeded: Office, tmp_path: Path) -> None:
    sheets = seeded.hand_over(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"{sheet.source}.csv" for sheet in sheets
    )
    for sheet in sheets:
        numbers = [line["运单号"].lstrip("'") for line in read_sheet(Path(sheet.file))]
        assert numbers == [one.number for one in seeded.values_at(sheet.source)]


def test_controls_stay_at_home(seeded: Office, tmp_path: Path) -> None:
    seeded.hand_over(tmp_path)
    written = "".join(path.read_text("utf-8-sig") for path in tmp_path.iterdir())
    for one in seeded.all_values(is_control=True):
        assert one.number
        assert one.number not in written


def test_sheets_are_their_owners_alone(seeded: Office, tmp_path: Path) -> None:
    seeded.hand_over(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_exposure_opens_when_sheet_leaves(seeded: Office, tmp_path: Path) -> None:
    handed_over = seeded.clock()
    seeded.hand_over(tmp_path)
    seeded.clock.move(timedelta(days=3))
    seeded.confirm()
    assert {one.since for one in seeded.rows(Exposure)} == {handed_over}
    assert seeded.count(Exposure) == 28


def test_second_export_keeps_the_first_date(seeded: Office, tmp_path: Path) -> None:
    first = seeded.clock()
    seeded.hand_over(tmp_path / "one")
    seeded.clock.move(timedelta(days=1))
    seeded.hand_over(tmp_path / "two")
    assert {one.handed_over_at for one in seeded.rows(Placement)} == {first}
    assert seeded.count(Exposure) == 28


def test_codes_that_look_alike_keep_their_sheets(office: Office, tmp_path: Path) -> None:
    """A/B and A_B both become A_B in a file name; neither sheet may be lost."""
    rows = "A/B,x,outlet,,33,YTO,1\nA_B,y,outlet,,33,YTO,1\n.A_B,z,outlet,,33,YTO,1\n"
    office.import_sources(NETWORK.splitlines()[0] + "\n" + rows)
    office.seed()
    sheets = office.hand_over(tmp_path)
    assert len({sheet.file for sheet in sheets}) == 3
    for sheet in sheets:
        numbers = [line["运单号"].lstrip("'") for line in read_sheet(Path(sheet.file))]
        assert numbers == [one.number for one in office.values_at(sheet.source)]


@pytest.mark.parametrize("code", ["../../etc/x", "..", "/etc/x", "A\\B", "长" * 64, "CON:"])
def test_code_cannot_leave_the_folder(office: Office, tmp_path: Path, code: str) -> None:
    office.import_sources(f"{NETWORK.splitlines()[0]}\n{code},x,outlet,,33,YTO,1\n")
    office.seed()
    office.hand_over(tmp_path / "out")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 1
    assert written[0].parent == tmp_path / "out"


def test_folder_that_cannot_be_written_changes_nothing(seeded: Office, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Invalid, match="cannot be written"):
        seeded.hand_over(tmp_path / "file" / "out")
    assert seeded.count(Exposure) == 0
    assert {one.handed_over_at for one in seeded.rows(Placement)} == {None}


def test_failed_export_leaves_no_drafts(
    seeded: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".OUT-B2.csv.draft").mkdir()
    with pytest.raises(Invalid):
        seeded.hand_over(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".OUT-B2.csv.draft"]


def test_unknown_template_is_refused(seeded: Office, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        export_sheets(seeded.gardener, "b1", tmp_path, template="pigeon", sheet_format="csv")
    assert list(tmp_path.iterdir()) == []


def test_confirmed_baits_are_planted(seeded: Office) -> None:
    done = seeded.confirm(sources=("OUT-A1",))
    assert (done.confirmed, done.already) == (4, 0)
    assert seeded.count(Bait, state=BaitState.PLANTED) == 4
    assert seeded.count(Exposure) == 4
    assert {bait.planted_at for bait in seeded.rows(Bait, state=BaitState.PLANTED)} == {
        seeded.clock()
    }


def test_confirming_twice_changes_nothing(seeded: Office) -> None:
    seeded.confirm()
    seeded.clock.move(timedelta(days=1))
    again = seeded.confirm()
    assert (again.confirmed, again.already) == (0, 28)
    assert seeded.count(Exposure) == 28


def test_future_confirmation_is_refused(seeded: Office) -> None:
    with pytest.raises(Invalid, match="future"):
        seeded.confirm(at=seeded.clock() + timedelta(seconds=1))
    assert seeded.count(Exposure) == 0


def test_unknown_names_are_refused(seeded: Office) -> None:
    with pytest.raises(NotFound, match="NOBODY"):
        seeded.confirm(sources=("OUT-A1", "NOBODY"))
    with pytest.raises(NotFound, match="no batch"):
        seeded.confirm("none")
    assert seeded.count(Bait, state=BaitState.PLANTED) == 0


def test_confirmation_by_number_finds_baits(seeded: Office) -> None:
    numbers = [one.number or "" for one in seeded.values_at("OUT-A1")[:2]]
    rows = [row(2, number=numbers[0]), row(3, number=f" {numbers[1].lower()} ")]
    with seeded.database.read() as session:
        bait_ids = find_baits(session, seeded.vault, rows)
    assert seeded.confirm(bait_ids=bait_ids).confirmed == 2


def test_foreign_number_refuses_the_file(seeded: Office) -> None:
    number = seeded.values_at("OUT-A1")[0].number or ""
    rows = [row(2, number=number), row(3, number="YT1234567890123"), row(4, number="")]
    with seeded.database.read() as session, pytest.raises(Invalid) as refusal:
        find_baits(session, seeded.vault, rows)
    assert [(flaw.row, flaw.field) for flaw in refusal.value.flaws] == [
        (3, "number"),
        (4, "number"),
    ]


def test_numbers_of_another_batch_are_refused(seeded: Office) -> None:
    """Said of batch b2, these numbers would be dropped in silence."""
    ids = [bait.id for bait in seeded.rows(Bait)[:2]]
    seeded.seed("b2")
    with pytest.raises(Invalid) as refusal:
        seeded.confirm("b2", bait_ids=ids)
    assert refusal.value.flaws[0].field == "number"
    assert seeded.count(Exposure) == 0


def test_gaps_stay_visible(seeded: Office) -> None:
    seeded.confirm(sources=("OUT-A1", "SYS", "HUB-A", "HUB-B", "OUT-B1"))
    with seeded.database.read() as session:
        gaps = {gap.source: gap.issued for gap in list_gaps(session)}
    assert gaps == {"OUT-A2": 4, "OUT-B2": 4}


def test_every_step_is_written_down(seeded: Office, tmp_path: Path) -> None:
    seeded.hand_over(tmp_path)
    seeded.confirm()
    actions = [entry.action for entry in seeded.rows(AuditEntry)]
    assert actions == [
        "sources.imported",
        "phones.imported",
        "batch.started",
        "batch.issued",
        "batch.exported",
        "batch.confirmed",
    ]
