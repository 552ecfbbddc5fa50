"""Search over stored texts: posted words, marked places, an entry for having looked."""

import pytest

from canary.storage.tables import AuditEntry


@pytest.fixture
def seen(build):
    incident = build.incident(build.source("HZ-01"))
    return build.sighting(build.reporter(), incident, "出售 <b>面单</b> 一手\u202e货源")


def test_found_text_is_marked_and_inert(analyst, seen):
    page = analyst.post("/search", line="面").get_data(as_text=True)
    assert "&lt;b&gt;<mark>面</mark>单" in page
    assert "⟦U+202E⟧" in page
    assert f"/sightings/{seen.ref}" in page


def test_search_is_written_down_without_its_words(analyst, build, seen):
    analyst.post("/search", line="面单")
    with build.open() as session:
        entry = session.query(AuditEntry).filter_by(action="evidence.shown").one()
    assert (entry.subject, entry.details) == ("sightings/search", {})


def test_too_short_a_word_is_told(analyst):
    answer = analyst.post("/search", line="a")
    assert answer.status_code == 400
    assert "one Chinese character is enough" in answer.get_data(as_text=True)


def test_sighting_has_a_page_of_its_own(analyst, seen):
    page = analyst.get(f"/sightings/{seen.ref}").get_data(as_text=True)
    assert "Sighting S-" in page
    assert f"/incidents/{seen.incident_id}" in page
