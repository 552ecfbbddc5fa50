"""The seeding commands as a stranger runs them."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from canary.domain.errors import Invalid
from canary.services.baits.orders import PLAN_OPTIONAL, PLAN_REQUIRED, read_plan
from canary.services.stock.imports import read_table
from tests.factories import NETWORK

Canary = Any

FONTS = Path("/usr/share/fonts")


@pytest.fixture
def run(ready: Canary, tmp_path: Path) -> Canary:
    """Run commands on an installation with the sample network."""
    assert ready("sources", "import", write(tmp_path, "network.csv", NETWORK)).code == 0
    return ready


def write(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8-sig")
    return str(path)


def test_plan_file_is_carried_out(run: Canary, tmp_path: Path) -> None:
    plan = write(
        tmp_path,
        "plan.csv",
        "source,count,carrier,origin,destination,fields,route\n"
        "OUT-A1,3,ZTO,3307,330108,waybill:full;phone:masked,\n"
        "OUT-A1,2,YTO,,,,local\n"
        "HUB-B,2,,,,,\n",
    )
    done = run("seed", "--batch", "p", "--file", plan, "--days", "3", "--json")
    assert done.code == 0, done.err
    assert done.json["created"] == 9
    shown = run("plant", "gaps", "--json")
    assert {row["source"]: row["issued"] for row in shown.json["gaps"]} == {
        "OUT-A1": 5,
        "HUB-B": 2,
    }


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("OUT-A1,0,,,,", "row 2, field count"),
        ("OUT-A1,-3,,,,", "row 2, field count"),
        ("OUT-A1,2.5,,,,", "row 2, field count"),
        ("OUT-A1,1E+02,,,,", "row 2, field count"),
        ("=A1,2,,,,", "row 2, field source"),
        ("NOBODY,2,,,,", "row 2, field source"),
        ("OUT-A1,2,NOBODY,,,", "row 2, field carrier"),
        ("OUT-A1,2,SF,,,", "row 2, field carrier"),
        ("OUT-A1,2,,999999,,", "row 2, field origin"),
        ("OUT-A1,2,,,x,", "row 2, field destination"),
        ("OUT-A1,2,,,,phone:half", "row 2, field fields"),
    ],
)
def test_flawed_plan_names_row_and_field(run: Canary, tmp_path: Path, rows: str, told: str) -> None:
    head = "source,count,carrier,origin,destination,fields\n"
    plan = write(tmp_path, "plan.csv", head + rows + "\n")
    done = run("seed", "--batch", "p", "--file", plan)
    assert done.code == 1
    assert told in done.err
    assert "mend:" in done.err
    assert "there is no batch" in run("plant", "confirm", "--batch", "p").err


def test_carrier_from_abroad_serves_no_lane(run: Canary, tmp_path: Path) -> None:
    network = NETWORK + "OUT-C,海外网点,outlet,,3302,UPS,9\n"
    run("sources", "import", write(tmp_path, "more.csv", network))
    plan = write(tmp_path, "plan.csv", "source,count,destination\nOUT-A1,1,\nOUT-C,1,4403\n")
    done = run("seed", "--batch", "p", "--file", plan)
    assert "row 3, field carrier: UPS serves no lane inside China; mend:" in done.err


def test_source_without_region_is_told(run: Canary, tmp_path: Path) -> None:
    run("sources", "import", write(tmp_path, "s.csv", "code,name,kind,carriers\nX,x,outlet,YTO\n"))
    done = run("seed", "--batch", "p", "--source", "X")
    assert (done.code, "source X has no region; mend:" in done.err) == (1, True)


def test_gbk_plan_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_bytes("source,count\n滨江网点,4\n".encode("gbk"))
    rows = read_plan(read_table(path, required=PLAN_REQUIRED, optional=PLAN_OPTIONAL))
    assert [(row.source, row.count) for row in rows] == [("滨江网点", 4)]


def test_plan_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("source,count\n")
    with pytest.raises(Invalid, match="no rows"):
        read_plan(read_table(path, required=PLAN_REQUIRED))


def test_forbidden_names_are_not_kept(run: Canary, home: Path, tmp_path: Path) -> None:
    names = write(tmp_path, "names.csv", "name\n邬瑶岚\n")
    done = run("seed", "--batch", "p", "--source", "OUT-A1", "--forbid", names)
    assert done.code == 0, done.err
    stored = b"".join(path.read_bytes() for path in home.glob("canary.sqlite3*"))
    assert "邬瑶岚".encode() not in stored


def test_reserved_numbers_are_imported_and_used(run: Canary, tmp_path: Path) -> None:
    block = "carrier,from,to\nYTO,YT2047183659000,YT2047183659099\n"
    ranges = write(tmp_path, "ranges.csv", block)
    assert run("carriers", "ranges", "import", ranges, "--use", "reserved").code == 0
    order = ("--source", "OUT-A1", "--carrier", "YTO", "--reserved")
    assert run("seed", "--batch", "p", *order).code == 0
    (shown,) = run("carriers", "ranges", "list", "--json").json
    assert (shown["size"], shown["used"], shown["from"]) == (100, 6, "YT20********000")


def test_every_template_is_written(run: Canary, tmp_path: Path) -> None:
    run("seed", "--batch", "p", "--source", "OUT-A1")
    for template in ("generic", "kuaidi100", "kdniao", "cainiao", "sf", "17track"):
        for form in ("csv", "xlsx", "json"):
            out = tmp_path / template / form
            words = ("--template", template, "--format", form, "--out", str(out))
            done = run("plant", "export", "--batch", "p", *words)
            assert done.code == 0, done.err
            assert [path.name for path in out.iterdir()] == [f"OUT-A1.{form}"]


def test_orders_are_dated_over_the_days(run: Canary, tmp_path: Path) -> None:
    run("seed", "--batch", "p", "--source", "OUT-A1", "--per-source", "40", "--days", "4")
    run("plant", "export", "--batch", "p", "--out", str(tmp_path))
    with (tmp_path / "OUT-A1.csv").open(encoding="utf-8-sig", newline="") as sheet:
        ordered = [row["下单时间"] for row in csv.DictReader(sheet)]
    assert len({text[:10] for text in ordered}) == 4
    assert len({text[11:13] for text in ordered}) > 6


@pytest.mark.skipif(not list(FONTS.rglob("*CJK*")), reason="no Chinese font is installed")
def test_labels_are_written_as_pdf(run: Canary, tmp_path: Path) -> None:
    run("seed", "--batch", "p", "--source", "OUT-A1", "--per-source", "1")
    done = run("plant", "export", "--batch", "p", "--out", str(tmp_path / "o"), "--labels")
    assert done.code == 0, done.err
    assert (tmp_path / "o" / "OUT-A1.pdf").read_bytes().startswith(b"%PDF")


def test_drop_address_gives_each_source_its_unit(run: Canary, tmp_path: Path) -> None:
    drop = ("--drop", "330206", "科技路18号蜂巢园")
    done = run("seed", "--batch", "p", "--all", "--per-source", "1", *drop)
    assert done.code == 0, done.err
    run("plant", "export", "--batch", "p", "--out", str(tmp_path / "o"))
    units = set()
    for path in (tmp_path / "o").iterdir():
        with path.open(encoding="utf-8-sig", newline="") as sheet:
            units |= {row["详细地址"] for row in csv.DictReader(sheet)}
    assert len(units) == 7
    assert all(unit.startswith("科技路18号蜂巢园A区") for unit in units)


def test_unknown_batch_needs_sources(run: Canary) -> None:
    done = run("seed", "--batch", "nothing")
    assert (done.code, "say which sources" in done.err) == (1, True)


def test_power_is_told(run: Canary) -> None:
    words = ("--baits", "40", "--parcels", "20000", "--rows", "100", "--days", "14", "--json")
    told = run("design", "power", *words).json
    assert told["chance"] == pytest.approx(0.9397, abs=0.001)
    assert told["baits_needed"] == 43


def test_programme_is_designed(run: Canary) -> None:
    told = run("design", "--phones", "40", "--json").json
    assert (told["sources"], told["phones_per_source"]) == (7, 16)
    assert told["baits_per_day"] >= 7


def test_own_sheet_passes_as_real(run: Canary, tmp_path: Path) -> None:
    """Sheets of one batch, taken for real rows: what is made for them cannot be told apart."""
    run("seed", "--batch", "p", "--source", "OUT-A1", "--per-source", "400")
    run("plant", "export", "--batch", "p", "--out", str(tmp_path / "o"))
    sheet = str(tmp_path / "o" / "OUT-A1.csv")
    told = run("design", "check", "--real", sheet, "--json").json
    assert told["real"] == 400
    assert told["auc"] < 0.65


def test_bundled_rows_are_not_told_from_baits(run: Canary) -> None:
    told = run("design", "check", "--json").json
    assert told["auc"] <= 0.60
    assert told["telling"] in told["features"]


def test_rare_surnames_are_named_as_the_tell(run: Canary) -> None:
    told = run("design", "check", "--names", "rare", "--json").json
    assert (told["telling"], told["auc"] > 0.65) == ("surname", True)


def test_sample_without_headings_is_refused(run: Canary, tmp_path: Path) -> None:
    done = run("design", "check", "--real", write(tmp_path, "r.csv", "a,b\n1,2\n"))
    assert (done.code, "row 1, field 运单号" in done.err) == (1, True)


def test_local_sheets_and_unknown_codes_are_told(run: Canary, tmp_path: Path) -> None:
    run("seed", "--batch", "p", "--source", "OUT-A1", "--local", "1")
    out = str(tmp_path / "o")
    done = run("plant", "export", "--batch", "p", "--out", out, "--template", "17track")
    assert "+local must enter no system" in done.err
    assert "17TRACK's own carrier codes are not in this sheet" in done.err


def test_trial_phones_are_written_and_taken(ready: Canary, tmp_path: Path) -> None:
    out = str(tmp_path / "gb.csv")
    assert ready("phones", "trial", "--country", "GB", "--count", "5", "--out", out).code == 0
    done = ready("phones", "import", out)
    assert (done.code, "5 were created" in done.out) == (0, True)
    assert "reserved for fiction" in done.err


@pytest.mark.parametrize(
    ("names", "pattern"), [("pinyin", r"[A-Z][a-z]+ [A-Z][a-z]+"), ("traditional", r"\w{3}")]
)
def test_sheets_write_names_as_wanted(
    run: Canary, tmp_path: Path, names: str, pattern: str
) -> None:
    run("seed", "--batch", "p", "--source", "OUT-A1")
    done = run("plant", "export", "--batch", "p", "--names", names, "--out", str(tmp_path))
    assert done.code == 0, done.err
    with (tmp_path / "OUT-A1.csv").open(encoding="utf-8-sig", newline="") as sheet:
        written = [row["收件人"] for row in csv.DictReader(sheet)]
    assert all(re.fullmatch(pattern, name) for name in written)
    scanned = tmp_path / "leak.txt"
    scanned.write_text(f"{written[0]} {written[1]}", encoding="utf-8")
    assert run("scan", str(scanned), "--format", "jsonl").out.count('"kind": "name"') == 2
