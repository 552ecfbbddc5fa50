"""From access to sighting: the delay of a leak, late logs included (ATTRIBUTION.md section 2)."""

import numpy as np

from canary.attribution.world import Floats, Operator


def delay_density(delay: Floats, operator: Operator) -> Floats:
    """Return g(d), the density per hour of sighting minus logged access, late logs included."""
    lag = operator.since_log_lag_mean_h
    total = np.zeros_like(delay)
    for weight, mean in _mixture(operator):
        scale = np.where(delay >= 0, mean, lag)
        total += weight * np.exp(-np.abs(delay) / scale) / (mean + lag)
    return total


def delay_share(delay: Floats, operator: Operator) -> Floats:
    """Return G(d), the share of leaks seen within d hours of logged access."""
    lag = operator.since_log_lag_mean_h
    passed = np.maximum(delay, 0.0)
    total = np.ones_like(delay)
    for weight, mean in _mixture(operator):
        total -= weight * mean / (mean + lag) * np.exp(passed / -mean)
    # Only where a log came late: millions of exposures are counted here.
    early = delay < 0
    before = np.exp(delay[early] / lag)
    shares = sum(weight * lag / (mean + lag) for weight, mean in _mixture(operator))
    total[early] = shares * before
    return total


def _mixture(operator: Operator) -> tuple[tuple[float, float], tuple[float, float]]:
    fast = operator.weight_fast
    return ((fast, operator.mean_fast_h), (1.0 - fast, operator.mean_slow_h))
