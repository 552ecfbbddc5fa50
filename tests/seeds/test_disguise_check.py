from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeds.disguise_check import check_disguise, measure_auc
from seeds.errors import BadPlan
from seeds.lines import PlanSource
from seeds.make import NothingTaken, make_waybills
from seeds.people import NameStyle
from seeds.plausible import make_plausible_rows
from tests.seeds.planning import plan_alike

SOURCES = [
    PlanSource(code=f"S{i}", kind=kind, region=region, carriers=("YTO", "SF", "ZTO"))
    for i, (kind, region) in enumerate(
        (kind, region)
        for kind in ("outlet", "merchant")
        for region in ("3302", "4401", "5101", "1101")
    )
]
RECIPES = list(plan_alike(SOURCES, per_source=100).recipes)


def _baits(style, source):
    made = make_waybills(RECIPES, taken=NothingTaken(), phones=(), random=source, names=style)
    return [waybill for _, waybill in made]


@pytest.fixture(scope="module")
def rows():
    """As many plausible rows as baits, on the same lanes."""
    lanes = [(recipe.region, recipe.destination) for recipe in RECIPES]
    return list(make_plausible_rows(lanes, ("YTO", "SF", "ZTO"), Random(11)))


@pytest.mark.parametrize("style", [NameStyle.BLENDED, NameStyle.USUAL])
def test_baits_pass_for_real(rows, style):
    found = check_disguise(_baits(style, Random(12)), rows, Random(1))
    assert found.auc <= 0.60


def test_rare_surnames_are_what_gives_away(rows):
    """The price of telling masked names apart: a whole batch of rare surnames stands out."""
    found = check_disguise(_baits(NameStyle.RARE, Random(12)), rows, Random(1))
    assert found.telling == "surname"
    assert found.auc > 0.7


@pytest.mark.parametrize(
    ("change", "feature"),
    [
        ({"goods": "样衣"}, "goods"),
        ({"weight_g": 505}, "weight"),
        ({"sender_name": "测试"}, "sender"),
        ({"number": "YT0000000000000"}, "number digits"),
        ({"detail": "测试地址"}, "address form"),
        ({"minute": 185}, "hour"),
    ],
)
def test_careless_baits_are_found_out(rows, change, feature):
    baits = [replace(row, **change) for row in rows[:400]]
    found = check_disguise(baits, rows[400:], Random(1))
    assert found.auc > 0.99
    assert dict(found.features)[feature] > 0.95


def test_rows_against_themselves_are_not_told_apart(rows):
    assert check_disguise(rows[::2], rows[1::2], Random(1)).auc == pytest.approx(0.5, abs=0.08)


def test_too_few_rows_are_refused(rows):
    with pytest.raises(BadPlan, match="mend: give at least 100 of each"):
        check_disguise(rows[:99], rows, Random(1))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30).filter(
        lambda pairs: len({truth for _, truth in pairs}) == 2
    )
)
def test_auc_agrees_with_counting_pairs(pairs):
    true = [score for score, truth in pairs if truth]
    false = [score for score, truth in pairs if not truth]
    wins = sum((a > b) + (a == b) / 2 for a in true for b in false)
    scores, truth = zip(*pairs, strict=True)
    assert measure_auc(scores, truth) == pytest.approx(wins / (len(true) * len(false)))
