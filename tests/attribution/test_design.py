"""Codes are balanced and decoded; the next seeding is worth what it says."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.attribution import design
from canary.attribution.experiment import (
    baits_for_detection,
    gain_of_subsets,
    propose_phone_code,
)
from canary.attribution.infer import attribute
from canary.attribution.reading import read_world

CLEAN = design.Noise(s=1.0, phi=0.0)
MILD = design.Noise(s=0.9, phi=0.01)


@given(st.integers(1, 200), st.integers(2, 40), st.integers(0, 2**32))
def test_code_gives_each_source_its_share(n_sources, n_phones, seed):
    weight = max(1, n_phones // 3)
    code = design.design_code(n_sources, n_phones, weight, np.random.default_rng(seed))
    assert (code.sum(axis=1) == weight).all()


def test_code_loads_phones_evenly():
    code = design.design_code(1000, 40, 12, np.random.default_rng(0))
    assert np.ptp(code.sum(axis=0)) <= 60


def test_clean_answers_decode_exactly():
    rate = design.success_rate(
        n_sources=300,
        n_phones=30,
        leakers=2,
        noise=CLEAN,
        trials=8,
        rng=np.random.default_rng(1),
    )
    assert rate.mean >= 0.8


def test_forty_one_phones_tell_two_of_a_thousand():
    rate = design.success_rate(
        n_sources=1000,
        n_phones=41,
        leakers=2,
        noise=MILD,
        trials=10,
        rng=np.random.default_rng(2),
    )
    assert rate.mean >= 0.8
    assert 0 < rate.error < 0.2


def test_silent_phones_accuse_nobody():
    code = design.design_code(100, 20, 6, np.random.default_rng(3))
    assert design.decode(code, np.zeros(20, dtype=bool), MILD) == ()


def test_same_code_is_reported():
    code = np.array([[1, 0], [0, 1], [1, 0]], dtype=bool)
    assert design.find_same_codes(code) == [(0, 2)]


@pytest.mark.parametrize(
    ("chance", "baits"), [(0.3, 9), (0.1, 29), (0.03, 99), (0.01, 299), (0.003, 998)]
)
def test_detection_needs_the_published_baits(chance, baits):
    assert baits_for_detection(chance, 1.0) == pytest.approx(baits, abs=1)


def test_twins_of_present_placements_are_found(make_world):
    chain = [[(at % 8, 100.0), (8 + at % 8, 112.0)] for at in range(64)]
    twins = design.find_twins(read_world(make_world(chain, [])))
    assert {(one.first, one.second) for one in twins} == {
        (f"S{at}", f"S{at + 8}") for at in range(8)
    }
    assert twins[0].hours_apart == pytest.approx(12.0)


def test_perfect_question_brings_one_bit():
    subsets = np.array([[True, False]])
    gain = gain_of_subsets([(0,), (1,)], np.array([0.5, 0.5]), subsets, 1.0, 0.0)
    assert gain == pytest.approx(1.0)


def test_proposal_is_near_the_best_code():
    rng = np.random.default_rng(5)
    for _ in range(6):
        sets = [(at,) for at in range(5)] + [(0, 3)]
        weights = rng.dirichlet(np.full(6, 0.8))
        _, gain = propose_phone_code(sets, weights, 5, 2, s=0.8, phi=0.02)
        rows = [np.array(row, dtype=bool) for row in itertools.product([0, 1], repeat=5)]
        best = max(
            gain_of_subsets(sets, weights, np.stack(pair), 0.8, 0.02)
            for pair in itertools.combinations(rows, 2)
        )
        assert gain >= 0.98 * best


def test_settled_world_needs_no_seeding(make_world):
    own = [[(source, 10.0)] for source in range(40) for _ in range(4)]
    world = make_world(own, [(20, 30.0), (21, 40.0), (22, 55.0), (23, 60.0)])
    assert attribute(read_world(world)).next == ()
