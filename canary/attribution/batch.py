"""What the batch as a whole says: copied from one source, swept from everywhere, or guessed."""

import itertools

import numpy as np

from canary.attribution.verdict import Batch
from canary.attribution.weigh import Weighing
from canary.attribution.world import FULL, Ints

_STRAY = 0.02
_SWEPT = 1e-3
_CHANCE_LIMIT = 0.05
_NEAR = 10
_LEAST_RUN = 3


def judge_batch(weighing: Weighing, suspects: Ints) -> Batch:
    """Compare "copied from the suspects" with "swept in proportion to what there is".

    Whoever sweeps, or has the bait store, meets control baits as often as any others; every
    suspect more makes a copy less likely beforehand.
    """
    world = weighing.problem.world
    records = _clear_records(weighing)
    if not len(records):
        return Batch()
    holding = np.isin(world.exp_record, records) & np.isin(world.exp_source, suspects)
    speaking = np.unique(world.exp_source[holding])
    unplaced = bool((world.control | world.sealed)[records].any())
    odds = float("inf")
    if len(speaking) or unplaced:
        odds = _copied_odds(weighing, records, speaking)
    return Batch(control_seen=unplaced, copied_odds=odds, neighbours=_is_run(weighing, records))


def _copied_odds(weighing: Weighing, records: Ints, suspects: Ints) -> float:
    world = weighing.problem.world
    theirs = np.unique(world.exp_record[np.isin(world.exp_source, suspects)])
    inside = int(np.isin(records, theirs).sum())
    outside = len(records) - inside
    copied = inside * np.log(world.n_records / max(1, len(theirs))) + outside * np.log(_STRAY)
    copied -= np.logaddexp(0.0, -weighing.problem.log_prior_odds[suspects]).sum()
    return float(np.exp(np.clip(copied - np.log(_SWEPT), -50.0, 50.0)))


def _clear_records(weighing: Weighing) -> Ints:
    """Return the records of displays too telling to be coincidence, messages left out."""
    problem = weighing.problem
    world, events = problem.world, problem.events
    single = np.diff(events.match_starts) == 1
    listed = np.array([site.channel != "sms" for site in world.sites] or [True])[events.site]
    expected = problem.background * world.hours * world.n_records
    chosen = np.flatnonzero(single & listed & (expected < _CHANCE_LIMIT))
    return np.unique(events.matches[events.match_starts[chosen]])


def _is_run(weighing: Weighing, records: Ints) -> bool:
    """Tell whether most of the bare numbers seen are neighbours of one another."""
    problem = weighing.problem
    bare = problem.events.level[:, 0] == FULL
    bare &= (problem.events.level[:, 1:] == 0).all(axis=1)
    seen = np.intersect1d(records, problem.events.matches[problem.events.match_starts[:-1][bare]])
    numbers = sorted(
        int(digits[-15:])
        for at in seen.tolist()
        if (digits := "".join(c for c in problem.world.waybills[at] if c in "0123456789"))
    )
    near = sum(later - earlier <= _NEAR for earlier, later in itertools.pairwise(numbers))
    return near + 1 >= _LEAST_RUN and near * 2 >= len(numbers)
