"""Which sightings belong together, and what a person may decide about an incident."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from canary.domain.errors import Conflict
from canary.domain.sources import find_common_ancestor

CONTROLS = "controls"
NETWORK = "network"
# The scope of an incident that a person split off: no machine joins it with another.
APART = "apart:"


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    MERGED = "merged"


class Decision(StrEnum):
    """What a person can decide."""

    CONFIRM = "confirm"
    DISMISS = "dismiss"
    REOPEN = "reopen"


_OUTCOMES = {
    (IncidentState.OPEN, Decision.CONFIRM): IncidentState.CONFIRMED,
    (IncidentState.OPEN, Decision.DISMISS): IncidentState.DISMISSED,
    (IncidentState.CONFIRMED, Decision.REOPEN): IncidentState.OPEN,
    (IncidentState.DISMISSED, Decision.REOPEN): IncidentState.OPEN,
}


def decide(state: IncidentState, decision: Decision) -> IncidentState:
    """Return the state after a decision. Raises Conflict when it cannot be taken now."""
    try:
        return _OUTCOMES[state, decision]
    except KeyError:
        msg = f"an incident that is {state} cannot be changed by {decision}"
        raise Conflict(msg) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one incident is about: the smallest part of the network that holds all its baits."""

    name: str
    source: str | None


def find_scope(homes: Collection[str], parents: Mapping[str, str | None]) -> Scope:
    """Return the scope of baits placed at `homes`; none means that only controls were seen.

    Baits of several sources in one report are one leak above them, if anything stands above.
    """
    if not homes:
        return Scope(name=CONTROLS, source=None)
    shared = find_common_ancestor(sorted(homes), parents)
    if shared is None:
        return Scope(name=NETWORK, source=None)
    return Scope(name=f"source:{shared}", source=shared)
