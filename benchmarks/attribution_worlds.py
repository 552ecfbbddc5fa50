"""One invented world judged by every method, and the measures of ATTRIBUTION.md section 6."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from canary.attribution import classical
from canary.attribution.infer import attribute
from canary.attribution.simulate import scenario_names, simulate
from canary.attribution.world import World

KNOWN_RATES = "engine told the true rates"
# Kinds judged by an engine that is told the true rates, too: what no better estimate could mend.
_ASKED = ("pre_pickup_leak", "confounded_chain", "masked", "campaigns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One method on one world."""

    kind: str
    method: str
    seconds: float
    guess: np.ndarray
    truth: np.ndarray
    surfaced: np.ndarray
    outlet: np.ndarray


def tests_of(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Turn a world into group tests: one per phone where phones are shared, else per record."""
    use_phones = len(set(world.phones)) * 4 < world.n_records
    labels = world.phones if use_phones else world.record_ids
    names = sorted(set(labels))
    at = {name: index for index, name in enumerate(names)}
    column = np.array([at[label] for label in labels])
    positive = np.zeros(len(names), dtype=bool)
    for row in range(len(world.sightings)):
        matched = np.unique(column[world.sightings.matched_by(row)])
        if len(matched) == 1:
            positive[matched] = True
    holds = np.zeros((world.n_sources, len(names)), dtype=bool)
    holds[world.exp_source, column[world.exp_record]] = True
    return holds[:, positive | use_phones], positive[positive | use_phones]


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "comp": lambda holds, positive: classical.comp(holds, positive).astype(float),
    "dd": lambda holds, positive: classical.dd(holds, positive).astype(float),
    "scomp": lambda holds, positive: classical.scomp(holds, positive).astype(float),
    "guilt": classical.guilt_of_tests,
    "count": classical.naive_count,
}


def run_one(job: tuple[str, int]) -> list[Outcome]:
    """Make one world and let every method judge it."""
    kind, seed = job
    made = simulate(kind, np.random.default_rng([seed, scenario_names().index(kind)]), seed=seed)
    truth = np.zeros(made.world.n_sources, dtype=bool)
    truth[list(made.truth.leakers)] = True
    surfaced = np.zeros(made.world.n_sources, dtype=bool)
    surfaced[[source for source, _, _ in made.truth.provenance.values() if source >= 0]] = True
    outlet = np.array([stage == "outlet" for stage in made.world.stages])

    def judged(method: str, guess: np.ndarray, seconds: float = 0.0) -> Outcome:
        return Outcome(
            kind=kind,
            method=method,
            seconds=seconds,
            guess=guess,
            truth=truth,
            surfaced=surfaced,
            outlet=outlet,
        )

    begun = time.process_time()
    guess = _posteriors(made.world)
    rows = [judged("engine", guess, time.process_time() - begun)]
    if kind in _ASKED:
        rows.append(judged(KNOWN_RATES, _posteriors(replace(made.world, operator=made.rates))))
    holds, positive = tests_of(made.world)
    return rows + [judged(name, method(holds, positive)) for name, method in METHODS.items()]


def _posteriors(world: World) -> np.ndarray:
    answer = attribute(world)
    return np.array([answer.posteriors[one] for one in world.source_ids])


def summarise(rows: list[Outcome]) -> dict[str, float]:
    """Compute the measures over leakers of whom anything surfaced: of others nobody can tell.

    `.all` counts every leaker; `.bound` is the most that whoever sees the world could reach then.
    """
    leaks = [one for one in rows if one.truth.any()]
    shown = [one for one in leaks if one.surfaced.any()]
    quiet = [one for one in rows if not one.truth.any()]
    wrong = [float(one.guess[~one.truth].max()) for one in rows]
    return {
        "top1": _mean([_share_of_leaders(one) for one in shown]),
        "exact": _mean([((one.guess >= 0.5) == one.surfaced).all() for one in rows]),
        "recall.9": _mean([found for one in rows for found in one.guess[one.surfaced] >= 0.9]),
        "brier": _mean([((one.guess - one.surfaced) ** 2).sum() for one in rows]),
        "ece": calibration_error(rows),
        "wrong.9": _mean([one >= 0.9 for one in wrong]),
        "wrong.99": float(sum(one >= 0.99 for one in wrong)),
        "outlet.9": _mean([(one.guess[one.outlet & ~one.truth] >= 0.9).any() for one in rows]),
        "noleak.9": float(sum((one.guess >= 0.9).any() for one in quiet)),
        "top1.all": _mean([_share_of_leaders(one) for one in leaks]),
        "top1.bound": len(shown) / max(len(leaks), 1),
        "exact.all": _mean([((one.guess >= 0.5) == one.truth).all() for one in rows]),
        "exact.bound": _mean([(one.truth == one.surfaced).all() for one in rows]),
        "recall.9.all": _mean([found for one in rows for found in one.guess[one.truth] >= 0.9]),
        "recall.9.bound": _mean([seen for one in rows for seen in one.surfaced[one.truth]]),
        "brier.all": _mean([((one.guess - one.truth) ** 2).sum() for one in rows]),
        "sec": _mean([one.seconds for one in rows]),
    }


def _share_of_leaders(one: Outcome) -> float:
    """Return the share of leakers among those ranked first: ties count in part."""
    leaders = one.guess == one.guess.max()
    return float((leaders & one.truth).sum() / leaders.sum())


def _mean(values: Sequence[float | np.floating | np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def calibration_error(rows: list[Outcome]) -> float:
    """Return the expected calibration error over ten bins of all posteriors from 0.01 up."""
    guess = np.concatenate([one.guess for one in rows])
    truth = np.concatenate([one.truth for one in rows]).astype(float)[guess >= 0.01]
    guess = guess[guess >= 0.01]
    bins = np.minimum((guess * 10).astype(int), 9)
    error = 0.0
    for one in np.unique(bins).tolist():
        inside = bins == one
        error += float(inside.mean() * abs(guess[inside].mean() - truth[inside].mean()))
    return error
