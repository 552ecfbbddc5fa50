"""Let Apprise send, in a process of its own that can call judged addresses only."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

from webhooks.errors import AddressRefused, DeliveryError
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.sending import Answer, Request, Sender

# What the child tells by its exit code.
TAKEN, NOT_TAKEN, REFUSED, UNREADABLE = 0, 1, 3, 4
WEAK_ANSWER = b"Apprise reports success; what the receiver answered is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseSender(Sender):
    """Sends by Apprise, when it is installed.

    The child gets neither our environment, with its proxies, nor more than `total_seconds`.
    """

    policy: AddressPolicy = field(default_factory=AddressPolicy)
    total_seconds: float = 20.0

    def check(self, url: str) -> None:
        """Refuse when Apprise is not there; where it calls is judged with each connection."""
        if url.lower() != "apprise:":
            raise AddressRefused("write apprise: and give Apprise's own URL as the secret")
        if importlib.util.find_spec("apprise") is None:
            raise AddressRefused("Apprise is not installed")

    def send(self, request: Request) -> Answer:
        """Send once."""
        self.check(request.url)
        order = {"allowed": list(self.policy.allowed), **json.loads(request.body)}
        try:
            done = subprocess.run(  # our own program, nothing from outside in it
                [sys.executable, "-m", "webhooks.outbound.apprise_child"],
                input=json.dumps(order).encode(),
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LANG": "C.UTF-8"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self.total_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DeliveryError("no answer in time") from error
        if done.returncode == TAKEN:
            return Answer(status=202, body=WEAK_ANSWER)
        if done.returncode == REFUSED:
            raise AddressRefused("Apprise wanted to call an address that may not be called")
        if done.returncode == UNREADABLE:
            raise DeliveryError("Apprise cannot read its URL", permanent=True)
        raise DeliveryError("Apprise says it was not taken, and not why")
