"""Take posts from many threads and commit those that came together in one transaction.

A commit costs one fsync however many rows it holds. Of the threads that wait, one writes what has
gathered, for all of them; each goes on when its own post is durable. One writer a process: several
make smaller batches, and were measured to be slower on PostgreSQL too.
"""

from collections import deque
from datetime import datetime, timedelta
from threading import Condition

from canary.services.inbox.intake import Parcel, Shipment, settle, ship, store
from canary.storage.session import Database
from canary.storage.vault import Vault
from webhooks.errors import InboxBusy

MOST_AT_ONCE = 64
MOST_GATHERED = 1000
ROOM_CHECKED_EVERY = timedelta(seconds=1)


class Acceptor:
    """Makes posts durable, several by one commit."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._gathered: deque[Shipment] = deque()
        self._changed = Condition()
        self._is_writing = False
        self._room_checked_at: datetime | None = None

    @property
    def gathered(self) -> int:
        """Return how many posts wait for the next commit."""
        return len(self._gathered)

    def accept(self, parcel: Parcel) -> bool:
        """Store a post durably; tell whether it is new.

        Raises InboxConflict, InboxStale, and InboxBusy when too many wait already.
        """
        shipment = ship(self._vault, parcel)
        with self._changed:
            if self.gathered >= MOST_GATHERED:
                raise InboxBusy("too many posts wait to be written", status=429)
            self._gathered.append(shipment)
        while not shipment.is_settled:
            self._wait_or_write(shipment)
        return settle(shipment)

    def _wait_or_write(self, shipment: Shipment) -> None:
        with self._changed:
            while self._is_writing and not shipment.is_settled:
                self._changed.wait()
            if shipment.is_settled:
                return
            self._is_writing = True
            count = min(MOST_AT_ONCE, len(self._gathered))
            batch = [self._gathered.popleft() for _ in range(count)]
        try:
            store(self._database, batch, check_room=self._is_check_due(shipment))
        finally:
            self._end_turn(batch)

    def _end_turn(self, batch: list[Shipment]) -> None:
        for shipment in batch:
            if not shipment.is_settled:
                shipment.refusal = InboxBusy("it could not be written")
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()

    def _is_check_due(self, shipment: Shipment) -> bool:
        now, last = shipment.parcel.post.received_at, self._room_checked_at
        if last is not None and timedelta() <= now - last < ROOM_CHECKED_EVERY:
            return False
        self._room_checked_at = now
        return True
