from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeds.errors import BadPlan
from seeds.lines import PlanLine, PlanSource, list_flaws
from seeds.plan import count_controls, plan_lines
from seeds.stock import Stock
from tests.seeds.planning import plan_alike


def _outlets(count: int, **fields: object) -> list[PlanSource]:
    settings = {"region": "330200", "carriers": ("YTO", "SF")} | fields
    return [PlanSource(code=f"S{i}", **settings) for i in range(count)]


@given(baits=st.integers(1, 5000), share=st.floats(0.05, 0.5))
def test_controls_make_up_their_share(baits, share):
    controls = count_controls(baits, share)
    assert controls >= 2
    assert controls / (baits + controls) >= share - 1e-9
    assert controls == 2 or (controls - 1) / (baits + controls - 1) < share


def test_batch_of_twenty_keeps_two_at_home():
    plan = plan_alike(_outlets(18), per_source=1)
    assert plan.total == 20
    assert len(plan.controls) == 2


def test_each_source_gets_its_baits():
    plan = plan_alike(_outlets(5), per_source=4)
    assert Counter(recipe.source for recipe in plan.recipes) == {f"S{i}": 4 for i in range(5)}
    assert {recipe.carrier for recipe in plan.recipes} == {"YTO", "SF"}


def test_counts_may_differ_by_source():
    plan = plan_alike(_outlets(2), per_source=1, counts={"S1": 7})
    assert Counter(recipe.source for recipe in plan.recipes) == {"S0": 1, "S1": 7}


def test_controls_look_like_the_batch():
    plan = plan_alike(_outlets(40, kind="merchant"), per_source=4, controls=0.2)
    placed = {(r.carrier, r.region, r.destination) for r in plan.recipes}
    assert {(r.carrier, r.region, r.destination) for r in plan.controls} <= placed
    assert {(r.source, r.phone) for r in plan.controls} == {(None, False)}
    assert len({r.destination for r in plan.controls}) > 5


def test_baits_are_spread_over_the_days():
    plan = plan_alike(_outlets(1), per_source=6, days=3)
    assert [recipe.day for recipe in plan.recipes] == [0, 0, 1, 1, 2, 2]


def test_merchants_send_and_outlets_deliver():
    plan = plan_alike(
        [*_outlets(1), PlanSource(code="M", kind="merchant", region="3307", carriers=("JT",))],
        per_source=2,
    )
    lanes = {recipe.source: recipe.destination is None for recipe in plan.recipes}
    assert lanes == {"S0": True, "M": False}


def test_nobody_sends_to_his_own_city():
    plan = plan_alike(_outlets(30, kind="merchant", region="310100"), per_source=4)
    assert "3101" not in {recipe.destination for recipe in plan.recipes}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": []}, "import sources first"),
        ({"per_source": 0}, "give at least 1"),
        ({"per_source": -3}, "give at least 1"),
        ({"controls": 0.04}, "give 0.05 to 0.5"),
        ({"controls": 1.0}, "give 0.05 to 0.5"),
        ({"days": 0}, "give at least 1"),
        ({"carrier": "ZTO"}, "use one of YTO, SF"),
        ({"sources": _outlets(1, carriers=()), "carrier": "GTO"}, "current"),
        ({"counts": {"S0": 0}}, "leave the source out"),
        ({"sources": _outlets(1, region="")}, "has no region"),
        ({"sources": _outlets(1, region="999999")}, "division code of 2023"),
        ({"sources": _outlets(1, carriers=())}, "names no carrier"),
        ({"sources": _outlets(1, carriers=("BEST",))}, "current"),
    ],
)
def test_bad_plan_names_field_and_mend(change, message):
    arguments = {"sources": _outlets(2), "per_source": 1} | change
    with pytest.raises(BadPlan, match=message) as raised:
        plan_alike(arguments.pop("sources"), **arguments)
    assert raised.value.field


def test_empty_phone_pool_is_warned_of():
    (warning,) = plan_alike(_outlets(2), per_source=2, stock=Stock(phones=0)).warnings
    assert warning == "the phone pool is empty: 4 baits get no phone and catch no message"


def test_scarce_phones_are_warned_of():
    (warning,) = plan_alike(_outlets(2), per_source=2, stock=Stock(phones=3)).warnings
    assert "4 baits share 3 phones" in warning


def test_phones_left_under_mask_are_told():
    stock = Stock(phones=50, fresh_phones=7)
    (warning,) = plan_alike(_outlets(2), per_source=2, stock=stock).warnings
    assert warning.startswith("4 phones are wanted, 7 are left")


@pytest.mark.parametrize(("left", "told"), [({"3302": 700}, True), ({"3302": 900}, False)])
def test_crowded_city_is_told_what_is_left(left, told):
    stock = Stock(names_per_city=1000, names_left=left)
    warnings = plan_alike(_outlets(100), per_source=4, stock=stock).warnings
    said = ("400 names are wanted in region 330200, where 700 are left that differ under a mask",)
    assert warnings == (said if told else ())


def test_reserved_numbers_left_are_told():
    stock = Stock(numbers_left={"YTO": 9, "SF": 1000})
    (warning,) = plan_alike(_outlets(2), per_source=4, stock=stock).warnings
    assert warning == "6 reserved numbers of YTO are wanted, 9 are left"


def test_carrier_from_abroad_is_warned_of():
    (warning,) = plan_alike(_outlets(1, carriers=("UPS",)), per_source=1).warnings
    assert "UPS serves no lane inside China" in warning


def _line(**fields):
    return PlanLine(**({"source": _outlets(1)[0], "count": 1, "row": 7} | fields))


@pytest.mark.parametrize(
    ("fields", "kind", "lane"),
    [
        ({"origin": "3307"}, "outlet", ("3307", "330200")),
        ({"destination": "4403"}, "outlet", ("330200", "4403")),
        ({"origin": "3307", "destination": "5101"}, "merchant", ("3307", "5101")),
    ],
)
def test_lane_of_a_line_is_kept(fields, kind, lane):
    plan = plan_lines([_line(source=_outlets(1, kind=kind)[0], **fields)])
    assert {(recipe.region, recipe.destination) for recipe in plan.recipes} == {lane}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": -5}, "count"),
        ({"origin": "999999"}, "origin"),
        ({"destination": "0"}, "destination"),
        ({"carrier": "ZTO"}, "carrier"),
        ({"source": _outlets(1, carriers=("DHL",))[0], "destination": "4403"}, "carrier"),
        ({"source": _outlets(1, region="")[0]}, "region"),
    ],
)
def test_every_bad_line_is_told_with_its_row(fields, field):
    flaws = list_flaws([_line(), _line(**fields), _line(**fields | {"row": 9})])
    assert [(flaw.row, flaw.field) for flaw in flaws] == [(7, field), (9, field)]
    assert all(flaw.mend for flaw in flaws)


def test_plan_of_a_million_is_small():
    """Recipes are told as they are wanted: none is kept."""
    plan = plan_alike(_outlets(10), per_source=100_000)
    assert plan.total == 1_052_632
    assert len(list(islice(plan.all_recipes, 20))) == 20


def test_parent_without_baits_is_warned_of():
    (warning,) = plan_alike(_outlets(2, parent="REGION-EAST"), per_source=1).warnings
    assert "REGION-EAST can query" in warning
