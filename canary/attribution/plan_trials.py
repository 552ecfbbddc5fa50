"""Try a seeding plan on invented leaks before paying for it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from canary.attribution.design import standard_error
from canary.attribution.infer import attribute
from canary.attribution.simulate import Simulated, base_world, simulate, simulate_plan
from canary.attribution.simulate_leaks import Nature
from canary.attribution.world import World
from canary.domain.errors import Invalid

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
class Stage:
    """How leakers of one stage fared: shares of them, and the standard error of the first."""

    stage: str
    leakers: int
    named: float
    error: float
    nothing_seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the trials came to: shares of trials, and means over them.

    `all_named`: every leaker named and nobody else, `error` its standard error. `ranked_first`:
    a leaker had the highest posterior. `wrong`: somebody innocent was named. `nothing_seen`: no
    leaker's bait surfaced. `reliability` compares what was said of a source with what was true,
    over all trials.
    """

    trials: int
    all_named: float
    error: float
    some_named: float
    ranked_first: float
    wrong: float
    nothing_seen: float
    sightings: float
    stages: tuple[Stage, ...]
    reliability: tuple[Bin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One trial: its counts, who was named and seen of the leakers, and what was said."""

    counts: tuple[float, ...]
    leakers: tuple[tuple[str, bool, bool], ...]
    said: tuple[tuple[float, bool], ...]


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
    """Return a maker of leaks in this network; each leaker passes on `fraction` of its baits.

    Every stage that holds baits leaks as often as any other. Raises Invalid for more leakers than
    sources that hold baits.
    """
    stage_of = np.array(world.stages)
    holders = np.unique(world.exp_source)
    if leakers > len(holders):
        raise Invalid(f"only {len(holders)} sources hold baits", field="leakers", mend="give fewer")
    sizes = {str(one): int((stage_of[holders] == one).sum()) for one in np.unique(stage_of)}
    weights = np.array([1.0 / sizes[world.stages[one]] for one in holders.tolist()])

    def draw(rng: np.random.Generator) -> Simulated:
        chosen = rng.choice(holders, leakers, replace=False, p=weights / weights.sum())
        return simulate_plan(world, {int(one): fraction for one in chosen}, nature, rng)

    return draw


def run_trials(draw: Draw, trials: int, rng: np.random.Generator) -> Outcome:
    """Let the engine judge `trials` drawn worlds and count."""
    judged = [_judge(draw(rng)) for _ in range(trials)]
    means = np.mean([one.counts for one in judged], axis=0).tolist()
    return Outcome(
        trials=trials,
        all_named=means[0],
        error=standard_error(means[0], trials),
        some_named=means[1],
        ranked_first=means[2],
        wrong=means[3],
        nothing_seen=means[4],
        sightings=means[5],
        stages=_tell_stages([leaker for one in judged for leaker in one.leakers]),
        reliability=_tell_reliability([pair for one in judged for pair in one.said]),
    )


def _judge(made: Simulated) -> _Judged:
    answer = attribute(made.world)
    ids = made.world.source_ids
    guilty = {ids[one] for one in made.truth.leakers}
    named = set(answer.named)
    best = max(answer.posteriors, key=lambda one: answer.posteriors[one], default="")
    seen = {source for source, _, _ in made.truth.provenance.values()} & set(made.truth.leakers)
    said = [(value, one in guilty) for one, value in answer.posteriors.items()]
    return _Judged(
        counts=(
            float(named == guilty),
            float(bool(named & guilty)),
            float(best in guilty),
            float(bool(named - guilty)),
            float(not seen),
            float(len(made.world.sightings)),
        ),
        leakers=tuple(
            (made.world.stages[one], ids[one] in named, one in seen) for one in made.truth.leakers
        ),
        said=tuple(pair for pair in said if pair[0] >= _BOUNDS[0]),
    )


def _tell_stages(leakers: list[tuple[str, bool, bool]]) -> tuple[Stage, ...]:
    found = []
    for stage in sorted({one for one, _, _ in leakers}):
        named = [right for one, right, _ in leakers if one == stage]
        seen = [surfaced for one, _, surfaced in leakers if one == stage]
        share = sum(named) / len(named)
        found.append(
            Stage(
                stage=stage,
                leakers=len(named),
                named=share,
                error=standard_error(share, len(named)),
                nothing_seen=1.0 - sum(seen) / len(seen),
            )
        )
    return tuple(found)


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
