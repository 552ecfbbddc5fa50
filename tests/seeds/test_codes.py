from collections import Counter
from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeds.codes import assign_phones, choose_weight, count_phones_needed, share_out
from seeds.errors import CapacityShort, PoolEmpty
from seeds.recipes import Recipe


def _phones(count: int) -> list[str]:
    return [f"1934027{i:04d}" for i in range(count)]


def _sources(count: int) -> list[str]:
    return [f"S{i:05d}" for i in range(count)]


@settings(max_examples=40, deadline=None)
@given(phones=st.integers(2, 30), sources=st.integers(1, 60), weight=st.integers(1, 8))
def test_every_source_has_its_own_set(phones, sources, weight):
    if comb(phones, weight) < sources:
        with pytest.raises(CapacityShort):
            assign_phones(
                _phones(phones), _sources(sources), weight=weight, controls=0, random=Random(1)
            )
        return
    code = assign_phones(
        _phones(phones), _sources(sources), weight=weight, controls=0, random=Random(1)
    )
    sets = {frozenset(held) for held in code.phones.values()}
    assert len(sets) == sources
    assert {len(held) for held in sets} == {weight}


def test_phones_are_shared_evenly():
    code = assign_phones(_phones(111), _sources(3000), weight=16, random=Random(2))
    loads = code.loads.values()
    assert sum(loads) == 48_000
    assert max(loads) - min(loads) <= 2


def test_control_phones_are_given_to_nobody():
    code = assign_phones(_phones(100), _sources(50), random=Random(3))
    assert len(code.controls) == 10
    assert not set(code.controls) & set(code.loads)


def test_sources_keep_phones_to_themselves_while_they_last():
    code = assign_phones(_phones(100), _sources(20), controls=0, random=Random(4))
    assert max(code.loads.values()) == 1
    assert {len(held) for held in code.phones.values()} == {5}


@pytest.mark.parametrize(("phones", "sources"), [(9, 100), (13, 1000), (16, 10_000), (18, 30_000)])
def test_smallest_code_is_the_balanced_one(phones, sources):
    """The Sperner bound of the attribution notes: so many SIMs for so many sources."""
    assert count_phones_needed(sources, phones // 2) == phones


@pytest.mark.parametrize(("phones", "sources"), [(100, 1000), (50, 30_000), (10, 40), (3, 3)])
def test_chosen_weight_is_enough(phones, sources):
    weight = choose_weight(phones, sources)
    assert comb(phones, weight) >= sources


def test_empty_pool_is_said_clearly():
    with pytest.raises(PoolEmpty, match="mend: import owned phones"):
        assign_phones([], ["S1"], random=Random(1))


def test_short_pool_says_how_many_are_needed():
    with pytest.raises(CapacityShort, match="own at least 13 phones"):
        assign_phones(_phones(8), _sources(1000), weight=6, controls=0, random=Random(1))


def test_controls_may_not_eat_the_pool():
    with pytest.raises(CapacityShort, match="leave none"):
        assign_phones(_phones(3), ["S1"], controls=3, random=Random(1))


def test_phones_go_round_within_a_source():
    code = assign_phones(_phones(4), ["A", "B"], weight=2, controls=0, random=Random(1))
    recipes = [
        Recipe(source="A", carrier="YTO", region="3302", count=3),
        Recipe(source=None, carrier="YTO", region="3302", count=2),
        Recipe(source="B", carrier="YTO", region="3302", count=2, phone=False),
        Recipe(source="B", carrier="YTO", region="3302"),
    ]
    a, b = code.phones["A"], code.phones["B"]
    assert list(share_out(recipes, code)) == [a[0], a[1], a[0], b[0]]
    assert Counter(a + b).most_common(1)[0][1] == 1
