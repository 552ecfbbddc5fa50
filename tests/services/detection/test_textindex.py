"""Sealed texts are found by their words, alike on both databases."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from canary.domain.errors import Forbidden, Invalid
from canary.services.access import Role, Viewer
from canary.services.detection import textindex
from canary.services.detection.textindex import (
    TextSearch,
    fold,
    list_buckets,
    read_words,
    search_texts,
)
from canary.storage.tables import TextGram
from canary.storage.vault import Vault
from tests.factories import Office, listing, sms

VIEWER = Viewer(
    user_id=1,
    name="lin",
    role=Role.ANALYST,
    lang=None,
    timezone=None,
    must_change_password=False,
    source_id=None,
    sign_in_id=1,
    signed_in_at=datetime(2026, 11, 20, tzinfo=UTC),
)
TEXTS = (
    "【菜鸟】您的快递已到，取件码 12-3-4567",
    "出售一手面单，杭州 西湖区，量大从优",
    "Ｗｅ ｓｅｌｌ fresh WAYBILLS, ask for Lin",
    "隐\u200b形\u200d快 递 单",
)


@pytest.fixture
def stored(office: Office) -> Office:
    reporter = office.add_reporter()
    for number, words in enumerate(TEXTS):
        office.post(reporter, sms(words), listing(f"{number} nothing here", venue=f"v{number}"))
    office.triage()
    return office


def search(office: Office, line: str, older: int | None = None) -> TextSearch:
    with office.database.read() as session:
        return search_texts(session, office.vault, VIEWER, line, older=older)


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ("递", {0, 3}),
        ("面", {1}),
        ("面单", {1}),
        ("西湖区 面单", {1}),
        ("快递单", {3}),
        ("we SELL", {2}),
        ("ways", set()),
        ("3-4567", {0}),
        ("鸟", {0}),
        ("龙", set()),
        ("隐形", {3}),
    ],
)
def test_words_are_found_in_sealed_texts(stored: Office, line: str, places: set[int]) -> None:
    found = search(stored, line)
    assert {fold(TEXTS[place])[:3] for place in places} == {
        fold(f"{one.before}{one.found}{one.after}")[:3]
        for hit in found.hits
        for one in hit.snippets[:1]
    }
    assert len(found.hits) == len(places)
    assert found.older is None


def test_title_is_found_and_shown(stored: Office) -> None:
    stored.post(stored.add_reporter("page"), listing("rows", title="一手面单 批发"))
    stored.triage()
    (hit,) = search(stored, "批发").hits
    assert [(one.before, one.found) for one in hit.snippets] == [("一手面单 ", "批发")]


def test_index_spells_out_no_text(stored: Office) -> None:
    with stored.database.read() as session:
        rows = session.execute(text("SELECT * FROM text_grams")).all()
    assert rows
    assert {type(value) for row in rows for value in row} == {int}
    assert max(row[0] for row in rows) < 1 << 16


def test_long_text_is_found_without_its_runs(stored: Office) -> None:
    """Ten thousand different ideographs leave one row, and are found all the same."""
    many = "".join(chr(0x4E00 + number) for number in range(10_000))
    stored.post(stored.add_reporter("page"), listing(many))
    stored.triage()
    assert stored.count(TextGram, bucket=textindex.WHOLE) == 1
    assert [hit.kind for hit in search(stored, many[7000:7004]).hits] == ["listing"]


def test_search_goes_on_where_it_stopped(stored: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textindex, "SHOWN", 1)
    first = search(stored, "递")
    second = search(stored, "递", first.older)
    assert first.hits[0].ref != second.hits[0].ref
    assert first.back_to is not None


@pytest.mark.parametrize(
    "line", ["", "  ", "\u200b", "a", "7", "x" * 101, "一 二 三 四 五 六 七 八 九"]
)
def test_what_cannot_be_looked_up_is_told(line: str) -> None:
    with pytest.raises(Invalid):
        read_words(line)


def test_only_readers_of_evidence_search(stored: Office) -> None:
    seeder = replace(VIEWER, role=Role.SEEDER)
    with stored.database.read() as session, pytest.raises(Forbidden):
        search_texts(session, stored.vault, seeder, "递")


VAULT = Vault({"k1": b"k" * 32}, "k1", b"i" * 32)


@given(st.text(max_size=40), st.integers(0, 40), st.integers(1, 12))
def test_no_part_of_a_text_is_missed(whole: str, start: int, length: int) -> None:
    part = whole[start : start + length]
    try:
        words = read_words(part)
    except Invalid:
        return
    asked = textindex._list_asked(VAULT, words)
    assert set(asked) <= list_buckets(VAULT, fold(whole))
