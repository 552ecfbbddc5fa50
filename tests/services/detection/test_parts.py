"""A waybill cut in two by a long message is found, whichever part comes first."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from canary.services.detection.triage import triage_post
from canary.storage.tables import InboxPost, Incident, Match, Sighting
from tests.factories import Office, sms
from webhooks.reports import Part, Report

FILLER = "您的包裹已由驿站代收请尽快领取逾期将退回如有疑问请联系客服并提供取件码" * 2


@pytest.fixture
def planted(office: Office) -> Office:
    office.plant(phones=20, per_source=2)
    return office


def matches(office: Office, kind: str = "number") -> list[Match]:
    return [match for match in office.rows(Match) if match.kind == kind]


def cut(office: Office, count: int = 2) -> list[str]:
    """Cut a text so that a bait's number lies across the first seam."""
    number = office.values_at("OUT-A1")[0].number or ""
    text = FILLER[:60] + number[:7] + "|" + number[7:] + FILLER[:60]
    first, second = text.split("|")
    return [first, second] if count == 2 else [first, second, "请勿回复"]


def part(text: str, number: int, total: int, reference: str = "7", **more: Any) -> Report:
    return sms(text, part=Part(reference=reference, number=number, total=total), **more)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_number_across_parts_is_found_once(planted: Office, order: tuple[int, ...]) -> None:
    texts, reporter = cut(planted, 3), planted.add_reporter()
    for place in order:
        planted.post(reporter, part(texts[place], place + 1, 3))
        planted.triage()
    (match,) = matches(planted)
    assert planted.count(Sighting) == 4
    assert planted.only(Incident).sighting_count == 1
    joined = planted.only(Sighting, id=match.sighting_id)
    assert joined.ordinal >= 100_000


def test_first_part_is_not_delayed(planted: Office) -> None:
    planted.post(planted.add_reporter(), part(cut(planted)[0], 1, 2))
    assert planted.triage() == 1
    assert planted.only(InboxPost).state == "done"


@pytest.mark.parametrize("turned", [False, True])
def test_parts_without_numbers_are_joined(planted: Office, turned: bool) -> None:
    reporter, texts = planted.add_reporter(), cut(planted)
    for text in reversed(texts) if turned else texts:
        planted.post(reporter, sms(text))
        planted.clock.move(timedelta(minutes=2))
        planted.triage()
    assert len(matches(planted)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"sender": "10690001"},
        {"receiver": "13800000000"},
        {"part": Part(reference="8", number=2, total=2)},
    ],
)
def test_parts_of_others_stay_apart(planted: Office, other: dict[str, Any]) -> None:
    reporter, (first, second) = planted.add_reporter(), cut(planted)
    planted.post(reporter, part(first, 1, 2))
    more = {"part": Part(reference="7", number=2, total=2), **other}
    planted.post(reporter, sms(second, **more))
    planted.triage()
    assert len(matches(planted)) == 0


def test_late_part_stays_alone(planted: Office) -> None:
    reporter, (first, second) = planted.add_reporter(), cut(planted)
    planted.post(reporter, part(first, 1, 2))
    planted.triage()
    planted.clock.move(timedelta(minutes=16))
    planted.post(reporter, part(second, 2, 2))
    planted.triage()
    assert len(matches(planted)) == 0


def test_parts_of_one_post_are_joined(planted: Office) -> None:
    first, second = cut(planted)
    planted.post(planted.add_reporter(), part(second, 2, 2), part(first, 1, 2))
    planted.triage()
    assert len(matches(planted)) == 1


def test_whole_number_is_not_found_again(planted: Office) -> None:
    number = planted.values_at("OUT-A1")[0].number or ""
    reporter = planted.add_reporter()
    planted.post(reporter, part(FILLER[:60] + number, 1, 2))
    planted.post(reporter, part(FILLER[:60], 2, 2))
    planted.triage()
    assert len(matches(planted)) == 1
    assert planted.count(Sighting) == 2


def test_one_message_arrives_once(planted: Office) -> None:
    reporter = planted.add_reporter()
    own = planted.values_at("OUT-A1")[0].phone or ""
    for number in (2, 1):
        planted.post(reporter, part(FILLER[:60], number, 2, receiver=own))
        planted.triage()
    arrived = {match.sighting_id for match in matches(planted, "arrival")}
    assert len(arrived) == 1


def test_repeated_triage_adds_nothing(planted: Office) -> None:
    reporter = planted.add_reporter()
    for number, text in enumerate(cut(planted), start=1):
        planted.post(reporter, part(text, number, 2))
    planted.triage()
    last = planted.posts()[-1]
    assert not triage_post(planted.desk("other"), last.id)
    assert planted.count(Sighting) == 3
