"""Which service runs how often. The tables are the queue: a timer only wakes.

Several processes may run these jobs at once: rows are claimed, never shared.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from canary.domain.errors import Unavailable
from canary.services.alerts.delivering import (
    Outbox,
    cut_lines,
    deliver_line,
    list_due_by_endpoint,
    list_troubled,
)
from canary.services.alerts.digests import put_digests
from canary.services.alerts.escalating import escalate
from canary.services.alerts.watching import tell_failing, tell_silent
from canary.services.detection.rematching import notice_changes, rematch_some
from canary.services.detection.triage import Desk, list_waiting, triage_post
from canary.services.monitors.checking import Due, Lookout, check_due, list_due
from canary.services.verdicts.attributing import Resting, attribute_stale

TRIAGE_EVERY = timedelta(seconds=1)
DELIVER_EVERY = timedelta(seconds=1)
WATCH_EVERY = timedelta(seconds=30)
REMATCH_EVERY = timedelta(seconds=10)
LOOK_EVERY = timedelta(seconds=2)
ENDPOINTS_AT_ONCE = 12
TROUBLED_AT_ONCE = 4
LOOKS_AT_ONCE = 6
TROUBLED_LOOKS_AT_ONCE = 2
LINE = 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A step that is run again and again; it does what is due and returns."""

    name: str
    step: Callable[[], None]
    every: timedelta


class Triaging:
    """Work through waiting posts, then attribute the incidents that grew."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._resting = Resting()

    def __call__(self) -> None:
        # Between two rounds, so that a stream of posts does not hold the verdicts back.
        while self._work_once():
            attribute_stale(self._desk, self._resting)
        attribute_stale(self._desk, self._resting)

    def _work_once(self) -> bool:
        with self._desk.database.read() as session:
            waiting = list_waiting(session, self._desk.clock())
        for post_id in waiting:
            triage_post(self._desk, post_id)
        return bool(waiting)


class Delivering:
    """Deliver what is due; each endpoint in a line of its own, so that none waits for another.

    Endpoints whose last attempt failed have threads of their own: however many hang until their
    time is over, the others find a free one.
    """

    def __init__(self, outbox: Outbox, owner: str) -> None:
        self._outbox = outbox
        self._owner = owner
        self._busy: set[int] = set()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(ENDPOINTS_AT_ONCE, thread_name_prefix="deliver")
        self._side = ThreadPoolExecutor(TROUBLED_AT_ONCE, thread_name_prefix="deliver-again")

    def __call__(self) -> None:
        with self._outbox.database.read() as session:
            due = list_due_by_endpoint(session, self._outbox.clock())
            troubled = list_troubled(session)
        for endpoint_id, delivery_ids in due.items():
            with self._lock:
                if endpoint_id in self._busy:
                    continue
                self._busy.add(endpoint_id)
            pool = self._side if endpoint_id in troubled else self._pool
            pool.submit(self._work_through, endpoint_id, delivery_ids)

    def _work_through(self, endpoint_id: int, delivery_ids: Sequence[int]) -> None:
        try:
            for line in cut_lines(self._outbox.database, endpoint_id, delivery_ids, LINE):
                deliver_line(self._outbox, line, self._owner)
        except Unavailable as error:
            # Nothing is lost: what is due is found again at the next turn.
            log.warning("deliver.waits", endpoint=endpoint_id, reason=str(error))
        except Exception:
            log.exception("deliver.failed", endpoint=endpoint_id)
        finally:
            with self._lock:
                self._busy.discard(endpoint_id)

    def stop(self) -> None:
        """Finish what is being sent and take nothing more."""
        for pool in (self._pool, self._side):
            pool.shutdown(wait=True, cancel_futures=True)


class Looking:
    """Look at the watched pages that are due, several at once.

    Those whose last look failed have threads of their own, so that slow sites delay no other.
    """

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
        self._busy: set[int] = set()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look")
        self._side = ThreadPoolExecutor(TROUBLED_LOOKS_AT_ONCE, thread_name_prefix="look-again")

    def __call__(self) -> None:
        with self._lookout.database.read() as session:
            due = list_due(session, self._lookout.clock())
        for one in due:
            with self._lock:
                if one.id in self._busy:
                    continue
                self._busy.add(one.id)
            pool = self._side if one.is_troubled else self._pool
            pool.submit(self._look, one)

    def _look(self, due: Due) -> None:
        try:
            check_due(self._lookout, due.id)
        except Unavailable as error:
            log.warning("look.waits", monitor=due.id, reason=str(error))
        except Exception:
            log.exception("look.failed", monitor=due.id)
        finally:
            with self._lock:
                self._busy.discard(due.id)

    def stop(self) -> None:
        """Finish the looks that are under way and begin no other."""
        for pool in (self._pool, self._side):
            pool.shutdown(wait=True, cancel_futures=True)


class Rematching:
    """Match stored sightings again when baits came late or the rules changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __call__(self) -> None:
        notice_changes(self._desk.database, self._desk.clock())
        while rematch_some(self._desk):
            pass


class Watching:
    """Tell what does not come by itself: silence, failing endpoints, waiting people, digests."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __call__(self) -> None:
        database, now = self._desk.database, self._desk.clock()
        tell_silent(database, now)
        tell_failing(database, now)
        escalate(database, now)
        put_digests(database, now, self._desk.public_url)


class Jobs:
    """The jobs of one process."""

    def __init__(self, jobs: Sequence[Job], *, on_stop: Sequence[Callable[[], None]] = ()) -> None:
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1}
        )
        self._on_stop = on_stop
        for job in jobs:
            self._scheduler.add_job(
                _guarded(job),
                "interval",
                seconds=job.every.total_seconds(),
                id=job.name,
                misfire_grace_time=None,
                next_run_time=datetime.now(UTC),
            )

    def start(self) -> None:
        """Start the timer."""
        self._scheduler.start()

    def stop(self) -> None:
        """Let running steps end, then stop."""
        self._scheduler.shutdown(wait=True)
        for step in self._on_stop:
            step()

    @property
    def is_alive(self) -> bool:
        """Whether the timer runs."""
        return bool(self._scheduler.running)


def _guarded(job: Job) -> Callable[[], None]:
    def run() -> None:
        try:
            job.step()
        except Exception:
            log.exception("job.failed", job=job.name)

    return run
