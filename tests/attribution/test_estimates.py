"""Parameters follow the operator's data once there is enough of it."""

import numpy as np
import pytest

from canary.attribution import estimates
from canary.attribution.world import Operator

PLAIN = Operator()


def test_spam_starts_at_its_prior():
    assert estimates.spam_per_window(0, 0.0, 1440.0).is_default
    assert estimates.spam_per_window(0, 0.0, 1440.0).value == pytest.approx(0.5)


def test_quiet_control_phones_lower_the_spam_rate():
    found = estimates.spam_per_window(12, 10 * 365.0, 1440.0)
    assert found.value == pytest.approx(60 * 12.5 / 3710)
    assert found.low < found.value < found.high


def test_quiet_controls_confirm_the_chance_table():
    assert estimates.chance_factor(10, 10.0).value == pytest.approx(1.0)
    assert estimates.chance_factor(30, 10.0).low > 1.0


def test_silent_controls_count_where_matches_were_due():
    assert estimates.chance_factor(0, 0.2).is_default
    assert estimates.chance_factor(0, 0.2).value == 1.0
    found = estimates.chance_factor(0, 9.0)
    assert (found.value, found.is_default) == (pytest.approx(0.1), False)


def test_few_lags_leave_the_default():
    assert estimates.log_lag([0.5, 0.1]).value == PLAIN.since_log_lag_mean_h
    assert estimates.log_lag([0.5] * 20).value == pytest.approx(0.5)


def test_confirmed_cases_move_the_leak_fraction():
    assert estimates.leak_fraction([(1, 2)]) == PLAIN.leak_fraction_beta
    a, b = estimates.leak_fraction([(1, 10), (2, 10), (1, 10), (0, 10), (2, 10)] * 20)
    assert a / (a + b) < 0.25


def test_resolved_delays_fit_their_mixture():
    rng = np.random.default_rng(2)
    delays = np.where(rng.random(4000) < 0.7, rng.exponential(6, 4000), rng.exponential(150, 4000))
    fitted = estimates.delay_mixture(delays[delays < 400].tolist(), [400.0] * 60)
    assert fitted.weight_fast == pytest.approx(0.7, abs=0.06)
    assert fitted.mean_fast_h == pytest.approx(6.0, rel=0.15)
    assert fitted.mean_slow_h == pytest.approx(150.0, rel=0.25)


def test_unseen_baits_do_not_stretch_delays():
    """Of what a leaker held most is never seen: it was not passed on, or no monitor saw it."""
    rng = np.random.default_rng(5)
    delays = np.where(rng.random(3000) < 0.6, rng.exponential(18, 3000), rng.exponential(240, 3000))
    watched = rng.uniform(100, 900, 3000)
    seen = (rng.random(3000) < 0.2) & (delays < watched)
    fitted = estimates.delay_mixture(delays[seen].tolist(), watched[~seen].tolist())
    assert fitted.weight_fast == pytest.approx(0.6, abs=0.12)
    assert fitted.mean_slow_h == pytest.approx(240.0, rel=0.3)
