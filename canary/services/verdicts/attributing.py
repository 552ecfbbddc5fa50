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

import structlog
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.attribution.answer import Attribution
from canary.attribution.explain import Explanation, Language, explain
from canary.attribution.infer import attribute
from canary.attribution.reading import read_world
from canary.domain.alerts import (
    AlertType,
    News,
    Standing,
    choose_alert,
    has_fallen,
    hold_until,
    list_news,
)
from canary.domain.incidents import APART, IncidentState
from canary.services.alerts.alerting import put_alert
from canary.services.alerts.telling import Telling, compose, load_standing
from canary.services.detection.triage import Desk
from canary.services.verdicts.joining import absorb, join_leaks
from canary.services.verdicts.worlds import build_world
from canary.storage.tables import (
    Alert,
    AttributionRecord,
    Delivery,
    Incident,
    Source,
)
from canary.storage.vault import sha256

LANGUAGES: tuple[Language, ...] = ("zh", "en")
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
            .where(
                or_(
                    Incident.evidence_version > Incident.attributed_version,
                    # News that waited is told now, with all that has come since.
                    Incident.held_until <= desk.clock(),
                )
            )
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
    """Attribute one incident; tell whether this caller's version was kept.

    One that turns out to be part of a wider leak joins it first, and the wider one is attributed.
    """
    incident_id = join_leaks(desk, incident_id)
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
    built = build_world(session, desk.vault, [incident_id], desk.clock())
    world = built.content
    attribution = attribute(read_world(world))
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
    now = desk.clock()
    is_held = incident.held_until is not None and incident.held_until <= now
    if incident.attributed_version >= made.version and not is_held:
        return False
    if incident.state == IncidentState.MERGED:
        return False
    revision = incident.revision + 1
    session.add(_record_of(desk, incident_id, revision, made, now))
    _update(incident, made, revision)
    session.flush()
    if _move_to_named(session, incident):
        # The incident it has joined is attributed anew, and tells what there is to tell.
        return True
    _tell(session, desk, incident, made, now)
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


def _update(incident: Incident, made: _Made, revision: int) -> None:
    found = made.attribution
    incident.revision = revision
    incident.attributed_version = max(made.version, incident.attributed_version)
    incident.verdict = found.verdict
    incident.named = list(found.named)
    incident.confidence = max(found.posteriors.values(), default=0.0)


def _tell(session: Session, desk: Desk, incident: Incident, made: _Made, now: datetime) -> None:
    """Put an alert into the outbox when there is news; a repeat is folded into the next one."""
    told = Standing.from_json(incident.told) if incident.told else None
    standing = load_standing(session, incident)
    if has_fallen(told, standing):
        _take_back(session, desk, incident, made, now)
        told, incident.told = standing, standing.to_json()
    news = list_news(told, standing)
    incident.held_until = hold_until(news, incident.told_at, now)
    alert = choose_alert(news)
    if alert is None or incident.held_until is not None:
        return
    telling = Telling(vault=desk.vault, zone=desk.zone, public_url=desk.public_url)
    put_alert(
        session,
        alert,
        incident_id=incident.id,
        revision=incident.revision,
        data=compose(session, telling, incident, news, made.explanations),
        now=now,
    )
    incident.told, incident.told_at = _keep_told(told, standing).to_json(), now


def _take_back(
    session: Session, desk: Desk, incident: Incident, made: _Made, now: datetime
) -> None:
    """Tell whoever was told of this incident that the verdict has fallen."""
    told = session.scalars(
        select(Delivery.endpoint_id)
        .join(Alert, Alert.id == Delivery.alert_id)
        .where(Alert.incident_id == incident.id)
        .distinct()
    )
    telling = Telling(vault=desk.vault, zone=desk.zone, public_url=desk.public_url)
    put_alert(
        session,
        AlertType.INCIDENT_LOWERED,
        incident_id=incident.id,
        revision=incident.revision,
        data=compose(session, telling, incident, (News.FALLEN,), made.explanations),
        now=now,
        only=sorted(told),
    )
    incident.told_at = now


def _keep_told(told: Standing | None, standing: Standing) -> Standing:
    """Keep what was ever told: a verdict that fell and rose again to the same is no news."""
    if told is None:
        return standing
    return Standing(
        verdict=max(told.verdict, standing.verdict, key=lambda verdict: verdict.rank),
        named=told.named | standing.named,
        sources=told.sources | standing.sources,
        venues=told.venues | standing.venues,
        count=standing.count,
    )


def _move_to_named(session: Session, incident: Incident) -> bool:
    """Let the incident be about the one source it names; tell whether it joined one that is."""
    if incident.state != IncidentState.OPEN or len(incident.named) != 1:
        return False
    source = session.scalar(select(Source).where(Source.code == incident.named[0]))
    scope = f"source:{incident.named[0]}"
    if source is None or scope == incident.scope:
        return False
    if incident.scope.startswith(APART):
        incident.scope_source_id = source.id
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
    absorb(session, other, incident)
    return True
