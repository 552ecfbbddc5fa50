"""A batch from the plan to the confirmation, by pages alone."""

import csv
import io
import json
import random
import zipfile

import pytest

from canary.services.baits.ordering import make_ordered
from canary.services.baits.seeding import Nursery
from canary.storage.tables import AuditEntry, Bait, Batch, Exposure, Placement
from canary.web import plans


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


def test_confirmed_batch_asks_for_nothing_more(seeder, build, outlets, clock):
    path = make(seeder, build, clock)
    seeder.post(f"{path}/sheets", form=path)
    assert "Who confirmed" in seeder.get(path).get_data(as_text=True)
    seeder.post(f"{path}/confirm", form=path)
    page = seeder.get(path).get_data(as_text=True)
    assert "Every bait of it is confirmed in place." in page
    assert "Who confirmed" not in page


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


PLAN = "source,count,fields,route\nHZ-0,2,,sheet\nHZ-1,3,number:full;phone:masked,local\n"


def test_plan_that_was_sent_comes_back(seeder, build, outlets, clock):
    """Tried first: what came as a file stands in the form, and is drafted from there."""
    tried = plan(seeder, "try", scope="plan", file=(io.BytesIO(PLAN.encode("gb18030")), "p.csv"))
    page = tried.get_data(as_text=True)
    assert "<dd>5</dd>" in page
    path = plan(seeder, "draft", scope="plan", plan=PLAN).headers["Location"]
    rows = list(csv.DictReader(io.StringIO(seeder.get(f"{path}/plan.csv").text.lstrip("\ufeff"))))
    assert [(row["source"], row["count"], row["route"]) for row in rows] == [
        ("HZ-0", "2", "sheet"),
        ("HZ-1", "3", "local"),
    ]
    assert rows[1]["fields"] == "number:full;phone:masked;name:none;address:none"
    again = seeder.get(f"{path}/plan.csv").text.lstrip("\ufeff")
    assert "<dd>5</dd>" in plan(seeder, "try", name="b", scope="plan", plan=again).text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("source,count\nHZ-0,many\nNO,1\n", "Row 2: &#39;many&#39; is not a count"),
        ("source,count\nHZ-0,1\nNO,1\n", "Row 3: there is no source &#39;NO&#39;"),
        ("source\nHZ-0\n", "has no column count"),
        ("", "is empty"),
        ("source,count\n" + "HZ-0,1\n" * 80_000, "too large for the page"),
    ],
)
def test_wrong_plan_is_told_by_row(seeder, outlets, text, told):
    answer = plan(seeder, "try", scope="plan", plan=text)
    assert answer.status_code == 400
    assert told in answer.get_data(as_text=True)


def test_plan_file_too_large_for_the_page_is_not_sent_back(seeder, outlets, monkeypatch):
    monkeypatch.setattr(plans, "MOST_CHARACTERS", 100)
    table = io.BytesIO(b"source,count\n" + b"HZ-0,1\n" * 200)
    answer = plan(seeder, "try", file=(table, "p.csv"))
    assert answer.status_code == 400
    assert answer.text.count("HZ-0") < 5


def test_local_baits_are_planned_below_a_parent(seeder, build, outlets):
    build.source("KID", parent=outlets[0], region="330106", carriers=["YTO"])
    path = plan(seeder, "draft", scope="all", per_source="3", local="1").headers["Location"]
    rows = seeder.get(f"{path}/plan.csv").text.replace('"', "").split()
    assert [row for row in rows if "local" in row] == ["KID,1,,,,,local"]
    assert "KID,2,,,,,sheet" in rows
    assert "HZ-0,3,,,,,sheet" in rows


def test_labels_come_with_the_sheets(seeder, build, outlets, clock):
    path = make(seeder, build, clock)
    answer = seeder.post(f"{path}/sheets", form=path, labels="masked")
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
        assert archive.read("HZ-0.pdf").startswith(b"%PDF")


def test_only_the_listed_numbers_are_confirmed(seeder, build, outlets, clock):
    path = make(seeder, build, clock)
    sheets = seeder.post(f"{path}/sheets", form=path, template="generic", format="json")
    with zipfile.ZipFile(io.BytesIO(sheets.get_data())) as archive:
        number = json.loads(archive.read("HZ-1.json"))[0]["waybill_no"]
    listed = (io.BytesIO(f"number\n{number}\n".encode()), "done.csv")
    assert seeder.post(f"{path}/confirm", form=path, file=listed).status_code == 303
    with build.open() as session:
        confirmed = session.query(Placement).filter(Placement.confirmed_at.is_not(None)).all()
    assert [row.source_id for row in confirmed] == [outlets[1].id]
    strange = (io.BytesIO(b"number\nYT0000000000000\n"), "done.csv")
    assert seeder.post(f"{path}/confirm", form=path, file=strange).status_code == 400
