"""Lists as files: what the page shows, in three forms, hostile cells harmless."""

import csv
import io
import json

import pytest
from openpyxl import load_workbook

from canary.services.detection import textindex
from canary.storage.tables import AuditEntry
from canary.web import tables
from canary.web.pages import exports
from canary.web.tables import TABLES

PATHS = [table.name for table in TABLES]


@pytest.fixture
def admin(as_role):
    return as_role("admin")


@pytest.fixture
def network(build):
    head = build.source("HQ", "总部", kind="system", region="3301")
    outlet = build.source("HZ-01", '=HYPERLINK("http://evil.example")', parent=head)
    bait = build.bait(build.batch(), outlet)
    incident = build.incident(outlet)
    build.incident(outlet, "weak", state="dismissed")
    build.sighting(build.reporter(), incident, "text found", [(bait, "found", "number")])
    build.phone("19340271800", "=SIM 1")


def read_csv(answer):
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def read_xlsx(answer):
    head, *rows = load_workbook(io.BytesIO(answer.data)).active.values
    return [dict(zip(head, row, strict=True)) for row in rows]


def take(admin, name, shape):
    if name == "search":
        return admin.post(f"/search.{shape}", form="/search", line="text")
    return admin.get(f"/{name}.{shape}")


@pytest.mark.parametrize("name", PATHS)
def test_three_forms_hold_the_same_rows(admin, network, name):
    plain = as_texts(json.loads(take(admin, name, "json").data))
    assert plain or name in {"deliveries", "audit"}
    assert as_texts(read_csv(take(admin, name, "csv"))) == plain
    assert as_texts(read_xlsx(take(admin, name, "xlsx"))) == plain


def as_texts(rows):
    """Rows as a spreadsheet shows them, without the quote that keeps a formula a text."""
    return [
        {key: "" if value is None else str(value).removeprefix("'") for key, value in row.items()}
        for row in rows
        if row.get("action") != "audit.exported"
    ]


def test_file_follows_the_filter(admin, network):
    assert len(json.loads(admin.get("/incidents.json").data)) == 1
    assert len(json.loads(admin.get("/incidents.json?q=state:all").data)) == 2
    assert [row["code"] for row in json.loads(admin.get("/sources.json?under=HQ").data)] == [
        "HZ-01"
    ]
    assert json.loads(admin.get("/baits.json?state=burned").data) == []


def test_search_is_taken_along_whole(admin, build, monkeypatch):
    """However far back: the page shows a part, the file holds all or is refused."""
    reporter, incident = build.reporter(), build.incident()
    for number in range(3):
        build.sighting(reporter, incident, f"面单 {number}")
    monkeypatch.setattr(textindex, "SHOWN", 1)
    found = json.loads(admin.post("/search.json", form="/search", line="面单").data)
    assert [row["text"] for row in found] == ["面单 2", "面单 1", "面单 0"]
    monkeypatch.setattr(tables, "ROUNDS", 2)
    assert admin.post("/search.json", form="/search", line="面单").status_code == 400
    assert admin.post("/search.json", form="/search", line="").status_code == 400


def test_phones_follow_the_filter(admin, network):
    assert [row["label"] for row in json.loads(admin.get("/phones.json?use=free").data)] == [
        "=SIM 1"
    ]
    assert json.loads(admin.get("/phones.json?use=control").data) == []
    assert "19340271800" not in admin.get("/phones.csv").data.decode("utf-8-sig")


def test_bait_values_stay_masked(admin, network):
    for shape in ("csv", "json"):
        text = admin.get(f"/baits.{shape}").data.decode("utf-8-sig")
        assert "19340271865" not in text
        assert "林晚舟" not in text


def test_formula_is_text_in_a_sheet(admin, network):
    book = load_workbook(io.BytesIO(admin.get("/sources.xlsx").data))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert "'=HYPERLINK" in admin.get("/sources.csv").data.decode("utf-8-sig")


def test_export_is_written_down(admin, network, build):
    admin.get("/baits.csv")
    with build.open() as session:
        entry = session.query(AuditEntry).filter_by(action="baits.exported").one()
    assert (entry.actor, entry.details) == ("the-admin", {"rows": 1})


def test_list_too_long_is_refused_whole(admin, network, monkeypatch):
    monkeypatch.setattr(exports, "MOST", 1)
    answer = admin.get("/sources.csv")
    assert answer.status_code == 400
    assert "2 rows are too many" in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/baits.pdf", "/users.csv", "/incidents.csv.exe"])
def test_other_files_do_not_exist(admin, path):
    assert admin.get(path).status_code == 404


def test_wrong_search_line_is_told(admin):
    assert admin.get("/incidents.csv?q=nonsense:1").status_code == 400
