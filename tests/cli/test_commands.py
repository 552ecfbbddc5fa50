"""Commands parse, call one service, print; what goes wrong is one sentence and an exit code."""

import json
import re
import stat
from pathlib import Path

import click
import pytest

from canary.cli import root
from tests.cli.conftest import Canary
from tests.factories import NETWORK, OWNED


@pytest.fixture
def network(ready: Canary, tmp_path: Path) -> Canary:
    (tmp_path / "sources.csv").write_text(NETWORK, "utf-8-sig")
    (tmp_path / "phones.csv").write_text("number\n" + "\n".join(OWNED[:20]), "utf-8")
    assert ready("sources", "import", "sources.csv").code == 0
    assert ready("phones", "import", "phones.csv").code == 0
    return ready


def walk(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = [path]
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found += walk(inner, (*path, name))
    return found


@pytest.mark.parametrize("path", walk(root), ids=" ".join)
def test_every_command_explains_itself(canary: Canary, path: tuple[str, ...]) -> None:
    told = canary(*path, "--help")
    assert told.code == 0
    assert "Usage:" in told.out


def test_init_makes_a_private_place(canary: Canary, home: Path) -> None:
    told = canary("init", "--json")
    assert told.json["administrator"] == "admin"
    assert len(told.json["password"]) >= 16
    assert stat.S_IMODE((home / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) & 0o077 == 0


def test_second_init_changes_nothing(ready: Canary, home: Path) -> None:
    before = (home / "secrets.json").read_bytes()
    told = ready("init", "--json")
    assert (told.code, told.json["password"]) == (0, None)
    assert (home / "secrets.json").read_bytes() == before


def test_tour_from_sources_to_sheets(network: Canary, tmp_path: Path) -> None:
    dry = network("seed", "--batch", "b1", "--all", "--per-source", "3", "--dry-run", "--json")
    assert (dry.json["baits"], dry.json["created"]) == (21, 0)
    made = network("seed", "--batch", "b1", "--all", "--per-source", "3", "--json")
    assert made.json["created"] == 21 + made.json["controls"]
    sheets = network("plant", "export", "--batch", "b1", "--out", "sheets", "--json")
    assert sheets.code == 0
    assert len(list((tmp_path / "sheets").glob("*.csv"))) == 7
    confirmed = network("plant", "confirm", "--batch", "b1", "--json")
    assert confirmed.json["confirmed"] == 21
    assert network("seed", "--batch", "b1", "--all", "--json").json["created"] == 0


def test_manual_report_is_taken(network: Canary) -> None:
    taken = network("report", "--text", "单号 YT1234567890123", "--venue", "QQ", "--json")
    assert re.fullmatch(r"I-[A-Z2-9]{10}", taken.json["inbox"])
    again = network("report", "--text", "单号 YT1234567890123", "--venue", "QQ", "--json")
    assert again.json == taken.json


def test_dry_run_of_import_changes_nothing(ready: Canary, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(NETWORK, "utf-8")
    assert ready("sources", "import", "s.csv", "--dry-run", "--json").json["created"] == 7
    assert ready("sources", "list", "--json").json == []


def test_lists_come_as_table_and_json(network: Canary) -> None:
    assert len(network("sources", "list", "--json").json) == 7
    assert "OUT-A1" in network("sources", "list").out
    phones = network("phones", "list").out
    assert OWNED[0] not in phones
    assert f"{OWNED[0][:3]}****" in phones


def test_exported_sources_read_back(network: Canary) -> None:
    assert network("sources", "export", "out.csv").code == 0
    again = network("sources", "import", "out.csv", "--json")
    assert again.json["unchanged"] == 7


def test_reporter_secret_is_shown_once(ready: Canary) -> None:
    added = ready("reporter", "add", "gate", "--format", "standard", "--class", "own", "--json")
    secret = added.json["secret"]
    assert secret.startswith("whsec_")
    assert secret not in ready("reporter", "list", "--json").out
    assert ready("reporter", "add", "gate", "--format", "standard", "--class", "own").code == 1


def test_user_gets_a_one_time_password(ready: Canary) -> None:
    added = ready("user", "add", "lin", "--role", "analyst", "--json")
    assert len(added.json["password"]) >= 16
    assert ready("user", "add", "lin", "--role", "analyst").code == 1
    listed = ready("user", "list", "--json").json
    assert ("lin", "analyst", True) in [(row["name"], row["role"], row["active"]) for row in listed]


def test_reset_user_gets_another_password(ready: Canary) -> None:
    added = ready("user", "add", "lin", "--role", "analyst", "--json")
    again = ready("user", "reset", "lin", "--json")
    assert again.json["password"] != added.json["password"]
    assert ready("user", "reset", "nobody").code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], 2),
        (["seed", "--batch", "b"], 1),
        (["seed", "--batch", "b", "--all", "--source", "A"], 2),
        (["seed", "--batch", "b", "--all", "--per-source", "0"], 2),
        (["seed", "--batch", "b", "--all"], 1),
        (["seed", "--batch", "b", "--source", "NOBODY"], 1),
        (["sources", "import", "missing.csv"], 2),
        (["sources", "export", "no/such/folder/x.csv"], 1),
        (["plant", "export", "--batch", "none", "--out", "x"], 1),
        (["plant", "confirm", "--batch", "none"], 1),
        (["plant", "confirm", "--batch", "none", "--at", "yesterday"], 1),
        (["report"], 2),
        (["report", "--text", "a", "--file", "x"], 2),
        (["report", "--text", "  "], 1),
        (["incidents", "show", "99"], 1),
        (["incidents", "show", "x"], 2),
        (["incidents", "show", "9" * 23], 2),
        (["attribute", "--incident", "9" * 23], 2),
        (["plant", "rotate", "--older-than", "9" * 11], 2),
        (["endpoint", "add", "e", "http://127.0.0.1/x"], 1),
        (["endpoint", "add", "e", "nonsense"], 1),
        (["endpoint", "test", "nobody"], 1),
        (["carriers", "check"], 2),
        (["user", "add", "lin", "--role", "king"], 2),
        (["user", "add", "", "--role", "admin"], 1),
        (["reporter", "add", "a b", "--format", "standard", "--class", "own"], 1),
        (
            ["reporter", "add", "a", "--format", "standard", "--class", "own", "--receiver", "x"],
            1,
        ),
    ],
    ids=str,
)
def test_failure_is_one_sentence(ready: Canary, arguments: list[str], code: int) -> None:
    told = ready(*arguments)
    assert told.code == code
    assert told.err.strip()
    assert len(told.err) < 1500


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ("code,kind\nA,outlet\n", "row 1, field name"),
        ("code,name,kind\nA,x,outlet\nA,y,outlet\n", "row 3, field code"),
        ("code,name,kind,parent\nA,x,outlet,B\nB,y,hub,A\n", "row 2, field parent"),
        ("code,name,kind\nA,x,shop\n", "row 2, field kind"),
        ("code,name,kind\nA,\xff\xff,outlet\n", "row 2, field encoding"),
    ],
)
def test_bad_sources_tell_row_field_and_mend(
    ready: Canary, tmp_path: Path, table: str, place: str
) -> None:
    (tmp_path / "bad.csv").write_bytes(table.encode("latin-1"))
    told = ready("sources", "import", "bad.csv")
    assert told.code == 1
    assert place in told.err
    assert "mend:" in told.err
    assert ready("sources", "list", "--json").json == []


@pytest.mark.parametrize(
    ("count", "field"),
    [("0", "count"), ("-1", "count"), ("x", "count"), ("1.5", "count"), ("9" * 5000, "count")],
)
def test_bad_plan_tells_row_and_field(
    network: Canary, tmp_path: Path, count: str, field: str
) -> None:
    (tmp_path / "plan.csv").write_text(f"source,count\nOUT-A1,{count}\n")
    told = network("seed", "--batch", "b1", "--file", "plan.csv")
    assert told.code == 1
    assert f"row 2, field {field}" in told.err


def test_plan_file_decides_the_counts(network: Canary, tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text("source,count\nOUT-A1,3\nOUT-B1,5\n")
    made = network("seed", "--batch", "b1", "--file", "plan.csv", "--json")
    assert (made.json["sources"], made.json["baits"]) == (2, 8)


def test_command_before_init_says_so(canary: Canary) -> None:
    told = canary("sources", "list")
    assert told.code == 1
    assert "canary init" in told.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CANARY_LANG", "fr"),
        ("CANARY_TIMEZONE", "Mars/Base"),
        ("CANARY_LOG_LEVEL", "loud"),
        ("CANARY_MAX_BODY", "many"),
        ("CANARY_PUBLIC_URL", "ftp://x"),
        ("CANARY_TRUSTED_PROXIES", "-1"),
        ("CANARY_METRICS_ALLOW", "10.0.0.0/8,everywhere"),
        ("CANARY_REQUIRE_TOTP", "admin,king"),
        ("CANARY_DATABASE_URL", "mysql://x/y"),
        ("CANARY_DATABASE_URL", "nonsense"),
        ("CANARY_DATABASE_URL", "postgresql://u:hush@127.0.0.1:1/x"),
        ("CANARY_DATABASE_URL", "sqlite:////proc/no/x.sqlite3"),
        ("CANARY_HOME", "/proc/no/such/home"),
        ("CANARY_SECRET_FILE", "/proc/no/such/file"),
    ],
)
def test_wrong_setting_stops_with_one_sentence(
    canary: Canary, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    told = canary("init")
    assert told.code == 1
    assert told.err.startswith("Error: ")
    assert "hush" not in told.err


def test_lost_secret_file_is_not_replaced_silently(ready: Canary, home: Path) -> None:
    (home / "secrets.json").unlink()
    told = ready("init")
    assert told.code == 1
    assert "secret file" in told.err


def test_second_server_on_one_file_refuses(ready: Canary, home: Path) -> None:
    from canary.bootstrap import hold_sole_writer, open_application

    with hold_sole_writer(open_application()):
        told = ready("work")
    assert told.code == 1
    assert "PostgreSQL" in told.err


def test_many_workers_need_postgresql(ready: Canary) -> None:
    told = ready("serve", "--workers", "2", "--port", "0")
    assert told.code == 2
    assert "PostgreSQL" in told.err


def test_carriers_of_a_number_are_told(canary: Canary) -> None:
    told = canary("carriers", "check", "YT2012345678901", "x", "--json")
    assert told.json[0]["number"] == "YT2012345678901"
    assert told.json[0]["carriers"][0] == "YTO"
    assert told.json[1]["carriers"] == []


def test_world_file_is_attributed(canary: Canary, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps({"schema": "other"}))
    told = canary("attribute", "bad.json", "--json")
    assert told.code == 1
    assert told.err.startswith("Error: ")
