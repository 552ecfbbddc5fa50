"""A partner's program confirms what it planted, by batch, source or number."""

import json
import random

import pytest

from canary.domain.baits import BaitState
from canary.services.baits.ordering import make_ordered
from canary.services.baits.seeding import Nursery
from canary.storage.tables import AuditEntry, Bait, Exposure, Placement

ADDRESS = "/api/v1/placements/confirm"


@pytest.fixture
def numbers(as_role, build, clock):
    """The numbers at each of two outlets, of a batch made by the jobs."""
    for code in ("HZ-1", "HZ-2"):
        build.source(code, region="330106", carriers=["YTO"])
    seeder = as_role("seeder")
    plan = {"name": "spring", "scope": "uncovered", "per_source": "2", "controls": "5"}
    path = seeder.post("/batches/new", action="draft", **plan).headers["Location"]
    seeder.post(f"{path}/make", form=path)
    make_ordered(
        Nursery(
            database=build.database,
            vault=build.vault,
            random=random.Random(1),
            clock=clock,
            actor="jobs",
        )
    )
    found = {}
    with build.open() as session:
        for bait, placement in session.query(Bait, Placement).join(Placement.bait):
            sealed = build.vault.unseal(f"baits.sealed_values|{bait.ref}", bait.sealed_values)
            found.setdefault(placement.source.code, []).append(json.loads(sealed)["number"])
    return found


def test_confirmed_numbers_open_their_exposures(client, headers, numbers, build):
    said = {"batch": "spring", "numbers": numbers["HZ-1"], "confirmed_by": "partner"}
    assert client.post(ADDRESS, json=said, headers=headers).json == {"confirmed": 2, "already": 0}
    again = {"batch": "spring", "sources": ["HZ-1"]}
    assert client.post(ADDRESS, json=again, headers=headers).json == {"confirmed": 0, "already": 2}
    with build.open() as session:
        planted = session.query(Bait).filter_by(state=BaitState.PLANTED).count()
        assert planted == len({row.bait_id for row in session.query(Exposure)}) == 2
        entry = session.query(AuditEntry).filter_by(action="batch.confirmed").first()
        assert entry.actor.startswith("key")


def test_stranger_among_numbers_confirms_none(client, headers, numbers, build):
    said = {"batch": "spring", "numbers": [*numbers["HZ-1"], "YT9999999999999"]}
    answer = client.post(ADDRESS, json=said, headers=headers)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json["errors"]] == ["/numbers/2"]
    assert "YT9999999999999" not in answer.text
    with build.open() as session:
        assert session.query(Placement).filter(Placement.confirmed_at.is_not(None)).count() == 0


@pytest.mark.parametrize("said", [{"batch": "autumn"}, {"batch": "spring", "sources": ["nobody"]}])
def test_unknown_batch_or_source_is_404(client, headers, numbers, said):
    assert client.post(ADDRESS, json=said, headers=headers).status_code == 404
