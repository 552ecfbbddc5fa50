"""What to seed next: the smallest set of baits that should settle what is open."""

import math
from collections.abc import Sequence

import numpy as np

from canary.attribution.answer import Step
from canary.attribution.weigh import Weighing

_OPEN_FROM = 0.02
_OPEN_TO = 0.99
_SETTLED = 0.95
_MOST_SOURCES = 20


def baits_for_detection(leak_fraction: float, coverage: float, power: float = _SETTLED) -> int:
    """Return how many exclusive baits show a leaker at least once with this power.

    n = ln(1 - power) / ln(1 - q c), ATTRIBUTION.md section 5.
    """
    chance = min(max(leak_fraction * coverage, 1e-9), 0.999)
    return max(1, math.ceil(math.log(1.0 - power) / math.log1p(-chance)))


def next_steps(weighing: Weighing, named: Sequence[int]) -> tuple[Step, ...]:
    """Propose exclusive baits for every open suspect; nothing when nothing is open."""
    posterior = weighing.posterior
    still_open = [
        int(one)
        for one in np.argsort(-posterior, kind="stable")[:_MOST_SOURCES]
        if posterior[one] >= _OPEN_FROM and int(one) not in named
    ]
    if not still_open:
        return ()
    problem = weighing.problem
    mean_q = float(np.exp(problem.log_weights) @ problem.levels)
    coverage = max(problem.world.operator.coverage.values(), default=0.3)
    baits = baits_for_detection(mean_q, coverage)
    gain = sum(_entropy(float(posterior[one])) for one in still_open) * _SETTLED
    return (
        Step(
            kind="exclusive_baits",
            sources=tuple(problem.world.source_ids[one] for one in still_open),
            baits=baits,
            gain_bits=gain,
            expected_sightings=sum(float(posterior[one]) for one in still_open)
            * baits
            * mean_q
            * coverage,
        ),
    )


def _entropy(p: float) -> float:
    if p <= 0.0 or p >= 1.0:
        return 0.0
    return -p * math.log2(p) - (1.0 - p) * math.log2(1.0 - p)
