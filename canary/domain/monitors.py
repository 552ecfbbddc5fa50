"""What became of a look at a watched page, and when the next one is due."""

from datetime import timedelta
from enum import StrEnum

LEAST_RHYTHM = 1
MOST_RHYTHM = 10_080
LONGEST_DELAY = timedelta(hours=6)
LONGEST_WAIT = timedelta(hours=24)
JITTER = 0.1


class MonitorState(StrEnum):
    """How a monitor does.

    `lost`: the page came, and what was to be read on it is no longer there; `refused`: the site's
    robots.txt does not want us there.
    """

    NEW = "new"
    FINE = "fine"
    CHANGED = "changed"
    BLOCKED = "blocked"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"

    @property
    def is_sign_of_life(self) -> bool:
        """Tell whether the page was seen as it is."""
        return self in (MonitorState.FINE, MonitorState.CHANGED)


BLOCKING = frozenset({401, 403, 407, 429, 451})


def wait_after(
    rhythm: timedelta, failures: int, *, retry_after: float | None, spread: float
) -> timedelta:
    """Return how long to wait: the rhythm, doubled with each failure in a row up to six hours.

    `spread` is drawn from -1 to 1, so that monitors do not march in step; what the site asks for
    (seconds) is kept up to a day.
    """
    longest = max(rhythm, LONGEST_DELAY)
    wait = min(rhythm * (1 << min(failures, 12)), longest) * (1 + JITTER * spread)
    if retry_after is not None and retry_after > 0:
        wait = max(wait, min(timedelta(seconds=min(retry_after, 1e6)), LONGEST_WAIT))
    return wait
