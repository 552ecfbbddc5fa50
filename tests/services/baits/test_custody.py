"""Custody events widen who could have leaked; they never narrow it."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from canary.domain.baits import BaitState
from canary.domain.errors import Invalid
from canary.services.baits.custody import import_custody
from canary.services.stock.imports import TableRow
from canary.services.stock.sources import ImportResult
from canary.storage.bulk import add_exposures
from canary.storage.tables import Bait, Exposure, Incident
from tests.factories import Office, listing, row

AT = "2026-11-19T10:00:00+08:00"


@pytest.fixture
def planted(office: Office) -> Office:
    office.plant()
    return office


def bring(office: Office, *rows: TableRow) -> ImportResult:
    with office.database.write() as session:
        return import_custody(session, office.vault, rows, actor="test", now=office.clock())


def event(office: Office, place: int = 2, **cells: str) -> TableRow:
    number = office.values_at("OUT-A1")[0].number or ""
    return row(place, **{"number": number, "source": "OUT-B1", "at": AT, **cells})


def opened(office: Office) -> Exposure:
    found: Exposure = office.only(Exposure, origin="custody")
    return found


def test_event_opens_an_exposure(planted: Office) -> None:
    assert bring(planted, event(planted)).created == 1
    found = opened(planted)
    assert found.since.isoformat() == "2026-11-19T02:00:00+00:00"
    assert (found.number, found.phone, found.name, found.address) == (2, 2, 2, 2)


def test_fields_say_how_much_was_visible(planted: Office) -> None:
    bring(planted, event(planted, fields="waybill:full; phone:masked;name:NONE"))
    found = opened(planted)
    assert (found.number, found.phone, found.name, found.address) == (2, 1, 0, 0)


def test_same_events_twice_change_nothing(planted: Office) -> None:
    bring(planted, event(planted))
    again = bring(planted, event(planted))
    assert (again.created, again.unchanged) == (0, 1)


def test_same_moment_shows_the_most_of_all_rows(planted: Office) -> None:
    bring(
        planted,
        event(planted, 2, fields="waybill:full;phone:masked"),
        event(planted, 3, fields="phone:full"),
    )
    found = opened(planted)
    assert (found.number, found.phone) == (2, 2)


def test_later_word_may_widen_an_exposure(planted: Office) -> None:
    bring(planted, event(planted, fields="waybill:masked"))
    later = bring(planted, event(planted, fields="phone:full"))
    found = opened(planted)
    assert (later.updated, found.number, found.phone) == (1, 1, 2)


def test_later_word_never_narrows_an_exposure(planted: Office) -> None:
    bring(planted, event(planted))
    bring(planted, event(planted, fields="waybill:masked"))
    assert opened(planted).number == 2


def test_first_event_makes_bait_live(planted: Office) -> None:
    bring(planted, event(planted))
    live = planted.only(Bait, state=BaitState.LIVE)
    assert live.live_at == opened(planted).since


def test_late_event_makes_incident_stale(planted: Office) -> None:
    number = planted.values_at("OUT-A1")[0].number or ""
    planted.post(planted.add_reporter(), listing(number))
    planted.work()
    bring(planted, event(planted))
    incident = planted.only(Incident)
    assert incident.evidence_version == incident.attributed_version + 1


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"number": ""}, "number"),
        ({"number": "YT1234567890123"}, "number"),
        ({"source": ""}, "source"),
        ({"source": "NOBODY"}, "source"),
        ({"at": ""}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-11-19T10:00:00"}, "at"),
        ({"at": "2026-13-19T10:00:00Z"}, "at"),
        ({"at": "2026-11-21T10:00:00Z"}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "at"),
        ({"fields": "waybill"}, "fields"),
        ({"fields": "waybill:some"}, "fields"),
        ({"fields": "soul:full"}, "fields"),
        ({"fields": ";;"}, "fields"),
    ],
    ids=str,
)
def test_flawed_event_refuses_the_file(planted: Office, cells: dict[str, str], field: str) -> None:
    before = planted.count_all()
    with pytest.raises(Invalid) as refusal:
        bring(planted, event(planted), event(planted, 3, **cells))
    assert [(flaw.row, flaw.field) for flaw in refusal.value.flaws] == [(3, field)]
    assert all(flaw.mend for flaw in refusal.value.flaws)
    assert planted.count_all() == before


def test_control_bait_has_no_custody(planted: Office) -> None:
    """Nobody ever held a control; an event about one is a mistake worth knowing."""
    number = planted.all_values(is_control=True)[0].number or ""
    with pytest.raises(Invalid, match="control"):
        bring(planted, event(planted, number=number))


def test_event_before_the_bait_existed_is_refused(planted: Office) -> None:
    early = (planted.clock() - timedelta(days=30)).isoformat()
    with pytest.raises(Invalid, match="before"):
        bring(planted, event(planted, at=early))


@pytest.mark.parametrize("who", [{"reader": "ann"}, {"source_id": 1}])
def test_same_exposure_is_kept_once(planted: Office, who: dict[str, object]) -> None:
    """A constraint over source and reader together held nothing: one of them is always NULL."""
    seen = {"bait_id": 1, "origin": "custody", "since": planted.clock(), **who}
    with planted.database.write() as session:
        add_exposures(session, [seen])
        add_exposures(session, [seen])
    assert planted.count(Exposure, origin="custody") == 1
    with pytest.raises(IntegrityError), planted.database.write() as session:
        session.add(Exposure(**seen))
