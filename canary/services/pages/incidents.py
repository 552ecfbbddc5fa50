"""The page of one incident."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from canary.domain.errors import NotFound
from canary.domain.incidents import Decision, IncidentState
from canary.services.access import Viewer
from canary.services.cases.casework import can_separate
from canary.services.cases.review import list_decisions
from canary.services.pages.history import Moment, list_moments
from canary.services.pages.path import Path, load_path
from canary.services.pages.queue import is_asleep, label_visible, list_named
from canary.services.pages.sightings import SightingView, load_sightings
from canary.services.viewing import (
    Paged,
    SourceLabel,
    label_sources,
    limit_incidents,
    list_visible_codes,
)
from canary.storage.tables import (
    AttributionRecord,
    Incident,
    Match,
    Sighting,
)
from canary.storage.vault import Vault

SUSPECTS = 5
SHARE_SHOWN = 0.005
EXCLUDED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A source with its share of belief; `share` runs from 0 to 1."""

    source: SourceLabel | None
    share: float
    is_named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedSource:
    """A source that is out, and the code of the reason."""

    source: SourceLabel
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the attribution says in one language; any part may be empty."""

    headline: str = ""
    reasons: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    settle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """Everything the incident page shows."""

    incident_id: int
    state: str
    verdict: str
    confidence: float
    version: int
    revision: int
    rule_version: str
    opened_at: datetime
    last_sighting_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    is_snoozed: bool
    snoozed_until: datetime | None
    assignee: str
    merged_into: int | None
    can_separate: bool
    named: tuple[SourceLabel, ...]
    suspects: tuple[Suspect, ...]
    more_suspects: int
    p_no_leak: float | None
    excluded: tuple[ExcludedSource, ...]
    words: Words
    has_next: bool
    sightings: Paged[SightingView]
    bait_count: int
    path: Path | None
    moments: tuple[Moment, ...]
    decisions: tuple[Decision, ...]
    shows_text: bool


def load_incident(
    session: Session,
    vault: Vault,
    viewer: Viewer,
    incident_id: int,
    *,
    lang: str,
    now: datetime,
    number: int = 1,
) -> IncidentPage:
    """Return the page of one incident. Raises NotFound, also for what this viewer may not see."""
    incident = _get_incident(session, viewer, incident_id)
    record = session.scalar(
        select(AttributionRecord)
        .where(AttributionRecord.incident_id == incident_id)
        .order_by(AttributionRecord.revision.desc())
        .limit(1)
    )
    result: Mapping[str, Any] = record.result if record else {}
    visible = list_visible_codes(session, viewer)
    ranked = _rank(result, incident)
    reasons = _read_excluded(result) if visible is None else {}
    labels = label_sources(
        session, {code for code, _ in ranked} | set(reasons) | set(list_named(incident))
    )
    return IncidentPage(
        incident_id=incident.id,
        state=incident.state,
        verdict=incident.verdict,
        confidence=incident.confidence,
        version=incident.version,
        revision=incident.revision,
        rule_version=record.rule_version if record else "",
        opened_at=incident.opened_at,
        last_sighting_at=incident.last_sighting_at,
        decided_at=incident.decided_at,
        decided_by=incident.decided_by,
        decision_reason=incident.decision_reason,
        acknowledged_by=_acknowledger(incident),
        acknowledged_at=incident.acknowledged_at,
        is_snoozed=is_asleep(incident, now),
        snoozed_until=incident.snoozed_until,
        assignee=incident.assignee.name if incident.assignee else "",
        merged_into=incident.merged_into_id if visible is None else None,
        can_separate=viewer.decides
        and incident.state == IncidentState.MERGED
        and can_separate(session, incident_id),
        named=label_visible(list_named(incident), labels, visible),
        suspects=_list_suspects(ranked, list_named(incident), labels, visible),
        more_suspects=_count_others(result, ranked) if visible is None else 0,
        p_no_leak=_read_background(result),
        excluded=tuple(
            ExcludedSource(source=labels[code], reason=reason) for code, reason in reasons.items()
        ),
        words=_read_words(result, lang) if visible is None else Words(),
        has_next=bool(result.get("next")) and visible is None,
        sightings=load_sightings(session, vault, viewer, incident_id, number),
        bait_count=_count_baits(session, incident_id),
        path=load_path(session, incident_id, ranked) if visible is None else None,
        moments=list_moments(session, incident),
        decisions=list_decisions(incident.state) if viewer.decides else (),
        shows_text=viewer.reads_evidence,
    )


def _get_incident(session: Session, viewer: Viewer, incident_id: int) -> Incident:
    query = (
        select(Incident)
        .where(Incident.id == incident_id, *limit_incidents(viewer))
        .options(joinedload(Incident.scope_source), joinedload(Incident.assignee))
    )
    incident = session.scalar(query)
    if incident is None:
        msg = f"there is no incident {incident_id}"
        raise NotFound(msg)
    return incident


def _rank(result: Mapping[str, Any], incident: Incident) -> list[tuple[str, float]]:
    """Return the leading sources with their shares, best first; the named ones always."""
    posteriors = result.get("posteriors")
    strangers = _list_strangers(result)
    shares = {
        str(code): share
        for code, value in (posteriors.items() if isinstance(posteriors, dict) else ())
        if (share := _read_share(value)) is not None and code not in strangers
    }
    ranked = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))
    kept = [pair for pair in ranked if pair[1] >= SHARE_SHOWN][:SUSPECTS]
    missing = [code for code in list_named(incident) if code not in dict(kept)]
    return kept + [(code, shares.get(code, incident.confidence)) for code in missing]


def _list_strangers(result: Mapping[str, Any]) -> set[str]:
    """Return who never held anything that was seen: no suspects, whatever their base rate."""
    excluded = result.get("excluded")
    pairs = excluded.items() if isinstance(excluded, dict) else ()
    return {str(code) for code, reason in pairs if _read_reason(reason) == "never_held"}


def _count_others(result: Mapping[str, Any], ranked: Sequence[tuple[str, float]]) -> int:
    """Count the sources with some support that are too weak to be listed."""
    posteriors = result.get("posteriors")
    strangers = _list_strangers(result)
    pairs = posteriors.items() if isinstance(posteriors, dict) else ()
    some = [code for code, value in pairs if value and code not in strangers]
    return max(0, len(some) - len(ranked))


def _list_suspects(
    ranked: Sequence[tuple[str, float]],
    named: Sequence[str],
    labels: Mapping[str, SourceLabel],
    visible: frozenset[str] | None,
) -> tuple[Suspect, ...]:
    return tuple(
        Suspect(
            source=labels[code] if visible is None or code in visible else None,
            share=share,
            is_named=code in named,
        )
        for code, share in ranked
    )


def _read_background(result: Mapping[str, Any]) -> float | None:
    """Return the probability that no source we know explains anything that was seen."""
    details = result.get("details")
    told = details.get("p_background") if isinstance(details, dict) else None
    return _read_share(result.get("p_no_leak") if told is None else told)


def _read_share(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(max(float(value), 0.0), 1.0)


def _read_excluded(result: Mapping[str, Any]) -> dict[str, str]:
    excluded = result.get("excluded")
    if not isinstance(excluded, dict):
        return {}
    return {str(code): _read_reason(reason) for code, reason in list(excluded.items())[:EXCLUDED]}


def _read_reason(reason: object) -> str:
    if isinstance(reason, dict):
        return str(reason.get("code", ""))
    return str(reason)


def _read_words(result: Mapping[str, Any], lang: str) -> Words:
    told = result.get("explanations")
    words = told.get(lang) if isinstance(told, dict) else None
    if not isinstance(words, dict):
        return Words()
    return Words(
        headline=str(words.get("headline") or ""),
        reasons=_read_sentences(words.get("reasons")),
        exclusions=_read_sentences(words.get("exclusions")),
        settle=_read_sentences(words.get("settle")),
    )


def _read_sentences(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _count_baits(session: Session, incident_id: int) -> int:
    query = (
        select(func.count(Match.bait_id.distinct()))
        .join(Sighting, Match.sighting_id == Sighting.id)
        .where(Sighting.incident_id == incident_id)
    )
    return session.scalar(query) or 0


def _acknowledger(incident: Incident) -> str | None:
    """Return who has acknowledged the last message about it, if anybody has."""
    told, seen = incident.told_at, incident.acknowledged_at
    return incident.acknowledged_by if seen and (told is None or seen >= told) else None
