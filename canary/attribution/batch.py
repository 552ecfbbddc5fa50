"""What the batch as a whole says: copied from one source, swept from everywhere, or guessed."""

import itertools

import numpy as np

from canary.attribution.verdict import Batch
from canary.attribution.weigh import Weighing
from canary.attribution.world import FULL, Ints

_STRAY = 0.02
_CHANCE_LIMIT = 0.05
_NEAR = 10
_LEAST_RUN = 3


def judge_batch(weighing: Weighing, suspects: Ints) -> Batch:
    """Compare "copied from the suspects" with "swept in proportion to what there is"."""
    world = weighing.problem.world
    records = _clear_records(weighing)
    if not len(records):
        return Batch()
    unplaced = world.control | world.sealed
    theirs = np.unique(world.exp_record[np.isin(world.exp_source, suspects)])
    inside = int(np.isin(records, theirs).sum())
    outside = len(records) - inside
    copied = inside * np.log(world.n_records / max(1, len(theirs))) + outside * np.log(_STRAY)
    odds = float(np.exp(np.clip(copied, -50.0, 50.0)))
    return Batch(
        control_seen=bool(unplaced[records].any()),
        copied_odds=odds if unplaced[records].any() or outside > inside else float("inf"),
        neighbours=_is_run(weighing, records),
    )


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
