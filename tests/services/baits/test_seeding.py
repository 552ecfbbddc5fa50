"""A batch is made once, whole, and out of values nobody had before."""

from dataclasses import replace
from typing import Any

import pytest

from canary.domain.errors import CanaryError, Conflict, Invalid, NotFound
from canary.domain.identifiers import canonical_number
from canary.services.baits import seeding
from canary.services.baits.orders import PlanRow, SeedOrder
from canary.services.baits.seeding import seed_batch
from canary.storage.tables import Bait, Batch, Identifier, Phone, Placement
from seeds.numbers import identify
from tests.factories import OWNED, Office


@pytest.fixture
def network(office: Office) -> Office:
    office.import_sources()
    office.import_phones(20)
    return office


def test_every_source_gets_its_share(network: Office) -> None:
    made = network.seed(per_source=4)
    assert (made.sources, made.baits, made.created) == (7, 28, 28 + made.controls)
    assert network.count(Placement) == 28
    assert network.count(Bait, is_control=True) == made.controls
    assert len(network.values_at("HUB-A")) == 4


def test_controls_are_at_least_two(network: Office) -> None:
    assert network.seed("small", sources=("OUT-A1",), per_source=1).controls == 2
    assert network.seed("large", per_source=20, controls=0.1).controls >= 14


def test_dry_run_changes_nothing(network: Office) -> None:
    before = network.count_all()
    shown = seed_batch(network.nursery, SeedOrder(batch="b1"), dry_run=True)
    assert (shown.baits, shown.created) == (28, 0)
    assert network.count_all() == before


def test_same_name_twice_makes_nothing(network: Office) -> None:
    first = network.seed()
    before = network.count_all()
    again = network.seed(per_source=9)
    assert (again.created, again.baits, again.controls) == (0, first.baits, first.controls)
    assert "nothing new" in again.warnings[0]
    assert network.count_all() == before


def test_interrupted_batch_continues(network: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "CHUNK", 5)

    def stop(done: int, _: int) -> None:
        if done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed_batch(network.nursery, SeedOrder(batch="b1"), progress=stop)
    assert network.count(Bait) == 10
    done = network.seed()
    assert network.count(Bait) == done.baits + done.controls == 10 + done.created
    assert len(network.values_at("SYS")) == len(network.values_at("OUT-B2")) == 4
    assert network.only(Batch).state == "issued"


def test_two_seeders_do_not_double_a_batch(
    network: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody starts the same command again while the first still runs."""
    monkeypatch.setattr(seeding, "CHUNK", 5)
    started: list[Any] = []

    def intrude(done: int, _: int) -> None:
        if not started:
            started.append(done)
            network.seed()

    with pytest.raises(Conflict):
        seed_batch(network.nursery, SeedOrder(batch="b1"), progress=intrude)
    assert network.count(Placement) == 28
    assert network.count(Bait) == 30


def test_numbers_are_valid_and_unique(network: Office) -> None:
    network.seed(per_source=12)
    numbers = [one.number or "" for one in network.all_values()]
    assert len(set(numbers)) == len(numbers)
    for one in network.all_values():
        carriers = {found.carrier for found in identify(one.number or "")}
        assert one.carrier in carriers
        assert canonical_number(one.number or "") == one.number


def test_names_do_not_repeat_under_masks(network: Office) -> None:
    network.seed("b1", per_source=10)
    network.seed("b2", per_source=10)
    values = network.all_values()
    assert len({one.name for one in values}) == len(values)


def test_phones_come_from_the_pool_alone(network: Office) -> None:
    network.seed()
    phones = {one.phone for one in network.all_values() if one.phone}
    assert phones <= set(OWNED[:20])
    assert phones


def test_controls_carry_no_phone(network: Office) -> None:
    network.seed()
    assert [one.phone for one in network.all_values(is_control=True)] == [None, None]


def test_control_phones_are_never_given_out(network: Office) -> None:
    network.seed("b1")
    network.seed("b2")
    controls = {phone.id for phone in network.rows(Phone) if phone.is_control}
    assert controls
    assert not controls & {bait.phone_id for bait in network.rows(Bait)}


def test_empty_pool_is_said_clearly(office: Office) -> None:
    office.import_sources()
    made = office.seed()
    assert made.with_phone == 0
    assert any("pool is empty" in warning for warning in made.warnings)
    assert {one.phone for one in office.all_values()} == {None}


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"per_source": 0}, "per_source"),
        ({"per_source": -4}, "per_source"),
        ({"controls": 0.0}, "controls"),
        ({"controls": 0.9}, "controls"),
        ({"controls": float("nan")}, "controls"),
        ({"rows": (PlanRow(source="OUT-A1", count=0, row=2),)}, "count"),
        ({"rows": (PlanRow(source="OUT-A1", count=-1, row=2),)}, "count"),
        ({"carrier": "SF"}, "carrier"),
        ({"carrier": "nobody"}, None),
        ({"batch": ""}, "batch"),
        ({"batch": "x" * 121}, "batch"),
        ({"batch": "a\nb"}, "batch"),
    ],
    ids=str,
)
def test_impossible_order_changes_nothing(
    network: Office, order: dict[str, Any], field: str | None
) -> None:
    before = network.count_all()
    with pytest.raises(Invalid) as refusal:
        seed_batch(network.nursery, SeedOrder(**{"batch": "b1", **order}))
    assert field in (refusal.value.flaws[0].field, None)
    assert refusal.value.flaws[0].mend
    assert network.count_all() == before


def test_unknown_source_is_not_found(network: Office) -> None:
    before = network.count_all()
    with pytest.raises(NotFound, match="NOBODY"):
        network.seed(sources=("OUT-A1", "NOBODY"))
    assert network.count_all() == before


def test_source_without_region_is_told(office: Office) -> None:
    office.import_sources("code,name,kind,carriers\nA,x,outlet,YTO\n")
    with pytest.raises(Invalid, match="region"):
        office.seed()
    assert office.count(Batch) == 0


def test_empty_network_is_told(office: Office) -> None:
    with pytest.raises(CanaryError, match="import sources"):
        office.seed()
    assert office.count(Batch) == 0


def test_number_taken_meanwhile_is_drawn_again(
    network: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unique constraint refuses a number that another batch took in the same moment."""
    network.seed("b1", sources=("OUT-A1",))
    stolen = network.values_at("OUT-A1")[0].number or ""
    make, calls = seeding.make_waybills, []

    def steal_once(*args: Any, **more: Any) -> Any:
        calls.append(1)
        for made in make(*args, **more):
            first = len(calls) == 1
            waybill = replace(made.waybill, number=stolen) if first else made.waybill
            yield made._replace(waybill=waybill)

    monkeypatch.setattr(seeding, "make_waybills", steal_once)
    made = network.seed("b2", sources=("OUT-A1",))
    numbers = [one.number for one in network.all_values()]
    assert len(calls) == 2
    assert made.created == made.baits + made.controls == len(numbers) // 2
    assert len(set(numbers)) == len(numbers)


def test_unique_constraint_guards_numbers(network: Office) -> None:
    from sqlalchemy.exc import IntegrityError

    network.seed(sources=("OUT-A1",))
    number = network.rows_of_identifiers("number")[0]
    other = next(bait.id for bait in network.rows(Bait) if bait.id != number.bait_id)
    with pytest.raises(IntegrityError), network.database.write() as session:
        session.add(Identifier(value_key=number.value_key, bait_id=other, kind="number"))


def test_progress_is_told(network: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "CHUNK", 10)
    steps: list[tuple[int, int]] = []
    seed_batch(network.nursery, SeedOrder(batch="b1"), progress=lambda *step: steps.append(step))
    assert steps == [(10, 30), (20, 30), (30, 30)]
