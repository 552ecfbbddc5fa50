"""The attribution page, and drafting the next seeding by one click."""

import pytest
from sqlalchemy import select

from canary.services.access import Role
from canary.storage.tables import Batch

STEP = {
    "kind": "exclusive_baits",
    "sources": ["HZ-01"],
    "baits": 3,
    "gain_bits": 0.5,
    "expected_sightings": 1.2,
    "subsets": [],
}


@pytest.mark.parametrize(("lang", "word"), [("en", "Default;"), ("zh", "默认值")])
def test_parameters_are_shown_with_their_basis(as_role, lang, word):
    page = as_role(Role.ANALYST, lang=lang).get("/attribution").get_data(as_text=True)
    assert word in page


def test_partner_does_not_see_parameters(build, as_role):
    build.source("HZ-01")
    assert as_role(Role.PARTNER, source_code="HZ-01").get("/attribution").status_code == 403


def test_one_click_drafts_the_next_seeding(build, as_role, database):
    incident = build.incident(build.source("HZ-01"), result={"next": [STEP]})
    page = f"/incidents/{incident.id}"
    answer = as_role(Role.ANALYST).post(f"{page}/next-seeding", form=page)
    assert answer.status_code == 303
    with database.read() as session:
        batch = session.scalars(select(Batch).where(Batch.state == "draft")).one()
    assert batch.plan["rows"][0]["count"] == 3
