"""Estimate the operator's parameters from his own data; defaults where there is too little.

Estimators of ATTRIBUTION.md section 2.2. Rates are per hour unless said otherwise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.attribution.world import Operator

_LEAST_CASES = 5
_SPAM_SHAPE, _SPAM_DAYS = 0.5, 60.0
_PLAIN = Operator()
_PRIOR_DELAYS = 10.0
_ROUNDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A parameter, its 95 % range, and how many own observations it rests on (0: a default)."""

    value: float
    low: float
    high: float
    observations: int

    @property
    def is_default(self) -> bool:
        """Tell whether own data was too little."""
        return self.observations == 0


def spam_per_window(rings: int, phone_days: float, window_h: float) -> Estimate:
    """Estimate spam events per phone and window from control phones: Gamma(0.5, 60 days) prior."""
    shape, days = _SPAM_SHAPE + rings, _SPAM_DAYS + phone_days
    rate, spread = shape / days, math.sqrt(shape) / days
    scale = window_h / 24.0
    return Estimate(
        value=rate * scale,
        low=max(0.0, rate - 1.96 * spread) * scale,
        high=(rate + 1.96 * spread) * scale,
        observations=rings if phone_days > 0 else 0,
    )


def chance_factor(seen: int, expected: float) -> Estimate:
    """Compare matches of control baits with what the chance table expects; 1 fits."""
    matches = max(seen, round(expected))
    if not matches:
        return _default(1.0)
    value = (seen + 1.0) / (expected + 1.0)
    spread = 1.96 * math.sqrt(seen + 1.0) / (expected + 1.0)
    low = max(0.0, value - spread)
    return Estimate(value=value, low=low, high=value + spread, observations=matches)


def log_lag(lags_h: Sequence[float]) -> Estimate:
    """Estimate the mean of (logged - physical access) in hours."""
    usable = [lag for lag in lags_h if math.isfinite(lag) and lag >= 0.0]
    if len(usable) < _LEAST_CASES:
        return _default(_PLAIN.since_log_lag_mean_h)
    mean = sum(usable) / len(usable)
    spread = 1.96 * mean / math.sqrt(len(usable))
    low = max(1e-4, mean - spread)
    return Estimate(value=max(mean, 1e-4), low=low, high=mean + spread, observations=len(usable))


def leak_fraction(cases: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Fit Beta(a, b) by moments to confirmed cases (leaked, held), shrunk to the default."""
    shares = np.array([leaked / held for leaked, held in cases if held > 0], dtype=np.float64)
    plain = _PLAIN.leak_fraction_beta
    if len(shares) < _LEAST_CASES:
        return plain
    mean, variance = float(np.clip(shares.mean(), 0.01, 0.99)), float(shares.var())
    strength = max(mean * (1.0 - mean) / max(variance, 1e-3) - 1.0, 0.5)
    weight = len(shares) / (len(shares) + 10.0)
    a = weight * mean * strength + (1.0 - weight) * plain[0]
    b = weight * (1.0 - mean) * strength + (1.0 - weight) * plain[1]
    return a, b


def delay_mixture(delays_h: Sequence[float], unseen_h: Sequence[float] = ()) -> Operator:
    """Fit the fast and slow delay by EM, shrunk to the default.

    `unseen_h`: how long those baits were watched that did not surface; a share of them, fitted
    too, never will. Returns the defaults with weight_fast, mean_fast_h and mean_slow_h replaced.
    """
    seen = np.array([d for d in delays_h if math.isfinite(d) and d > 0.0], dtype=np.float64)
    if len(seen) < 2 * _LEAST_CASES:
        return _PLAIN
    cut = np.array([d for d in unseen_h if math.isfinite(d) and d > 0.0], dtype=np.float64)
    weights = prior = np.array([_PLAIN.weight_fast, 1.0 - _PLAIN.weight_fast])
    means = usual = np.array([_PLAIN.mean_fast_h, _PLAIN.mean_slow_h])
    surfacing = 0.5
    for _ in range(_ROUNDS):
        density = weights * np.exp(-seen[:, np.newaxis] / means) / means
        of_seen = density / np.maximum(density.sum(axis=1, keepdims=True), 1e-300)
        tail = surfacing * weights * np.exp(-cut[:, np.newaxis] / means)
        to_come = tail / np.maximum(1.0 - surfacing + tail.sum(axis=1, keepdims=True), 1e-300)
        count = _PRIOR_DELAYS * prior + of_seen.sum(axis=0) + to_come.sum(axis=0)
        hours = seen @ of_seen + cut @ to_come + means * to_come.sum(axis=0)
        means = (_PRIOR_DELAYS * prior * usual + hours) / count
        weights = count / count.sum()
        surfacing = (len(seen) + float(to_come.sum())) / (len(seen) + len(cut))
    if means[0] > means[1]:
        weights, means = weights[::-1], means[::-1]
    return Operator(
        weight_fast=float(weights[0]), mean_fast_h=float(means[0]), mean_slow_h=float(means[1])
    )


def _default(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value, observations=0)
