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

from canary.services.alerting import Outbox, deliver, list_due_by_endpoint
from canary.services.attributing import Resting, attribute_stale
from canary.services.triage import Desk, list_waiting, triage_post

TRIAGE_EVERY = timedelta(seconds=1)
DELIVER_EVERY = timedelta(seconds=1)
ENDPOINTS_AT_ONCE = 8

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
    """Deliver what is due; each endpoint in a line of its own, so that none waits for another."""

    def __init__(self, outbox: Outbox, owner: str) -> None:
        self._outbox = outbox
        self._owner = owner
        self._busy: set[int] = set()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(ENDPOINTS_AT_ONCE, thread_name_prefix="deliver")

    def __call__(self) -> None:
        with self._outbox.database.read() as session:
            due = list_due_by_endpoint(session, self._outbox.clock())
        for endpoint_id, delivery_ids in due.items():
            with self._lock:
                if endpoint_id in self._busy:
                    continue
                self._busy.add(endpoint_id)
            self._pool.submit(self._work_through, endpoint_id, delivery_ids)

    def _work_through(self, endpoint_id: int, delivery_ids: Sequence[int]) -> None:
        try:
            for delivery_id in delivery_ids:
                deliver(self._outbox, delivery_id, self._owner)
        except Exception:
            log.exception("deliver.failed", endpoint=endpoint_id)
        finally:
            with self._lock:
                self._busy.discard(endpoint_id)

    def stop(self) -> None:
        """Finish what is being sent and take nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)


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
