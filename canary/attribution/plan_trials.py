"""Try a seeding plan on invented leaks before paying for it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from canary.attribution.infer import attribute
from canary.attribution.simulate import Simulated, base_world, simulate, simulate_plan
from canary.attribution.simulate_leaks import Nature
from canary.attribution.world import World

Draw = Callable[[np.random.Generator], Simulated]
_BOUNDS = (0.01, 0.05, 0.2, 0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Posteriors from `low` up to `high`: how many, their mean, and the share that had leaked."""

    low: float
    high: float
    count: int
    said: float
    leaked: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the trials came to: shares of trials, and means over them.

    `all_named`: every leaker named and nobody else. `ranked_first`: a leaker had the highest
    posterior. `wrong`: somebody innocent was named. `nothing_seen`: no leaker's bait surfaced.
    `reliability` compares what was said of a source with what was true, over all trials.
    """

    trials: int
    all_named: float
    some_named: float
    ranked_first: float
    wrong: float
    nothing_seen: float
    sightings: float
    reliability: tuple[Bin, ...]


def draw_kind(kind: str) -> Draw:
    """Return a maker of worlds of one of the simulator's kinds."""
    return lambda rng: simulate(kind, rng)


def draw_plan(*, n_sources: int, baits: int, leakers: int, fraction: float, nature: Nature) -> Draw:
    """Return a maker of leaks in a network where each source has `baits` of its own."""

    def draw(rng: np.random.Generator) -> Simulated:
        world = base_world(rng, n_sources=n_sources, baits=baits)
        return draw_leak(world, leakers=leakers, fraction=fraction, nature=nature)(rng)

    return draw


def draw_leak(world: World, *, leakers: int, fraction: float, nature: Nature) -> Draw:
    """Return a maker of leaks in this network; each leaker passes on `fraction` of its baits."""
    holders = np.unique(world.exp_source)

    def draw(rng: np.random.Generator) -> Simulated:
        chosen = rng.choice(holders, min(leakers, len(holders)), replace=False)
        return simulate_plan(world, {int(one): fraction for one in chosen}, nature, rng)

    return draw


def run_trials(draw: Draw, trials: int, rng: np.random.Generator) -> Outcome:
    """Let the engine judge `trials` drawn worlds and count."""
    judged = [_judge(draw(rng)) for _ in range(trials)]
    means = np.mean([row for row, _ in judged], axis=0).tolist()
    return Outcome(
        trials=trials,
        all_named=means[0],
        some_named=means[1],
        ranked_first=means[2],
        wrong=means[3],
        nothing_seen=means[4],
        sightings=means[5],
        reliability=_tell_reliability([pair for _, pairs in judged for pair in pairs]),
    )


def _judge(made: Simulated) -> tuple[tuple[float, ...], list[tuple[float, bool]]]:
    """Return the counts of one trial, and (posterior, leaked) of everybody worth a thought."""
    answer = attribute(made.world)
    guilty = {made.world.source_ids[one] for one in made.truth.leakers}
    named = set(answer.named)
    best = max(answer.posteriors, key=lambda one: answer.posteriors[one], default="")
    seen = any(source in made.truth.leakers for source, _, _ in made.truth.provenance.values())
    counts = (
        float(named == guilty),
        float(bool(named & guilty)),
        float(best in guilty),
        float(bool(named - guilty)),
        float(not seen),
        float(len(made.world.sightings)),
    )
    said = [(value, one in guilty) for one, value in answer.posteriors.items()]
    return counts, [pair for pair in said if pair[0] >= _BOUNDS[0]]


def _tell_reliability(pairs: list[tuple[float, bool]]) -> tuple[Bin, ...]:
    said = np.array([value for value, _ in pairs])
    leaked = np.array([true for _, true in pairs], dtype=np.float64)
    at = np.clip(np.searchsorted(_BOUNDS, said, side="right") - 1, 0, len(_BOUNDS) - 2)
    return tuple(
        Bin(
            low=_BOUNDS[one],
            high=_BOUNDS[one + 1],
            count=int((at == one).sum()),
            said=float(said[at == one].mean()),
            leaked=float(leaked[at == one].mean()),
        )
        for one in range(len(_BOUNDS) - 1)
        if (at == one).any()
    )
