"""A reveal changes who could have let a bait out; the incident is judged anew."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import select

from canary.services.access import Role
from canary.services.cases.reveal import answer_reveal, ask_reveal, show_bait
from canary.services.pages.summaries import load_summary
from canary.services.verdicts.attributing import Resting, attribute_stale
from canary.storage.tables import AttributionRecord, Bait, Incident, Placement, Source
from tests.factories import Office, listing


@pytest.fixture
def dense(office: Office) -> Office:
    """Twelve baits for each source: enough to name one from a single listing."""
    office.plant(per_source=12)
    return office


def refs_at(office: Office, code: str) -> list[str]:
    with office.database.read() as session:
        query = select(Bait.ref).join(Placement).join(Source).where(Source.code == code)
        return list(session.scalars(query.order_by(Bait.id)))


def leak(office: Office, code: str) -> None:
    text = "\n".join(f"{one.number} {one.city}" for one in office.values_at(code))
    office.post(office.add_reporter(), listing(text))


class Person(NamedTuple):
    """As much of a viewer as a reveal asks about."""

    name: str
    role: Role = Role.ANALYST


def read_in_clear(office: Office, refs: list[str], *, reader: str) -> None:
    """Let one person ask, a second agree, and the first read."""
    asks, now = Person(reader), office.clock()
    with office.database.write() as session:
        for ref in refs:
            wish = ask_reveal(session, ref, viewer=asks, reason="test", now=now)
            answer_reveal(session, wish, agreed=True, viewer=Person("second"), now=now)
            show_bait(session, office.vault, wish, viewer=asks, now=now)


def test_reader_of_a_reveal_keeps_the_name_back(dense: Office) -> None:
    """Whoever read the baits in clear before they surfaced could have let them out as well."""
    read_in_clear(dense, refs_at(dense, "OUT-A1"), reader="wang")
    dense.clock.move(timedelta(hours=6))
    leak(dense, "OUT-A1")
    dense.work()
    with dense.database.read() as session:
        found = load_summary(session, dense.only(Incident).id)
    assert found["named"] == []
    assert found["posteriors"]["reader:wang"] > 0.05


def test_reveal_attributes_the_incident_anew(dense: Office) -> None:
    leak(dense, "OUT-A1")
    dense.work()
    dense.clock.move(timedelta(hours=6))
    read_in_clear(dense, refs_at(dense, "OUT-A1")[:1], reader="wang")
    assert attribute_stale(dense.desk(), Resting()) == 1
    with dense.database.read() as session:
        found = load_summary(session, dense.only(Incident).id)
    assert found["named"] == ["OUT-A1"]
    assert found["excluded"]["reader:wang"] == "too_late"
    assert dense.count(AttributionRecord) == 2


def test_new_baits_attribute_the_incident_anew(office: Office) -> None:
    """What a source was given since then speaks by its silence."""
    office.plant(per_source=3)
    leak(office, "OUT-A1")
    office.work()
    office.clock.move(timedelta(days=2))
    office.seed("b2", per_source=3)
    office.confirm("b2")
    assert attribute_stale(office.desk(), Resting()) == 1
    with office.database.read() as session:
        found = load_summary(session, office.only(Incident).id)
    assert [one["held"] for one in found["details"]["reasons"] if one["source"] == "OUT-A1"] == [6]
