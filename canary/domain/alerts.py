"""What is worth telling."""

from enum import StrEnum

from canary.domain.verdicts import Verdict


class AlertType(StrEnum):
    """The types of message that go out."""

    INCIDENT_OPENED = "incident.opened"
    INCIDENT_RAISED = "incident.raised"
    INCIDENT_CLOSED = "incident.closed"
    TEST = "endpoint.test"


def choose_alert(
    *, told: bool, old: Verdict, new: Verdict, old_named: frozenset[str], new_named: frozenset[str]
) -> AlertType | None:
    """Say which alert a new attribution deserves, if any.

    The first one opens the incident to the outside; later ones speak up only when the verdict
    rises or another source is named.
    """
    if not told:
        return AlertType.INCIDENT_OPENED
    if new.rank > old.rank or new_named - old_named:
        return AlertType.INCIDENT_RAISED
    return None
