from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeds.errors import BadPlan
from seeds.power import chance_seen, count_baits_needed, count_days_needed


@given(
    days=st.integers(0, 10),
    parcels=st.integers(1, 60),
    baits=st.integers(0, 60),
    rows=st.integers(0, 70),
)
def test_chance_agrees_with_counting(days, parcels, baits, rows):
    baits = min(baits, parcels)
    shown = min(rows, parcels)
    missed = comb(parcels - baits, shown) / comb(parcels, shown)
    assert chance_seen(
        days=days, baits_per_day=baits, parcels_per_day=parcels, rows_shown_per_day=rows
    ) == pytest.approx(1 - missed**days, abs=1e-9)


@given(days=st.integers(1, 30), parcels=st.integers(1, 30_000), rows=st.integers(1, 2_000))
def test_needed_baits_are_the_least(days, parcels, rows):
    watch = {"days": days, "parcels_per_day": parcels, "rows_shown_per_day": rows}
    needed = count_baits_needed(**watch)
    assert chance_seen(baits_per_day=needed, **watch) >= 0.95
    assert chance_seen(baits_per_day=needed - 1, **watch) < 0.95


def test_days_needed_reach_the_chance():
    watch = {"baits_per_day": 4, "parcels_per_day": 5000, "rows_shown_per_day": 200}
    days = count_days_needed(**watch)
    assert chance_seen(days=days, **watch) >= 0.95 > chance_seen(days=days - 1, **watch)


def test_no_baits_are_never_seen():
    watch = {"baits_per_day": 0, "parcels_per_day": 5000, "rows_shown_per_day": 200}
    assert count_days_needed(**watch) is None


@pytest.mark.parametrize(
    "change",
    [{"days": -1}, {"baits_per_day": 11}, {"parcels_per_day": 0}, {"rows_shown_per_day": -1}],
)
def test_impossible_volume_is_refused(change):
    watch = {"days": 1, "baits_per_day": 1, "parcels_per_day": 10, "rows_shown_per_day": 1}
    with pytest.raises(BadPlan, match="mend: give"):
        chance_seen(**(watch | change))


@pytest.mark.parametrize("change", [{"chance": 1.0}, {"days": 0}, {"rows_shown_per_day": 0}])
def test_unreachable_chance_is_refused(change):
    watch = {"days": 7, "parcels_per_day": 10, "rows_shown_per_day": 1}
    with pytest.raises(BadPlan, match="mend: "):
        count_baits_needed(**(watch | change))
