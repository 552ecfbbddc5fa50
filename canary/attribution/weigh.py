"""From a problem to posteriors: screen, split, search, average over what is not known well."""

from dataclasses import dataclass

import numpy as np

from canary.attribution.averaging import Weighed, average, membership
from canary.attribution.evidence import Evidence, evidence_under, screening_bound, with_log_errors
from canary.attribution.model import PLAIN, Problem
from canary.attribution.partition import partition
from canary.attribution.world import Bools, Floats, Ints

SCREEN_NATS = -9.0
LEAST_GAIN = 0.1
_STRONG = 2.0
_MOST_STRONG = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """The posterior of every source, before any cap.

    `worst` is the lowest over the settings; `none` the probability that no source leaked;
    `background` that no source explains anything seen; `bound` the screening bound in nats.
    """

    problem: Problem
    evidence: Evidence
    posterior: Floats
    worst: Floats
    none: float
    background: float
    bound: Floats
    parts: tuple[Weighed, ...]

    @property
    def gain(self) -> Floats:
        """Return what the evidence says for each source were it alone, in nats; -inf: no baits."""
        odds = self.problem.log_prior_odds
        return np.where(
            np.isfinite(odds), self.bound - np.where(np.isfinite(odds), odds, 0.0), -np.inf
        )


def weigh(problem: Problem) -> Weighing:
    """Compute the posterior over the sources."""
    evidence = evidence_under(problem, PLAIN)
    bound = screening_bound(problem, evidence)
    linked = np.zeros(problem.world.n_sources, dtype=np.bool_)
    linked[evidence.links.source] = True
    candidate = linked & (bound > SCREEN_NATS)
    divided = partition(
        problem,
        with_log_errors(problem, evidence.links, _strongest(candidate, bound)),
        evidence.base + problem.log_weights[np.newaxis],
        bound,
        candidate,
    )
    outside = np.where(np.isnan(divided.settled), bound, divided.settled)
    for piece in divided.pieces:
        outside[piece.sources] = -np.inf
    averaged = average(problem, evidence, divided.pieces, outside, linked)
    posterior, worst = averaged.outside.copy(), averaged.outside.copy()
    for part in averaged.parts:
        holds = membership(part.sets, part.component)
        posterior[part.component.sources] = part.weights @ holds
        worst[part.component.sources] = (part.by_setting @ holds).min(axis=0)
    return Weighing(
        problem=problem,
        evidence=evidence,
        posterior=posterior,
        worst=worst,
        none=averaged.none,
        background=averaged.background,
        bound=bound,
        parts=averaged.parts,
    )


def _strongest(candidate: Bools, bound: Floats) -> Ints:
    """Return the few candidates that would be suspects on their own, likeliest first."""
    strong = np.flatnonzero(candidate & (bound > _STRONG))
    return strong[np.argsort(-bound[strong], kind="stable")[:_MOST_STRONG]]
