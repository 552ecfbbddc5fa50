"""A dead letter is looked at again when somebody has mended what was wrong."""

from collections.abc import Mapping
from typing import Any

import pytest

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.inbox.again import try_again, try_all_again
from canary.services.inbox.intake import keep_dead_post
from canary.storage.tables import AuditEntry, InboxPost, Sighting
from tests.factories import Office, listing
from webhooks.errors import PayloadError
from webhooks.reports import Post, Report


def mended(shape: str, post: Post, options: Mapping[str, Any]) -> list[Report]:
    return [listing(post.body.decode())]


def broken(shape: str, post: Post, options: Mapping[str, Any]) -> list[Report]:
    raise PayloadError("no text where the map says")


def again(office: Office, ref: str, read: Any = mended) -> None:
    try_again(office.database, office.vault, read, ref, actor="lin", now=office.clock())


@pytest.fixture
def dead(office: Office) -> InboxPost:
    reporter = office.add_reporter()
    post = office.parcel(reporter, listing("x"), body=b"78901234567890").post
    keep_dead_post(office.database, office.vault, reporter, post, "no text", grade="signed")
    row: InboxPost = office.only(InboxPost)
    return row


def test_mended_letter_becomes_a_sighting(office: Office, dead: InboxPost) -> None:
    again(office, dead.ref)
    assert office.triage() == 1
    assert office.only(InboxPost).state == "done"
    assert (office.only(Sighting).grade, office.only(Sighting).seen_at) == (
        "signed",
        dead.received_at,
    )


def test_still_unreadable_letter_stays_dead(office: Office, dead: InboxPost) -> None:
    with pytest.raises(Invalid, match="no text where the map says"):
        again(office, dead.ref, broken)
    assert office.only(InboxPost).state == "dead"


def test_letter_of_failed_triage_is_not_reread(office: Office) -> None:
    office.post(office.add_reporter(), listing("x"))
    row = office.only(InboxPost)
    office.change(InboxPost, row.id, state="dead", failure="KeyError in triage", attempts=5)
    again(office, row.ref, broken)
    assert office.triage() == 1
    assert office.only(InboxPost).state == "done"


def test_living_post_is_left_alone(office: Office) -> None:
    office.post(office.add_reporter(), listing("x"))
    with pytest.raises(Conflict):
        again(office, office.only(InboxPost).ref)
    with pytest.raises(NotFound):
        again(office, "I-AAAAAAAAAA")


def test_all_letters_of_a_reporter_are_tried(office: Office, dead: InboxPost) -> None:
    more = (office.database, office.vault)
    said = {"actor": "lin", "now": office.clock()}
    assert try_all_again(*more, broken, dead.reporter_id, **said) == (0, 1)
    assert try_all_again(*more, mended, dead.reporter_id, **said) == (1, 0)
    assert office.only(AuditEntry, action="post.again").subject == f"post/{dead.ref}"
