"""The schedule of attempts."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.retry import SCHEDULE, next_attempt

NOW = datetime(2026, 3, 18, tzinfo=UTC)
WAITS = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]


@pytest.mark.parametrize(("attempts", "seconds"), list(enumerate(WAITS)))
def test_waits_follow_the_schedule(attempts: int, seconds: int) -> None:
    assert next_attempt(attempts, NOW) == NOW + timedelta(seconds=seconds)


def test_attempts_end_after_ten() -> None:
    assert next_attempt(10, NOW) is None
    assert next_attempt(11, NOW, 5) is None


@given(st.integers(0, 9), st.integers())
def test_jitter_stays_within_a_fifth(attempts: int, seed: int) -> None:
    at = next_attempt(attempts, NOW, random=Random(seed))
    assert at is not None
    assert abs(at - NOW - SCHEDULE[attempts]) <= SCHEDULE[attempts] * 0.2


def test_jitter_really_spreads_attempts() -> None:
    random = Random(1)
    assert len({next_attempt(3, NOW, random=random) for _ in range(20)}) == 20


@given(st.integers(0, 9), st.floats(0, 86_400), st.integers())
def test_retry_after_is_never_undercut(attempts: int, seconds: float, seed: int) -> None:
    at = next_attempt(attempts, NOW, seconds, random=Random(seed))
    assert at is not None
    assert at - NOW >= timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [1e6, 1e300, float("inf")])
def test_retry_after_ends_at_a_day(seconds: float) -> None:
    assert next_attempt(1, NOW, seconds) == NOW + timedelta(hours=24)
