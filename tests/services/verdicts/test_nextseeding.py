"""What would settle an incident becomes a batch that one command makes."""

from datetime import timedelta

import pytest

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.baits.custody import import_custody
from canary.services.verdicts.nextseeding import NextSeeding, draft_next, plan_next
from canary.storage.tables import AuditEntry, Batch, Incident
from tests.factories import Office, listing, row


@pytest.fixture
def open_question(office: Office) -> Office:
    """Two sources held the same baits: nothing seen so far can tell them apart."""
    office.plant(per_source=12)
    values = office.values_at("OUT-A1")
    at = (office.clock() - timedelta(days=1)).isoformat()
    rows = [
        row(place, number=one.number or "", source="OUT-B2", at=at)
        for place, one in enumerate(values, start=2)
    ]
    with office.database.write() as session:
        import_custody(session, office.vault, rows, actor="test", now=office.clock())
    text = "\n".join(f"{one.number} {one.city}" for one in values[:6])
    office.post(office.add_reporter(), listing(text))
    office.work()
    return office


def draft(office: Office, batch: str = "") -> NextSeeding:
    incident = office.only(Incident)
    with office.database.write() as session:
        return draft_next(session, incident.id, batch=batch, actor="ann", now=office.clock())


def test_suspects_are_given_baits_of_their_own(open_question: Office) -> None:
    with open_question.database.read() as session:
        found = plan_next(session, open_question.only(Incident).id)
    assert {one.source for one in found.rows} & {"OUT-A1", "OUT-B2"}
    assert found.gain_bits > 0
    assert open_question.count(Batch) == 1


def test_drafted_batch_is_made_by_its_name(open_question: Office) -> None:
    made = draft(open_question, "settle")
    assert open_question.only(Batch, name="settle").state == "draft"
    assert open_question.count(AuditEntry, action="incident.seeding_drafted") == 1
    seeded = open_question.seed("settle", resume=True)
    assert seeded.baits == made.baits
    assert seeded.created >= made.baits


def test_batch_is_not_drafted_twice(open_question: Office) -> None:
    draft(open_question)
    with pytest.raises(Conflict):
        draft(open_question)


def test_nothing_to_learn_drafts_nothing(office: Office) -> None:
    office.plant(per_source=12)
    controls = office.all_values(is_control=True)[:1]
    office.post(office.add_reporter(), listing("\n".join(one.number or "" for one in controls)))
    office.work()
    with pytest.raises(Invalid):
        draft(office)


def test_unknown_incident_is_told(office: Office) -> None:
    with office.database.read() as session, pytest.raises(NotFound):
        plan_next(session, 99)


def test_new_baits_at_a_suspect_are_judged(open_question: Office) -> None:
    """Their silence speaks: the incident is attributed anew when they are handed over."""
    before = open_question.only(Incident).revision
    made = draft(open_question, "settle")
    open_question.seed("settle", resume=True)
    open_question.confirm("settle")
    open_question.clock.move(timedelta(days=9))
    open_question.work()
    assert made.baits
    assert open_question.only(Incident).revision == before + 1
