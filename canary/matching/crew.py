"""Who scans: this process, a pool of processes here, or a Dask cluster by its executor."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Generic, Protocol, TypeVar

from canary.domain.errors import Unavailable

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
    """Gives pieces out and takes answers back in order, none lost and none doubled."""

    def __init__(self, submit: Callable[[Task], "Future[Answer]"], ahead: int) -> None:
        self._submit, self._ahead = submit, ahead

    def run(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Answer]]:
        """Yield each piece with its answer, in the order of the pieces."""
        waiting: deque[tuple[Task, Future[Answer]]] = deque()
        for task in tasks:
            waiting.append((task, self._submit(task)))
            if len(waiting) >= self._ahead:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()


@contextmanager
def local_hands(work: Work[Task, Answer], workers: int) -> Iterator[Hands[Task, Answer]]:
    """Start processes here that share what this one has in memory."""
    with ProcessPoolExecutor(
        workers, mp_context=get_context("fork"), initializer=_adopt, initargs=(work,)
    ) as pool:
        yield Hands(lambda task: pool.submit(_scan_adopted, task), workers * AHEAD)


_adopted: list[Any] = []  # what a process was started with


def _adopt(work: Any) -> None:
    _adopted.append(work)


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
        client: Any = Client(address, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        raise Unavailable(f"no Dask scheduler answers at {address}") from error
    with client:
        shared = client.scatter(work, broadcast=True, hash=False)
        executor: Executor = client.get_executor(pure=False, retries=3)
        yield Hands(lambda task: executor.submit(scan_with, shared, task), CLUSTER_AHEAD)


def scan_with(work: Work[Task, Answer], task: Task) -> Answer:
    """Scan one piece on a worker of a cluster."""
    return work.scan(task)
