"""Known leak in, right source out, counted on worlds with fixed seeds."""

import numpy as np
import pytest

from canary.attribution.infer import attribute
from canary.attribution.plan_trials import draw_plan, run_trials
from canary.attribution.reading import read_world
from canary.attribution.simulate import base_world, scenario_names, simulate, simulate_plan
from canary.attribution.simulate_leaks import Nature
from canary.attribution.simulate_trials import (
    framing_trial,
    honest_trial,
    list_trial,
    sweep_trial,
)
from canary.attribution.writing import write_world

CERTAIN = Nature(
    coverage={"resale": 0.9, "sms": 0.9}, weight_fast=1.0, mean_fast_h=10.0, mean_slow_h=20.0
)


def test_there_are_fifteen_kinds():
    assert len(set(scenario_names())) == 15


def test_same_seed_gives_the_same_world():
    first, second = (simulate("masked", np.random.default_rng(4)) for _ in range(2))
    assert write_world(first.world) == write_world(second.world)
    assert first.truth == second.truth


@pytest.mark.parametrize("kind", ["unique", "custody_chain", "campaigns", "shared_phones_named"])
def test_simulated_world_survives_writing(kind):
    made = simulate(kind, np.random.default_rng(6))
    again = read_world(write_world(made.world))
    assert write_world(again) == write_world(made.world)


@pytest.mark.parametrize("kind", scenario_names())
def test_no_innocent_is_named(kind):
    made = simulate(kind, np.random.default_rng(11))
    guilty = {made.world.source_ids[one] for one in made.truth.leakers}
    assert set(attribute(made.world).named) <= guilty


def test_noise_names_nobody():
    for seed in range(8):
        made = simulate("noise_only", np.random.default_rng(seed))
        answer = attribute(made.world)
        assert answer.named == ()
        assert max(answer.posteriors.values()) < 0.9


@pytest.mark.parametrize("kind", ["unique", "custody_chain", "upstream_breach"])
def test_leakers_lead_the_ranking(kind):
    right = 0
    for seed in range(4):
        made = simulate(kind, np.random.default_rng(100 + seed))
        best = max(attribute(made.world).posteriors.items(), key=lambda item: item[1])[0]
        right += made.world.source_ids.index(best) in made.truth.leakers
    assert right >= 3


def test_masked_coincidences_match_their_expected_number():
    made = [simulate("masked", np.random.default_rng(seed)) for seed in range(6)]
    seen = sum(
        sum(1 for source, _, of in one.truth.provenance.values() if source < 0 and of is None)
        for one in made
    )
    expected = sum(attribute(one.world).expected_accidental for one in made)
    assert seen == pytest.approx(expected, rel=0.4)


def test_plan_can_be_tried_before_paying():
    world = base_world(np.random.default_rng(1), n_sources=30, baits=8)
    tried = simulate_plan(world, {4: 0.9}, CERTAIN, np.random.default_rng(2))
    assert attribute(tried.world).named == ("S00004",)
    assert tried.truth.leakers == (4,)


def test_trials_tell_whether_probabilities_hold():
    draw = draw_plan(n_sources=30, baits=8, leakers=1, fraction=0.9, nature=CERTAIN)
    found = run_trials(draw, 6, np.random.default_rng(3))
    sure = found.reliability[-1]
    assert (sure.low, sure.count, sure.leaked) == (0.99, 6, 1.0)
    assert 0.99 <= sure.said < 1.0
    assert found.all_named == 1.0


def test_coalition_that_keeps_back_is_found():
    """It hides what only one of the two holds: they leave just what they share."""
    made = simulate("collusion", np.random.default_rng([3, 14]))
    assert made.truth.note == "hide_singles"
    guilty = {made.world.source_ids[one] for one in made.truth.leakers}
    likely = {one for one, share in attribute(made.world).posteriors.items() if share >= 0.9}
    assert likely == guilty


def test_framing_through_untrusted_channels_names_nobody():
    rng = np.random.default_rng(8)
    assert sum(framing_trial(rng) for _ in range(15)) == 0


def test_three_found_baits_name_their_source():
    rng = np.random.default_rng(9)
    trials = [honest_trial(rng) for _ in range(15)]
    assert sum(right for right, _ in trials) >= 14
    assert sum(wrong for _, wrong in trials) == 0


def test_sweeps_are_noticed_and_lists_are_not_mistaken_for_them():
    rng = np.random.default_rng(10)
    assert [sweep_trial(rng) for _ in range(5)] == [(0, True)] * 5
    assert not any(list_trial(rng) for _ in range(10))
