"""The process in which Apprise runs: one message from standard input, the outcome as exit code."""

import importlib
import json
import socket
import sys
from typing import Any

from webhooks.errors import DeliveryError
from webhooks.outbound.addresses import AddressPolicy, Place
from webhooks.outbound.apprise import NOT_TAKEN, REFUSED, TAKEN, UNREADABLE

# Told on this machine, to nobody else: desktops, its own log, other programs.
LOCAL = frozenset({"dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})


class Guard:
    """Judges the address of every connection and datagram; remembers whether one was refused."""

    def __init__(self, policy: AddressPolicy) -> None:
        self.refused = False
        self._policy = policy

    def install(self) -> None:
        """Put itself before every way out that Python's sockets have."""
        guard = self

        class Guarded(socket.socket):
            def connect(self, address: Any) -> None:
                guard.judge(self, address)
                super().connect(address)

            def connect_ex(self, address: Any) -> int:
                guard.judge(self, address)
                return super().connect_ex(address)

            def sendto(self, data: Any, *rest: Any) -> int:
                guard.judge(self, rest[-1])
                return super().sendto(data, *rest)

        socket.socket = Guarded  # type: ignore[misc]  # the whole point of this process

    def judge(self, made: socket.socket, address: Any) -> None:
        """Let only what the policy lets; raises OSError."""
        try:
            if made.family not in (socket.AF_INET, socket.AF_INET6):
                raise DeliveryError("not a network address")
            # A name would be resolved again after the judgement: only addresses pass.
            place = Place(scheme="https", host=str(address[0]), port=int(address[1]))
            self._policy.judge(place.host, place)
        except DeliveryError as error:
            self.refused = True
            raise OSError(str(error)) from error


def main() -> int:
    """Send what standard input orders."""
    order = json.load(sys.stdin)
    guard = Guard(AddressPolicy(allowed=tuple(order["allowed"])))
    guard.install()
    if order["url"].partition(":")[0].strip().lower() in LOCAL:
        return UNREADABLE
    apprise = importlib.import_module("apprise")
    sender = apprise.Apprise()
    if not sender.add(order["url"]):
        return UNREADABLE
    if sender.notify(title=order["title"], body=order["body"], body_format="text"):
        return TAKEN
    return REFUSED if guard.refused else NOT_TAKEN


if __name__ == "__main__":
    sys.exit(main())
