"""Sign-in attempts per address: twenty in a minute, then wait."""

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import cast

from flask import current_app

WINDOW = timedelta(minutes=1)
ATTEMPTS = 20
ADDRESSES = 10_000
EXTENSION = "canary-sign-in-gate"


class AddressGate:
    """Counts attempts per address in this process; remembers a bounded number of addresses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()

    def admit(self, address: str, now: datetime) -> bool:
        """Count an attempt and tell whether it may go on."""
        with self._lock:
            times = self._seen.pop(address, None) or deque(maxlen=ATTEMPTS)
            self._seen[address] = times
            while len(self._seen) > ADDRESSES:
                self._seen.popitem(last=False)
            if len(times) == ATTEMPTS and now - times[0] < WINDOW:
                return False
            times.append(now)
            return True


def get_gate() -> AddressGate:
    """Return the gate of the application that answers now."""
    return cast(AddressGate, current_app.extensions.setdefault(EXTENSION, AddressGate()))
