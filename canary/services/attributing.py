"""Attribute incidents anew when their evidence has grown; every version is kept.

The engine runs between two transactions. `evidence_version` grows with each sighting; an
attribution is kept with the version it was made from, so that evidence that came in meanwhile
makes the incident stale again, and the unique (incident, revision) stops a second worker.
"""

import gzip
import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.attribution.answer import Attribution
from canary.attribution.explain import Explanation, Language, explain
from canary.attribution.infer import attribute
from canary.attribution.world import World
from canary.domain.alerts import AlertType, choose_alert
from canary.domain.incidents import IncidentState
from canary.domain.verdicts import Verdict
from canary.services.alerting import put_alert
from canary.services.triage import Desk
from canary.services.worlds import build_world
from canary.storage.tables import Alert, AttributionRecord, Incident, Sighting, Source
from canary.storage.vault import sha256

LANGUAGES: tuple[Language, ...] = ("zh", "en")
SEVERITY = {
    Verdict.CONFIRMED: "critical",
    Verdict.PROBABLE: "error",
    Verdict.WEAK: "warning",
    Verdict.UNATTRIBUTABLE: "warning",
}

FIRST_REST = timedelta(seconds=10)
LONGEST_REST = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """An attribution and what it was made from."""

    version: int
    world: bytes
    attribution: Attribution
    explanations: dict[str, Explanation]


class Resting:
    """Incidents whose attribution failed, and until when they are left alone."""

    def __init__(self) -> None:
        self._until: dict[int, datetime] = {}
        self._failures: Counter[int] = Counter()

    def rests(self, incident_id: int, now: datetime) -> bool:
        """Tell whether this incident is to be left alone now."""
        return self._until.get(incident_id, now) > now

    def note_failure(self, incident_id: int, now: datetime) -> None:
        """Leave an incident alone for a while, longer each time, at most an hour."""
        self._failures[incident_id] += 1
        wait = FIRST_REST * 2 ** min(self._failures[incident_id] - 1, 10)
        self._until[incident_id] = now + min(wait, LONGEST_REST)

    def note_success(self, incident_id: int) -> None:
        """Forget an incident's failures."""
        self._until.pop(incident_id, None)
        self._failures.pop(incident_id, None)


def attribute_stale(desk: Desk, resting: Resting) -> int:
    """Attribute every incident whose evidence has grown; return how many were."""
    with desk.database.read() as session:
        stale = session.scalars(
            select(Incident.id)
            .where(Incident.evidence_version > Incident.attributed_version)
            .where(Incident.state != IncidentState.MERGED)
            .order_by(Incident.id)
        ).all()
    done = 0
    for incident_id in stale:
        if resting.rests(incident_id, desk.clock()):
            continue
        try:
            done += attribute_incident(desk, incident_id)
            resting.note_success(incident_id)
        except Exception:
            log.exception("attribution.failed", incident=incident_id)
            resting.note_failure(incident_id, desk.clock())
    return done


def attribute_incident(desk: Desk, incident_id: int) -> bool:
    """Attribute one incident; tell whether this caller's version was kept."""
    with desk.database.read() as session:
        made = _make(session, desk, incident_id)
    try:
        with desk.database.write() as session:
            return _keep(session, desk, incident_id, made)
    except IntegrityError:
        # Another worker kept this revision first; what it did not see makes the incident stale.
        return False


def _make(session: Session, desk: Desk, incident_id: int) -> _Made:
    version = session.scalars(
        select(Incident.evidence_version).where(Incident.id == incident_id)
    ).one()
    built = build_world(session, desk.vault, incident_id, desk.clock())
    world = built.content
    attribution = attribute(World.from_json(world))
    names = {row.code: row.name for row in session.execute(select(Source.code, Source.name))}
    return _Made(
        version=version,
        world=json.dumps(world, ensure_ascii=False, sort_keys=True).encode(),
        attribution=attribution,
        explanations={
            lang: explain(attribution, lang, names=names, tell_time=built.tell_time(desk.zone))
            for lang in LANGUAGES
        },
    )


def _keep(session: Session, desk: Desk, incident_id: int, made: _Made) -> bool:
    incident = session.get_one(Incident, incident_id, with_for_update=True)
    if incident.attributed_version >= made.version or incident.state == IncidentState.MERGED:
        return False
    now = desk.clock()
    revision = incident.revision + 1
    session.add(_record_of(desk, incident_id, revision, made, now))
    alert = _choose(session, incident, made.attribution)
    _update(incident, made, revision)
    session.flush()
    if _move_to_named(session, incident):
        # The incident it has joined is attributed anew, and tells what there is to tell.
        return True
    if alert is not None:
        put_alert(
            session,
            alert,
            incident_id=incident_id,
            revision=revision,
            data=_tell(session, desk, incident, made),
            now=now,
        )
    return True


def _record_of(
    desk: Desk, incident_id: int, revision: int, made: _Made, now: datetime
) -> AttributionRecord:
    spoken = {
        lang: {
            "headline": text.headline,
            "reasons": list(text.reasons),
            "exclusions": list(text.exclusions),
            "settle": list(text.settle),
        }
        for lang, text in made.explanations.items()
    }
    place = f"attributions.sealed_world|{incident_id}/{revision}"
    return AttributionRecord(
        incident_id=incident_id,
        revision=revision,
        created_at=now,
        rule_version=made.attribution.rule_version,
        verdict=made.attribution.verdict,
        result=made.attribution.to_json() | {"explanations": spoken},
        sealed_world=desk.vault.seal(place, gzip.compress(made.world)),
        world_sha256=sha256(made.world),
    )


def _choose(session: Session, incident: Incident, attribution: Attribution) -> AlertType | None:
    told = session.scalar(select(Alert.id).where(Alert.incident_id == incident.id).limit(1))
    return choose_alert(
        told=told is not None,
        old=Verdict(incident.verdict),
        new=attribution.verdict,
        old_named=frozenset(incident.named),
        new_named=frozenset(attribution.named),
    )


def _update(incident: Incident, made: _Made, revision: int) -> None:
    found = made.attribution
    incident.revision = revision
    incident.attributed_version = made.version
    incident.verdict = found.verdict
    incident.named = list(found.named)
    incident.confidence = max(found.posteriors.values(), default=0.0)


def _tell(session: Session, desk: Desk, incident: Incident, made: _Made) -> dict[str, Any]:
    venues = session.scalars(
        select(Sighting.venue).where(Sighting.incident_id == incident.id).distinct()
    ).all()
    first = session.scalars(
        select(Sighting.seen_at)
        .where(Sighting.incident_id == incident.id)
        .order_by(Sighting.seen_at)
        .limit(1)
    ).one()
    return {
        "incident": incident.id,
        "verdict": incident.verdict,
        "named": list(incident.named),
        "source": incident.named[0] if len(incident.named) == 1 else None,
        "confidence": round(incident.confidence, 4),
        "count": incident.sighting_count,
        "first_seen": first.isoformat(),
        "last_seen": incident.last_sighting_at.isoformat(),
        "venue": ", ".join(sorted(venues))[:200],
        "severity": SEVERITY[made.attribution.verdict],
        "link": f"{desk.public_url}/incidents/{incident.id}",
        "by_lang": {
            lang: {"title": text.headline, "lines": [*text.reasons[:4], *text.settle[:2]]}
            for lang, text in made.explanations.items()
        },
    }


def _move_to_named(session: Session, incident: Incident) -> bool:
    """Let the incident be about the one source it names; tell whether it joined one that is."""
    if incident.state != IncidentState.OPEN or len(incident.named) != 1:
        return False
    source = session.scalar(select(Source).where(Source.code == incident.named[0]))
    scope = f"source:{incident.named[0]}"
    if source is None or scope == incident.scope:
        return False
    other = session.scalar(
        select(Incident)
        .where(
            Incident.scope == scope,
            Incident.state == IncidentState.OPEN,
            Incident.id != incident.id,
        )
        .with_for_update()
    )
    if other is None:
        incident.scope, incident.scope_source_id = scope, source.id
        return False
    session.execute(
        update(Sighting).where(Sighting.incident_id == incident.id).values(incident_id=other.id)
    )
    other.sighting_count += incident.sighting_count
    other.evidence_version += 1
    other.last_sighting_at = max(other.last_sighting_at, incident.last_sighting_at)
    incident.state, incident.merged_into_id = IncidentState.MERGED, other.id
    return True
