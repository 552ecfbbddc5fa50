"""Attribution on the command line: parameters, phone codes, trials of a plan."""

import json

import pytest


def test_parameters_tell_what_they_rest_on(canary, home):
    canary("init")
    rows = canary("attribute", "--parameters", "--json").json
    assert {row["basis"] for row in rows} == {"default", "policy"}


@pytest.mark.parametrize("wanted", [[], ["--parameters", "--incident", "1"], ["--revision", "2"]])
def test_attribute_asks_for_one_thing(canary, home, wanted):
    assert canary("attribute", *wanted).code == 2


def test_phones_are_shared_among_many_sources(canary, home, tmp_path):
    out = tmp_path / "code.csv"
    wanted = ["--phones", "20", "--sources", "60", "--noise", "A", "--trials", "10"]
    wanted += ["--random-seed", "5", "--out", str(out)]
    found = canary("design", "phones", *wanted, "--json").json
    assert found["success"] >= 0.9
    assert found["phones_per_source"] * 60 == len(out.read_text("utf-8-sig").splitlines()) - 1


def test_sources_of_the_same_phones_are_counted(canary, home):
    """Few phones among many: as many names as can be read, and how many more."""
    ran = canary("design", "phones", "--phones", "2", "--sources", "90", "--trials", "1")
    assert " and 25 more" in ran.out
    assert max(map(len, ran.out.splitlines())) < 250


@pytest.mark.parametrize(
    ("wanted", "code", "told"),
    [
        (["--kind", "unique", "--sources", "4"], 2, "give one of --kind"),
        (["--sources", "3", "--leakers", "4"], 1, "only 3 sources hold baits"),
    ],
)
def test_trial_of_what_cannot_be_is_refused(canary, home, wanted, code, told):
    ran = canary("design", "simulate", *wanted)
    assert (ran.code, told in ran.err) == (code, True)


def test_plan_is_tried_before_it_is_paid(canary, home):
    wanted = ["--sources", "20", "--baits", "20", "--fraction", "0.9", "--coverage", "0.9"]
    found = canary("design", "simulate", *wanted, "--trials", "5", "--json", "--random-seed", "4")
    assert found.json["all_named"] >= 0.8
    assert found.json["wrong"] == 0


def test_present_placements_are_tried(ready, tmp_path):
    rows = ["T,platform,", "UP,hub,T", *(f"O{at},outlet,UP" for at in range(3)), "IDLE,outlet,"]
    listed = [",".join((row.split(",")[0], *row.split(","))) for row in rows]
    file = tmp_path / "sources.csv"
    file.write_text(
        "\n".join(["code,name,kind,parent,region", *(f"{row},330200" for row in listed)])
    )
    assert ready("sources", "import", str(file)).code == 0
    placed = [part for at in range(3) for part in ("--source", f"O{at}")]
    ready("seed", "--batch", "b", *placed, "--carrier", "ZTO", "--per-source", "6")
    ready("plant", "confirm", "--batch", "b")
    wanted = ["--coverage", "0.95", "--fraction", "1", "--trials", "6", "--random-seed", "2"]
    found = ready("design", "simulate", *wanted, "--json").json
    assert {one["stage"] for one in found["stages"]} <= {"outlet", "platform", "sorting"}
    assert (found["wrong"], found["nothing_seen"]) == (0, 0)
    assert [one["first"] for one in found["cannot_tell_apart"]] == ["T"]
    assert found["without_baits"] == ["IDLE"]


def test_nothing_placed_is_nothing_to_try(ready):
    ran = ready("design", "simulate")
    assert (ran.code, "confirm a planting" in ran.err) == (1, True)


def test_simulated_world_can_be_attributed(canary, home, tmp_path):
    out = tmp_path / "one.json"
    canary("design", "simulate", "--kind", "copies", "--out", str(out), "--random-seed", "1")
    assert json.loads(out.read_text())["schema"] == "attribution-world/1"
    assert "posteriors" in canary("attribute", str(out), "--json").json


def test_missing_incident_is_told(canary, home):
    canary("init")
    for wanted in (["design", "next", "--incident", "4"], ["attribute", "--incident", "4"]):
        ran = canary(*wanted)
        assert (ran.code, "incident 4" in ran.err) == (1, True)
