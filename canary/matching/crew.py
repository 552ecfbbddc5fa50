"""Who scans: this process, a pool of processes here, or a Dask cluster by its executor."""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any, Generic, Protocol, TypeVar

from canary.domain.errors import Unavailable

LIVES = 4  # pools that may be lost before a scan gives up
AHEAD = 3  # pieces handed out per worker before the first must be back
CLUSTER_AHEAD = 64

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Task_contra = TypeVar("Task_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)


class Work(Protocol[Task_contra, Answer_co]):
    """What each worker keeps, and does with one piece."""

    def scan(self, block: Task_contra, /) -> Answer_co:
        """Scan one piece."""


class Hands(Generic[Task, Answer]):
    """Gives pieces out and takes answers back in order, none lost and none doubled.

    When the workers are gone, `revive` brings new ones, and what was not answered is given again.
    """

    def __init__(
        self,
        submit: Callable[[Task], "Future[Answer]"],
        ahead: int,
        revive: Callable[[], None] | None = None,
    ) -> None:
        self._submit, self._ahead, self._revive = submit, ahead, revive

    def run(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Answer]]:
        """Yield each piece with its answer, in the order of the pieces."""
        waiting: deque[tuple[Task, Future[Answer]]] = deque()
        for task in tasks:
            waiting.append((task, self._give(task)))
            if len(waiting) >= self._ahead:
                yield self._take(waiting)
        while waiting:
            yield self._take(waiting)

    def _give(self, task: Task) -> "Future[Answer]":
        try:
            return self._submit(task)
        except BrokenExecutor as error:
            broken: Future[Answer] = Future()
            broken.set_exception(error)
            return broken

    def _take(self, waiting: "deque[tuple[Task, Future[Answer]]]") -> tuple[Task, Answer]:
        while True:
            task, future = waiting[0]
            try:
                answer = future.result()
            except BrokenExecutor:
                if self._revive is None:
                    raise
                self._revive()
                again = [(one, old if _is_answered(old) else None) for one, old in waiting]
                waiting.clear()
                waiting.extend((one, old or self._give(one)) for one, old in again)
                continue
            waiting.popleft()
            return task, answer


def _is_answered(future: "Future[Any]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


class _Pool:
    """A pool of processes that is replaced a few times when one of them is killed."""

    def __init__(self, work: Any, workers: int, tell_killed: Callable[[], None]) -> None:
        self._work, self._workers, self._lives = work, workers, LIVES
        self._tell_killed = tell_killed
        self._others = set(active_children())
        self.executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers,
            mp_context=get_context("fork"),
            initializer=_adopt,
            initargs=(self._work, os.getpid()),
        )

    def submit(self, task: Any) -> "Future[Any]":
        return self.executor.submit(_scan_adopted, task)

    def revive(self) -> None:
        """Start anew. Raises Unavailable when processes keep dying."""
        self.close()
        self._lives -= 1
        if not self._lives:
            raise Unavailable("the scanning processes keep being killed; is memory short?")
        self._tell_killed()
        self.executor = self._start()

    def close(self, *, at_once: bool = False) -> None:
        """End the processes; `at_once` also in the midst of a piece."""
        if at_once:
            for child in set(active_children()) - self._others:
                child.terminate()
        self.executor.shutdown(cancel_futures=True)


@contextmanager
def local_hands(
    work: Work[Task, Answer], workers: int, tell_killed: Callable[[], None] = lambda: None
) -> Iterator[Hands[Task, Answer]]:
    """Start processes here that share what this one has in memory, and end them in any case.

    `tell_killed` is called when one was killed and its pieces are scanned again. Raises
    Unavailable when they keep being killed.
    """
    pool = _Pool(work, workers, tell_killed)
    try:
        yield Hands(pool.submit, workers * AHEAD, pool.revive)
    except BaseException:
        pool.close(at_once=True)
        raise
    pool.close()


_adopted: list[Any] = []  # what a process was started with


def _adopt(work: Any, parent: int) -> None:
    _adopted.append(work)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started us ends us
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone, also when that was killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _scan_adopted(task: Any) -> Any:
    return _adopted[-1].scan(task)


@contextmanager
def cluster_hands(work: Work[Task, Answer], address: str) -> Iterator[Hands[Task, Answer]]:
    """Use the workers of a Dask scheduler; a piece whose worker dies is given to another.

    Certificates for a tls:// address come from Dask's own configuration. Raises Unavailable.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise Unavailable("CANARY_SCAN_CLUSTER needs the cluster extra") from error
    try:
        client: Any = Client(address, timeout=30, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        raise Unavailable(f"no Dask scheduler answers at {address}") from error
    with client:
        shared = client.scatter(work, broadcast=True, hash=False)
        executor: Executor = client.get_executor(pure=False, retries=3)
        yield Hands(lambda task: executor.submit(scan_with, shared, task), CLUSTER_AHEAD)


def scan_with(work: Work[Task, Answer], task: Task) -> Answer:
    """Scan one piece on a worker of a cluster."""
    return work.scan(task)
