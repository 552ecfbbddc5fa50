"""Regrade a reporter: what it brought carries less (or more), also where it was judged already.

The old class and the old verdicts stay: the one in the audit entry, the others in the
attributions kept with their worlds. Who was told of a verdict that falls is told of its fall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Invalid, NotFound
from canary.domain.sightings import ChannelClass
from canary.services.audit import record
from canary.services.stale import mark_incidents_stale
from canary.storage.tables import Incident, Reporter, Sighting

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrading:
    """What a regrading did: sightings that changed class, incidents to be judged anew."""

    reporter: str
    old_class: str
    new_class: str
    sightings: int
    incidents: tuple[int, ...]


def regrade_reporter(
    session: Session,
    name: str,
    channel_class: ChannelClass,
    *,
    since: datetime | None = None,
    reason: str,
    actor: str,
    now: datetime,
) -> Regrading:
    """Give a reporter, and what it brought from `since` on by our clock, another class.

    Raises NotFound for an unknown reporter, Invalid without a reason or for a time in the future.
    """
    reason = _check(reason, since, now)
    reporter = session.scalar(select(Reporter).where(Reporter.name == name).with_for_update())
    if reporter is None:
        msg = f"there is no reporter {name!r}; see `canary reporter list`"
        raise NotFound(msg)
    old, reporter.channel_class = reporter.channel_class, channel_class.value
    chosen = [Sighting.reporter_id == reporter.id, Sighting.channel_class != channel_class.value]
    if since is not None:
        chosen.append(Sighting.seen_at >= since)
    incidents = _list_incidents(session, chosen)
    count = session.scalar(select(func.count(Sighting.id)).where(*chosen)) or 0
    session.execute(
        update(Sighting)
        .where(*chosen)
        .values(channel_class=channel_class.value)
        .execution_options(synchronize_session=False)
    )
    mark_incidents_stale(session, incidents)
    _write_down(session, reporter, old, since, count, incidents, reason, actor, now)
    return Regrading(
        reporter=name,
        old_class=old,
        new_class=channel_class.value,
        sightings=count,
        incidents=tuple(incidents),
    )


def _check(reason: str, since: datetime | None, now: datetime) -> str:
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid("a regrading needs a reason", field="reason", mend="say why in a sentence")
    if since is not None and since > now:
        raise Invalid("this lies in the future", field="since", mend="correct the time")
    return reason


def _list_incidents(session: Session, chosen: Sequence[ColumnElement[bool]]) -> list[int]:
    found = session.scalars(
        select(Incident.id)
        .join(Sighting, Sighting.incident_id == Incident.id)
        .where(*chosen)
        .distinct()
    )
    return sorted(found)


def _write_down(
    session: Session,
    reporter: Reporter,
    old: str,
    since: datetime | None,
    count: int,
    incidents: Sequence[int],
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    told = {
        "from": old,
        "to": reporter.channel_class,
        "since": since.isoformat() if since else None,
        "sightings": count,
    }
    record(
        session, actor, "reporter.regraded", f"reporter/{reporter.name}", now, reason=reason, **told
    )
    for incident_id in incidents:
        record(
            session,
            actor,
            "incident.regraded",
            f"incident/{incident_id}",
            now,
            reason=reason,
            reporter=reporter.name,
            **{name: told[name] for name in ("from", "to")},
        )
