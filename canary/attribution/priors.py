"""What is believed before anything was seen: who may leak, and how much of it."""

import numpy as np

from canary.attribution.world import Bools, Floats, Ints, World

_QUANTILES = (0.0, 0.03, 0.1, 0.22, 0.38, 0.55, 0.72, 0.88, 0.97, 1.0)


def leak_fractions(shape: tuple[float, float]) -> tuple[Floats, Floats]:
    """Cut Beta(a, b) into slices: their means [L] and the logs of their weights [L]."""
    a, b = shape
    x = (np.arange(4000) + 0.5) / 4000
    log_density = (a - 1) * np.log(x) + (b - 1) * np.log1p(-x)
    density = np.exp(log_density - log_density.max())
    share = np.cumsum(density) / density.sum()
    slices = np.searchsorted(np.array(_QUANTILES[1:-1]), share, side="right")
    weights = np.bincount(slices, weights=density, minlength=len(_QUANTILES) - 1)
    means = np.bincount(slices, weights=density * x, minlength=len(_QUANTILES) - 1)
    filled = weights > 0
    levels = means[filled] / weights[filled]
    return levels, np.log(weights[filled] / weights.sum())


def log_prior_odds(world: World, has_baits: Bools, stage_of: Ints) -> Floats:
    """Share the expected leakers half by source, half by stage: few big hubs, many outlets."""
    sizes = np.bincount(stage_of, weights=has_baits)
    live = max(1.0, float((sizes > 0).sum()))
    by_stage = has_baits / (np.maximum(sizes, 1)[stage_of] * live)
    by_source = has_baits / max(1.0, float(has_baits.sum()))
    prior = np.clip(world.operator.expected_leakers * 0.5 * (by_stage + by_source), 1e-9, 0.5)
    odds: Floats = np.log(prior) - np.log1p(-prior)
    return np.where(has_baits, odds, -np.inf)
