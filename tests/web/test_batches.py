"""A batch from the plan to the confirmation, by pages alone."""

import io
import random
import zipfile

import pytest

from canary.services.baits.ordering import make_ordered
from canary.services.baits.seeding import Nursery
from canary.storage.tables import AuditEntry, Bait, Batch, Exposure, Placement


@pytest.fixture
def seeder(as_role):
    return as_role("seeder")


@pytest.fixture
def outlets(build):
    return [build.source(f"HZ-{number}", region="330106", carriers=["YTO"]) for number in range(3)]


def plan(browser, action, **fields):
    known = {"name": "spring", "scope": "uncovered", "per_source": "2", "controls": "5"}
    return browser.post("/batches/new", action=action, **(known | fields))


def work(build, clock):
    make_ordered(
        Nursery(
            database=build.database,
            vault=build.vault,
            random=random.Random(1),
            clock=clock,
            actor="jobs",
        )
    )


def make(seeder, build, clock):
    path = plan(seeder, "draft").headers["Location"]
    seeder.post(f"{path}/make", form=path)
    work(build, clock)
    return path


def test_trial_makes_nothing(seeder, build, outlets):
    page = plan(seeder, "try").get_data(as_text=True)
    assert "<dd>3</dd>" in page
    assert "<dd>6</dd>" in page
    with build.open() as session:
        assert session.query(Batch).count() == session.query(Bait).count() == 0


def test_ordered_batch_is_made_by_the_jobs(seeder, build, outlets, clock):
    path = make(seeder, build, clock)
    page = seeder.get(path).get_data(as_text=True)
    assert "Planting sheets" in page
    with build.open() as session:
        assert session.query(Placement).count() == 6
        assert session.query(Batch).one().state == "issued"
        assert session.query(Batch).one().created_by == "the-seeder"


def test_covered_sources_are_left_out(seeder, build, outlets):
    build.bait(build.batch(), outlets[0])
    page = plan(seeder, "try").get_data(as_text=True)
    assert "<dd>2</dd>" in page


def test_sheets_open_the_exposures(seeder, build, outlets, clock):
    path = make(seeder, build, clock)
    answer = seeder.post(f"{path}/sheets", form=path, template="generic", format="csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
        assert sorted(archive.namelist()) == ["HZ-0.csv", "HZ-1.csv", "HZ-2.csv"]
    with build.open() as session:
        assert session.query(Exposure).count() == 6


def test_confirmation_of_one_source_leaves_the_rest(seeder, build, outlets, clock):
    path = make(seeder, build, clock)
    seeder.post(f"{path}/sheets", form=path)
    seeder.post(f"{path}/confirm", form=path, source="HZ-1", by="王店长")
    with build.open() as session:
        confirmed = session.query(Placement).filter(Placement.confirmed_at.is_not(None)).all()
    assert {(row.source_id, row.confirmed_by) for row in confirmed} == {(outlets[1].id, "王店长")}
    gaps = seeder.get("/gaps").get_data(as_text=True)
    assert "HZ-0" in gaps
    assert "HZ-1<" not in gaps


def test_failed_making_is_a_draft_that_says_why(seeder, build, outlets, clock):
    path = plan(seeder, "draft").headers["Location"]
    with build.database.write() as session:
        batch = session.query(Batch).one()
        batch.plan = batch.plan | {"carrier": "NOSUCH"}
    seeder.post(f"{path}/make", form=path)
    work(build, clock)
    page = seeder.get(path).get_data(as_text=True)
    assert "Its making stopped:" in page
    assert "Make it" in page
    with build.open() as session:
        assert session.query(AuditEntry).filter_by(action="batch.stopped").count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " "},
        {"scope": "some", "codes": "NOSUCH"},
        {"scope": "some", "codes": ""},
        {"carrier": "NOSUCH"},
        {"per_source": "9" * 9},
    ],
)
def test_senseless_plan_is_refused(seeder, build, outlets, fields):
    answer = plan(seeder, "try", **fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.get_data(as_text=True)


def test_name_in_use_is_told(seeder, build, outlets):
    plan(seeder, "draft")
    assert "already" in plan(seeder, "draft").get_data(as_text=True)
