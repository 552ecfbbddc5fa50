"""Try a seeding plan on invented leaks before paying for it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from canary.attribution.infer import attribute
from canary.attribution.simulate import Simulated, base_world, simulate, simulate_plan
from canary.attribution.simulate_leaks import Nature
from canary.attribution.world import World

Draw = Callable[[np.random.Generator], Simulated]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the trials came to: shares of trials, and means over them.

    `all_named`: every leaker named and nobody else. `ranked_first`: a leaker had the highest
    posterior. `wrong`: somebody innocent was named. `nothing_seen`: no leaker's bait surfaced.
    """

    trials: int
    all_named: float
    some_named: float
    ranked_first: float
    wrong: float
    nothing_seen: float
    sightings: float


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
    rows = [_judge(draw(rng)) for _ in range(trials)]
    means = np.mean(rows, axis=0).tolist()
    return Outcome(
        trials=trials,
        all_named=means[0],
        some_named=means[1],
        ranked_first=means[2],
        wrong=means[3],
        nothing_seen=means[4],
        sightings=means[5],
    )


def _judge(made: Simulated) -> tuple[float, ...]:
    answer = attribute(made.world)
    guilty = {made.world.source_ids[one] for one in made.truth.leakers}
    named = set(answer.named)
    best = max(answer.posteriors, key=lambda one: answer.posteriors[one], default="")
    seen = any(source in made.truth.leakers for source, _, _ in made.truth.provenance.values())
    return (
        float(named == guilty),
        float(bool(named & guilty)),
        float(best in guilty),
        float(bool(named - guilty)),
        float(not seen),
        float(len(made.world.sightings)),
    )
