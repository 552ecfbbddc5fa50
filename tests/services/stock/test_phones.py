"""The pool holds only numbers that are owned, once each, sealed."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from canary.domain.errors import Invalid
from canary.domain.sightings import ChannelClass
from canary.services.stock.imports import TableRow
from canary.services.stock.phones import import_phones, list_phones, read_canonical, reveal_number
from canary.storage.tables import Phone
from seeds.fiction import RANGES, draw_fictional
from tests.factories import OWNED, Office, row, sms


def flaws_of(office: Office, *rows: TableRow) -> list[tuple[int | None, str | None]]:
    with pytest.raises(Invalid) as refusal, office.database.write() as session:
        import_phones(session, office.vault, rows, actor="test", now=office.clock())
    assert office.count(Phone) == 0
    assert all(flaw.mend for flaw in refusal.value.flaws)
    return [(flaw.row, flaw.field) for flaw in refusal.value.flaws]


def test_numbers_are_sealed_and_masked(office: Office) -> None:
    office.import_phones(3)
    with office.database.read() as session:
        shown = [phone.number for phone in list_phones(session, office.vault, office.clock())]
    assert shown == [f"{number[:3]}****{number[-4:]}" for number in OWNED[:3]]
    assert [reveal_number(office.vault, phone) for phone in office.rows(Phone)] == OWNED[:3]


@pytest.mark.parametrize(
    "number",
    ["", "abc", "1234", "1.94E+10", "=A1", "99999999999", "1" * 70, "19480878788;19409021325"],
)
def test_number_nobody_can_own_is_refused(office: Office, number: str) -> None:
    assert flaws_of(office, row(2, number=OWNED[0]), row(3, number=number)) == [(3, "number")]


@pytest.mark.parametrize("again", [OWNED[0], f"+86 {OWNED[0]}", f"0086-{OWNED[0]}"])
def test_same_number_twice_is_refused(office: Office, again: str) -> None:
    assert flaws_of(office, row(2, number=OWNED[0]), row(3, number=again)) == [(3, "number")]


@pytest.mark.parametrize(
    "cells",
    [
        {"owned_since": "gestern"},
        {"label": "x" * 121},
        {"gateway": "x" * 121},
        {"burn_in_days": "-1"},
        {"burn_in_days": "9" * 30},
        {"burn_in_days": "two weeks"},
    ],
)
def test_other_fields_are_checked_too(office: Office, cells: dict[str, str]) -> None:
    assert flaws_of(office, row(2, number=OWNED[0], **cells)) == [(2, next(iter(cells)))]


def test_known_numbers_are_left_alone(office: Office) -> None:
    office.import_phones(3)
    again = office.import_phones(5)
    assert (again.created, again.unchanged) == (2, 3)


def test_extensions_are_numbers_of_their_own(office: Office) -> None:
    office.import_phones([OWNED[0], f"{OWNED[0]}-8462", f"{OWNED[0]} 转 17"])
    assert office.count(Phone) == 3


def test_phone_tells_its_history(office: Office) -> None:
    with office.database.write() as session:
        rows = [row(2, number=OWNED[0], owned_since="2026-11-10", burn_in_days="14")]
        import_phones(session, office.vault, rows, actor="test", now=office.clock())
    with office.database.read() as session:
        (phone,) = list_phones(session, office.vault, office.clock())
    assert (phone.burn_in_days, f"{phone.ready_at:%Y-%m-%d}") == (14, "2026-11-24")
    assert phone.spam_per_day is None


def test_background_spam_is_measured_before_use(office: Office) -> None:
    """What arrives while no bait bears the phone is background, by day."""
    office.import_phones(1)
    reporter = office.add_reporter("rack", ChannelClass.ARRIVAL)
    office.clock.move(timedelta(days=4))
    for text in ("贷款秒批", "恭喜中奖"):
        office.post(reporter, sms(text, receiver=OWNED[0]))
    office.triage()
    with office.database.read() as session:
        (phone,) = list_phones(session, office.vault, office.clock())
    assert phone.spam_per_day == 0.5


def test_notice_reaches_whoever_imports(office: Office) -> None:
    result = office.import_phones(["13957400001", "+447700900123"])
    assert result.notes == (
        "row 3: reserved for fiction: it never rings, so it catches no message",
    )


def test_phones_abroad_are_given_out_and_written_whole(office: Office, tmp_path: Path) -> None:
    """A number abroad is kept without its plus, and no Chinese number looks like it."""
    office.import_sources()
    numbers = [number for country in RANGES for number in draw_fictional(country, 9, Random(1))]
    office.import_phones(numbers)
    assert [str(read_canonical(number.lstrip("+"))) for number in numbers] == numbers
    assert office.seed(sources=("OUT-A1",)).with_phone == 4
    (sheet,) = office.hand_over(tmp_path)
    written = Path(sheet.file).read_text("utf-8-sig")
    assert sum(number in written for number in numbers) >= 1


def test_phones_alike_under_a_mask_are_told(office: Office) -> None:
    result = office.import_phones(["13957400001", "13957410001", "13857400001"])
    (note,) = result.notes
    assert note.startswith("rows 2, 3 look alike under a mask")
