"""When to try a delivery again: the schedule of Standard Webhooks with jitter."""

from datetime import datetime, timedelta
from random import Random

SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.2
LONGEST_WAIT = timedelta(hours=24)


def next_attempt(
    attempts: int,
    now: datetime,
    retry_after: float | None = None,
    *,
    random: Random | None = None,
) -> datetime | None:
    """Return when to try again after `attempts` tries, or None when all are used up.

    Each wait is drawn within 20 % of the schedule. `retry_after` (seconds) is kept up to 24 h:
    the next try is never earlier.
    """
    if attempts >= len(SCHEDULE):
        return None
    spread = 1 + JITTER * (random.uniform(-1, 1) if random else 0)
    wait = SCHEDULE[attempts] * spread
    if retry_after is not None and retry_after > 0:
        wait = max(wait, min(timedelta(seconds=min(retry_after, 1e9)), LONGEST_WAIT))
    return now + wait
