"""The network is imported as a whole or not at all."""

import pytest

from canary.domain.errors import Invalid, NotFound
from canary.services.exports import write_csv
from canary.services.stock.sources import COLUMNS, get_source, list_sources
from canary.storage.tables import AuditEntry, Incident, Source
from tests.factories import NETWORK, Office, listing

HEAD = "code,name,kind,parent,region,carriers,daily_parcels,stage,contact\n"


def flaws_of(office: Office, text: str) -> list[tuple[int | None, str | None]]:
    before = office.count_all()
    with pytest.raises(Invalid) as refusal:
        office.import_sources(text)
    assert office.count_all() == before
    assert all(flaw.mend and flaw.problem for flaw in refusal.value.flaws)
    return [(flaw.row, flaw.field) for flaw in refusal.value.flaws]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (",x,outlet,,,,,,", "code"),
        ("A B,x,outlet,,,,,,", "code"),
        ("x\u200b y,x,outlet,,,,,,", "code"),
        (f"{'x' * 65},x,outlet,,,,,,", "code"),
        ("A,,outlet,,,,,,", "name"),
        (f"A,{'长' * 201},outlet,,,,,,", "name"),
        ("A,x,shop,,,,,,", "kind"),
        ("A,x,,,,,,,", "kind"),
        ("A,x,OUTLET,,,,,,", "kind"),
        ("A,x,outlet,NOBODY,,,,,", "parent"),
        ("A,x,outlet,A,,,,,", "parent"),
        ("A,x,outlet,,33010,,,,", "region"),
        ("A,x,outlet,,浙江,,,,", "region"),
        ("A,x,outlet,,٣٣,,,,", "region"),
        ("A,x,outlet,,,FEDEX,,,", "carriers"),
        ("A,x,outlet,,,,-1,,", "daily_parcels"),
        ("A,x,outlet,,,,1.5,,", "daily_parcels"),
        ("A,x,outlet,,,,１２,,", "daily_parcels"),
        (f"A,x,outlet,,,,{'9' * 5000},,", "daily_parcels"),
        ("A,x,outlet,,,,1.2E+03,,", "daily_parcels"),
        (f"A,x,outlet,,,,,{'s' * 21},", "stage"),
        ("A,=1+1,outlet,,,,,,", "name"),
    ],
)
def test_flawed_row_refuses_the_file(office: Office, row: str, field: str) -> None:
    text = f"{HEAD}GOOD,good,outlet,,33,YTO,1,,\n{row}\n"
    assert flaws_of(office, text) == [(3, field)]
    assert office.count(Source) == 0


def test_missing_column_refuses_the_file(office: Office) -> None:
    assert flaws_of(office, "code,kind\nA,outlet\n") == [(1, "name")]


def test_duplicate_code_names_both_rows(office: Office) -> None:
    text = f"{HEAD}A,x,outlet,,,,,,\nB,y,outlet,,,,,,\nA,z,outlet,,,,,,\n"
    assert flaws_of(office, text) == [(4, "code")]


@pytest.mark.parametrize("broken", ["A,甲,outlet,B,,,,,\nB,乙,hub,C,,,,,\nC,丙,hub,A,,,,,\n"])
def test_circle_of_parents_is_refused(office: Office, broken: str) -> None:
    assert flaws_of(office, HEAD + broken) == [(2, "parent")]


def test_circle_through_stored_sources_is_refused(office: Office) -> None:
    office.import_sources()
    assert flaws_of(office, "code,name,kind,parent\nSYS,全网系统,system,OUT-A1\n") == [
        (2, "parent")
    ]


def test_all_flaws_are_told_at_once(office: Office) -> None:
    text = f"{HEAD},x,shop,,,,,,\nB,,outlet,Q,,,,,\n"
    assert flaws_of(office, text) == [(2, "code"), (2, "kind"), (3, "name"), (3, "parent")]


def test_same_file_twice_changes_nothing(office: Office) -> None:
    assert office.import_sources().created == 7
    again = office.import_sources()
    assert (again.created, again.updated, again.unchanged) == (0, 0, 7)


def test_children_may_stand_before_parents(office: Office) -> None:
    head, *rows = NETWORK.splitlines()
    office.import_sources("\n".join([head, *reversed(rows)]))
    with office.database.read() as session:
        parents = {row["code"]: row["parent"] for row in list_sources(session)}
    assert parents["OUT-B2"] == "HUB-B"
    assert parents["SYS"] == ""


def test_update_changes_what_it_names(office: Office) -> None:
    office.import_sources()
    result = office.import_sources("code,name,kind,parent\nOUT-A1,新名,outlet,HUB-B\n")
    assert (result.created, result.updated) == (0, 1)
    with office.database.read() as session:
        changed = get_source(session, "OUT-A1")
        assert (changed.name, changed.parent_id) == ("新名", get_source(session, "HUB-B").id)


def test_absent_columns_are_left_alone(office: Office) -> None:
    """A table of names alone must not tear the network apart."""
    office.import_sources()
    office.import_sources("code,name,kind\nOUT-A1,滨江二部,outlet\n")
    with office.database.read() as session:
        kept = get_source(session, "OUT-A1")
        assert kept.parent_id == get_source(session, "HUB-A").id
        assert (kept.region, kept.carriers, kept.daily_parcels) == ("330108", ["YTO", "ZTO"], 900)


def test_empty_cells_empty_the_field(office: Office) -> None:
    office.import_sources()
    office.import_sources("code,name,kind,region\nOUT-A1,滨江网点,outlet,\n")
    with office.database.read() as session:
        assert get_source(session, "OUT-A1").region is None


def test_export_reads_back_unchanged(office: Office) -> None:
    office.import_sources()
    with office.database.read() as session:
        written = write_csv(COLUMNS, list_sources(session))
    assert office.import_sources(written.decode("utf-8-sig")).unchanged == 7


def test_import_is_written_down(office: Office) -> None:
    office.import_sources()
    entry = office.only(AuditEntry)
    assert (entry.actor, entry.action) == ("test", "sources.imported")
    assert entry.details == {"created": 7, "updated": 0}


@pytest.mark.parametrize(
    ("moved", "is_judged_anew"), [("HUB-A,x,hub,HUB-B", 1), ("OUT-B1,x,outlet,HUB-A", 0)]
)
def test_moved_source_judges_what_is_below_anew(
    office: Office, moved: str, is_judged_anew: int
) -> None:
    """Another account above could have read the baits of an outlet from now on."""
    office.plant()
    number = office.values_at("OUT-A1")[0].number or ""
    office.post(office.add_reporter(), listing(number))
    office.work()
    office.import_sources(f"code,name,kind,parent\n{moved}\n")
    incident = office.only(Incident)
    assert incident.evidence_version == incident.attributed_version + is_judged_anew


def test_unknown_source_is_not_found(office: Office) -> None:
    with office.database.read() as session, pytest.raises(NotFound, match="sources list"):
        get_source(session, "NOBODY")
