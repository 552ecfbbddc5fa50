"""Ranges the carrier gave: never used, reserved, voided; the crown jewels stay sealed."""

from datetime import timedelta

import pytest

from canary.domain.errors import Invalid
from canary.services.baits.orders import SeedOrder
from canary.services.baits.seeding import seed_batch
from canary.services.stock.imports import TableRow
from canary.services.stock.ranges import RangeUse, import_ranges, list_ranges
from canary.storage.tables import Bait, NumberRange
from tests.factories import Office

BLOCK = {"carrier": "YTO", "from": "YT2047183659000", "to": "YT2047183659009", "use": "reserved"}
VOIDED = {"carrier": "YTO", "from": "YT2999000000001", "use": "voided"}


@pytest.fixture
def network(office: Office) -> Office:
    office.import_sources()
    return office


def give(office: Office, *cells: dict[str, str], use: RangeUse | None = None) -> int:
    rows = [TableRow(number=place, cells=one) for place, one in enumerate(cells, start=2)]
    with office.database.write() as session:
        made = import_ranges(session, office.vault, rows, use=use, actor="test", now=office.clock())
    return made.created


def seed(office: Office, batch: str, per_source: int = 1, **order: object) -> int:
    wanted = SeedOrder(
        batch=batch, sources=("OUT-A1",), per_source=per_source, carrier="YTO", **order
    )
    return seed_batch(office.nursery, wanted).created


def test_reserved_batch_takes_only_given_numbers(network: Office) -> None:
    give(network, BLOCK, VOIDED)
    seed(network, "b1", per_source=9, reserved=True)
    numbers = {value.number for value in network.all_values()}
    given = {f"YT204718365900{digit}" for digit in range(10)} | {"YT2999000000001"}
    assert numbers == given
    assert sum(one.used for one in network.rows(NumberRange)) == 11


def test_second_batch_takes_what_is_left(network: Office) -> None:
    give(network, BLOCK)
    seed(network, "b1", per_source=2, reserved=True)
    seed(network, "b2", per_source=2, reserved=True)
    assert len({value.number for value in network.all_values()}) == 8


def test_short_reserve_changes_nothing(network: Office) -> None:
    give(network, BLOCK)
    with pytest.raises(Invalid, match="12 reserved numbers of YTO are wanted, 10 are left"):
        seed(network, "b1", per_source=10, reserved=True)
    assert network.count(Bait) == 0


def test_lapsed_block_is_not_taken(network: Office) -> None:
    give(network, {**BLOCK, "until": "2026-11-20"})
    network.clock.move(timedelta(days=1))
    with pytest.raises(Invalid, match="0 are left"):
        seed(network, "b1", reserved=True)


def test_forbidden_range_is_never_used(network: Office) -> None:
    """All but one beginning of YTO numbers is closed; every number comes from the open one."""
    closed = [
        {"carrier": "YTO", "from": f"YT{d}000000000000", "to": f"YT{d}999999999999"}
        for d in "0134567 89".replace(" ", "")
    ]
    give(network, *closed, use=RangeUse.NEVER)
    seed(network, "b1", per_source=60)
    assert {value.number[:3] for value in network.all_values() if value.number} == {"YT2"}


def test_given_numbers_are_sealed_and_masked(network: Office) -> None:
    give(network, BLOCK, VOIDED)
    assert b"2047183659" not in b"".join(one.sealed_range for one in network.rows(NumberRange))
    with network.database.read() as session:
        shown = list_ranges(session, network.vault)
    assert [one["from"] for one in shown] == ["YT20********000", "YT29********001"]
    assert [one["size"] for one in shown] == [10, 1]


def test_same_ranges_twice_add_nothing(network: Office) -> None:
    assert (give(network, BLOCK), give(network, BLOCK, VOIDED)) == (1, 1)


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"carrier": "NOBODY"}, "carrier"),
        ({"to": "YT1"}, "from"),
        ({"to": "YT2047183658000"}, "from"),
        ({"from": "SF2047183659000"}, "from"),
        ({"use": "maybe"}, "use"),
        ({"use": ""}, "use"),
        ({"until": "soon"}, "until"),
        ({"note": "x" * 201}, "note"),
    ],
)
def test_flawed_range_refuses_the_file(network: Office, cells: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        give(network, VOIDED, {**BLOCK, **cells})
    assert [(flaw.row, flaw.field) for flaw in refusal.value.flaws] == [(3, field)]
    assert refusal.value.flaws[0].mend
    assert network.count(NumberRange) == 0
