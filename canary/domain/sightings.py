"""Channels: who brings a sighting decides how far it can carry."""

from enum import StrEnum


class ChannelClass(StrEnum):
    """The class of a reporter.

    `own`: our monitors. `own_tip`: our monitors, at an address somebody tipped us. `arrival`: our
    own phones, that a message reached them. `contracted`: the body is covered by a signature.
    `relay`: what a relayed text says. `manual`: typed in by staff. `anonymous`: anybody.
    """

    OWN = "own"
    OWN_TIP = "own_tip"
    ARRIVAL = "arrival"
    CONTRACTED = "contracted"
    RELAY = "relay"
    MANUAL = "manual"
    ANONYMOUS = "anonymous"
