"""The live register of a worker: every bait in memory, fed by the database's changes.

It is asked to catch up before each report is read: a bait that was issued is found by the next
message, in every process. Baits are never changed nor taken away, so that catching up is one
look at what has a higher id; once a second it also looks for rows that were committed late
under a lower one. Large registers are kept sealed in a file, so that a start need not open
every row; a file of another database, or of another state of this one, is not used.
"""

import io
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from canary.domain.errors import CanaryError, Unavailable
from canary.domain.identifiers import BaitValues
from canary.matching import sieve as sieves
from canary.matching.keys import Key
from canary.matching.packed import Listed, PackedRegister, pack, read_packed
from canary.matching.register import MemoryRegister, Register
from canary.matching.sieve import Sieve
from canary.services.baits.register import CHUNK, SqlRegister, open_values
from canary.storage.session import Database
from canary.storage.tables import Bait
from canary.storage.vault import SealBroken, Vault

SMALL = 5000  # baits up to which dictionaries do
LATE = timedelta(minutes=10)  # how long a transaction that issues baits may take
RECHECK = timedelta(seconds=1)
RETRY = timedelta(minutes=1)  # after a register could not be loaded
SWITCH_S = 0.0005  # turn of one thread while a register loads; 5 ms otherwise
FAR = 50_000  # ids looked back over for what was committed late
PLACE = "register.file|live"

log = structlog.get_logger(__name__)


class LiveRegister(Register):
    """Holds every bait of a database; `catch_up` before use."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Callable[[], datetime],
        file: Path | None = None,
    ) -> None:
        self._database, self._vault, self._clock, self._file = database, vault, clock, file
        self._held: MemoryRegister | PackedRegister | None = None
        self._last = 0
        self._marks: deque[tuple[datetime, int]] = deque([(clock(), 0)])
        self._rechecked_at = self._retry_at = clock()
        self._lock = threading.Lock()
        self._loading: threading.Thread | None = None

    @property
    def is_ready(self) -> bool:
        """Tell whether the register is in memory yet."""
        return self._held is not None

    def catch_up(self, session: Session) -> bool:
        """Take in what was issued since; False while a large register is still being loaded."""
        with self._lock:
            if self._held is None:
                self._begin(session)
            if self._held is None:
                return False
            self._take_new(session, self._held)
            return True

    def or_stored(self, session: Session) -> Register:
        """Return itself, caught up; the database's own register until it is in memory."""
        return self if self.catch_up(session) else SqlRegister(session, self._vault)

    @property
    def sieve(self) -> Sieve | None:
        """The sieve of a large register."""
        return self._held.sieve if isinstance(self._held, PackedRegister) else None

    @property
    def size(self) -> int:
        return self._held.size if self._held is not None else 0

    def find(self, keys: Collection[Key]) -> Mapping[Key, Sequence[int]]:
        return self._held.find(keys) if self._held is not None else {}

    def values(self, bait_ids: Collection[int]) -> Mapping[int, BaitValues]:
        return self._held.values(bait_ids) if self._held is not None else {}

    def _begin(self, session: Session) -> None:
        size = session.scalar(select(func.count()).select_from(Bait)) or 0
        if size <= SMALL or not sieves.is_available():
            self._held = MemoryRegister()
        elif self._loading is None and self._clock() >= self._retry_at:
            self._loading = threading.Thread(target=self.load, daemon=True, name="register")
            self._loading.start()

    def load(self) -> None:
        """Bring a large register into memory, from the file where it fits."""
        try:
            with self._database.read() as session, _giving_way():
                held = self._read_file(session) or self._build(session)
        except (Unavailable, SealBroken) as error:
            log.warning("register.not_loaded", reason=type(error).__name__)
            self._retry_at = self._clock() + RETRY
            self._loading = None
            return
        held.sieve.may_hold("")  # what numba compiles, it compiles here
        self._last = int(held.mark.split("/")[0])
        self._held = held

    def _build(self, session: Session) -> PackedRegister:
        held = pack(self._listed(session), mark=self._mark(session))
        if self._file is not None:
            try:
                self._save(held, self._file)
            except OSError as error:
                log.warning("register.file_not_kept", reason=error.strerror)
        return held

    def _save(self, held: PackedRegister, file: Path) -> None:
        buffer = io.BytesIO()
        held.dump(buffer)
        beside = file.with_name(f"{file.name}.{os.getpid()}")
        beside.touch(mode=0o600)
        beside.write_bytes(self._vault.seal(PLACE, buffer.getvalue()))
        beside.replace(file)

    def _read_file(self, session: Session) -> PackedRegister | None:
        """Open the saved register, if it is this database's and nothing was put back since."""
        if self._file is None or not self._file.exists():
            return None
        try:
            held = read_packed(self._vault.unseal(PLACE, self._file.read_bytes()))
            last = int(held.mark.split("/")[0])
        except (SealBroken, CanaryError, OSError, ValueError) as error:
            log.warning("register.file_unused", reason=type(error).__name__)
            return None
        if held.mark != self._mark(session, last):
            log.warning("register.file_unused", reason="of another state of the database")
            return None
        if (session.scalar(select(func.max(Bait.id))) or 0) - last > FAR:
            log.info("register.file_unused", reason="too many baits are newer")
            return None
        return held

    def _mark(self, session: Session, last: int | None = None) -> str:
        """Name the state of the database: the last bait's id and ref, and how many there are."""
        if last is None:
            last = session.scalar(select(func.max(Bait.id))) or 0
        ref = session.scalar(select(Bait.ref).where(Bait.id == last)) or ""
        count = session.scalar(select(func.count()).select_from(Bait).where(Bait.id <= last))
        return f"{last}/{ref}/{count}"

    def _listed(self, session: Session) -> Iterator[Listed]:
        wanted = select(Bait).order_by(Bait.id).execution_options(yield_per=CHUNK)
        with closing(session.scalars(wanted)) as rows:
            for bait in rows:
                yield Listed(bait.id, open_values(self._vault, bait), bait.ref)

    def _take_new(self, session: Session, held: MemoryRegister | PackedRegister) -> None:
        now = self._clock()
        if now - self._rechecked_at >= RECHECK:
            self._rechecked_at = now
            low = self._low_mark(now)
            ids = session.scalars(select(Bait.id).where(Bait.id > low, Bait.id <= self._last))
            late = [one for one in ids if not held.has(one)]
            for start in range(0, len(late), CHUNK):
                self._add(session, held, Bait.id.in_(late[start : start + CHUNK]))
        self._last = max(self._last, self._add(session, held, Bait.id > self._last))

    def _add(
        self,
        session: Session,
        held: MemoryRegister | PackedRegister,
        wanted: ColumnElement[bool],
    ) -> int:
        """Add the baits meant; return the highest id among them."""
        last = 0
        meant = select(Bait).where(wanted).order_by(Bait.id).execution_options(yield_per=CHUNK)
        with closing(session.scalars(meant)) as rows:
            for bait in rows:
                held.add(bait.id, open_values(self._vault, bait), code=bait.ref)
                last = bait.id
        return last

    def _low_mark(self, now: datetime) -> int:
        """Return the id below which no transaction can still be open, but not far back."""
        self._marks.append((now, self._last))
        while len(self._marks) > 1 and now - self._marks[1][0] > LATE:
            self._marks.popleft()
        return max(self._marks[0][1], self._last - FAR)


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let pages go on beside the minutes of a first load: each wait for its turn is a short one."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
