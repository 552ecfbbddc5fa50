"""Who hears of what: rules in one table, with a preview over what was told before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.alerts import AlertType, QuietHours
from canary.domain.errors import Invalid, NotFound
from canary.domain.rules import Facts, Rule, choose_endpoints
from canary.domain.sources import SourceKind
from canary.domain.verdicts import Verdict
from canary.services.audit import record
from canary.storage.tables import (
    Alert,
    Endpoint,
    Incident,
    Match,
    Placement,
    RoutingRule,
    Sighting,
    Source,
)
from webhooks.reports import ReportKind

PREVIEW = timedelta(days=30)
LONGEST_WAIT_MINUTES = 7 * 24 * 60
# What rules direct; all else is about the installation itself and told to everybody.
ROUTED = (
    AlertType.INCIDENT_OPENED,
    AlertType.INCIDENT_RAISED,
    AlertType.INCIDENT_LOWERED,
    AlertType.INCIDENT_CLOSED,
    AlertType.BAIT_BURNED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """That an endpoint hears of an alert, from when and in which language (None: its own)."""

    endpoint_id: int
    due_at: datetime
    lang: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """A rule as a person writes it: names and codes, empty where it does not matter."""

    endpoint: str
    source: str = ""
    source_kind: str = ""
    sighting_kind: str = ""
    region: str = ""
    least_verdict: str = ""
    lang: str = ""
    after_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A rule as it is shown."""

    rule_id: int
    endpoint: str
    source: str | None
    source_kind: str | None
    sighting_kind: str | None
    region: str | None
    least_verdict: str | None
    lang: str | None
    after_minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How many alerts of the last 30 days went to an endpoint by the rules, and would go."""

    endpoint: str
    now: int
    then: int


def choose(session: Session, facts: Facts | None, *, now: datetime) -> list[Choice]:
    """Return who hears of an alert, and when. Quiet hours wait, except for confirmed leaks."""
    endpoints = {row.id: row for row in session.scalars(select(Endpoint).where(Endpoint.is_active))}
    chosen = choose_endpoints(facts, endpoints, load_rules(session))
    is_confirmed = facts is not None and facts.verdict is Verdict.CONFIRMED
    return [
        Choice(
            endpoint_id=endpoint_id,
            due_at=now if is_confirmed else after_quiet(endpoints[endpoint_id], now),
            lang=lang,
        )
        for endpoint_id, lang in chosen.items()
    ]


def after_quiet(endpoint: Endpoint, now: datetime) -> datetime:
    """Return when an endpoint may be told: now, or when its quiet hours end."""
    if not (endpoint.quiet_from and endpoint.quiet_until):
        return now
    quiet = QuietHours(
        begin=time.fromisoformat(endpoint.quiet_from),
        end=time.fromisoformat(endpoint.quiet_until),
        zone=ZoneInfo(endpoint.timezone),
    )
    return quiet.end_after(now) or now


def collect_facts(session: Session, incident_id: int) -> Facts:
    """Collect what rules may ask of an incident, as it stands in this transaction."""
    incident = session.get_one(Incident, incident_id)
    homes = set(
        session.scalars(
            select(Placement.source_id)
            .join(Match, Match.bait_id == Placement.bait_id)
            .join(Sighting, Sighting.id == Match.sighting_id)
            .where(Sighting.incident_id == incident_id)
            .distinct()
        )
    )
    if incident.scope_source_id is not None:
        homes.add(incident.scope_source_id)
    involved, above = climb(session, homes)
    kinds = select(Sighting.kind).where(Sighting.incident_id == incident_id).distinct()
    return Facts(
        sources=frozenset(row.code for row in above),
        source_kinds=frozenset(row.kind for row in involved),
        sighting_kinds=frozenset(session.scalars(kinds)),
        regions=frozenset(row.region for row in involved if row.region),
        verdict=Verdict(incident.verdict),
    )


def climb(session: Session, ids: set[int]) -> tuple[list[Source], list[Source]]:
    """Return the sources of these ids, and the same with everybody above them."""
    found: dict[int, Source] = {}
    wanted = set(ids)
    while wanted:
        rows = session.scalars(select(Source).where(Source.id.in_(sorted(wanted)))).all()
        found |= {row.id: row for row in rows}
        wanted = {row.parent_id for row in rows if row.parent_id} - found.keys()
    return [found[one] for one in sorted(ids & found.keys())], list(found.values())


def load_rules(session: Session) -> list[Rule]:
    """Load all rules as plain values."""
    rows = session.execute(
        select(RoutingRule, Source.code)
        .outerjoin(Source, Source.id == RoutingRule.source_id)
        .order_by(RoutingRule.id)
    )
    return [_rule_of(row, code) for row, code in rows]


def list_rules(session: Session) -> list[RuleLine]:
    """List the rules by endpoint."""
    rows = session.execute(
        select(RoutingRule, Endpoint.name, Source.code)
        .join(Endpoint, Endpoint.id == RoutingRule.endpoint_id)
        .outerjoin(Source, Source.id == RoutingRule.source_id)
        .order_by(Endpoint.name, RoutingRule.id)
    )
    return [
        RuleLine(
            rule_id=row.id,
            endpoint=name,
            source=code,
            source_kind=row.source_kind,
            sighting_kind=row.sighting_kind,
            region=row.region,
            least_verdict=row.least_verdict,
            lang=row.lang,
            after_minutes=row.after_minutes,
        )
        for row, name, code in rows
    ]


def add_rule(session: Session, wanted: NewRule, *, actor: str, now: datetime) -> int:
    """Add a rule and return its id. Raises Invalid."""
    row = _read_rule(session, wanted)
    row.created_by, row.created_at = actor, now
    session.add(row)
    session.flush()
    record(session, actor, "rule.added", f"endpoint/{wanted.endpoint}", now, rule=row.id)
    return row.id


def remove_rule(session: Session, rule_id: int, *, actor: str, now: datetime) -> None:
    """Remove a rule. Raises NotFound."""
    row = session.get(RoutingRule, rule_id)
    if row is None:
        msg = f"there is no rule {rule_id}"
        raise NotFound(msg)
    record(session, actor, "rule.removed", f"endpoint/{row.endpoint.name}", now, rule=rule_id)
    session.delete(row)


def forecast(
    session: Session, wanted: NewRule | None, *, without: int | None = None, now: datetime
) -> list[Forecast]:
    """Return what would have gone where in the last 30 days, with a rule more or less.

    Raises Invalid for a rule that could not be added.
    """
    rows = session.execute(
        select(RoutingRule, Source.code).outerjoin(Source, Source.id == RoutingRule.source_id)
    ).all()
    present = [_rule_of(row, code) for row, code in rows]
    changed = [_rule_of(row, code) for row, code in rows if row.id != without]
    if wanted is not None:
        changed.append(_rule_of(_read_rule(session, wanted), wanted.source.strip() or None))
    told = [
        Facts.from_json(facts)
        for facts in session.scalars(
            select(Alert.facts).where(Alert.created_at > now - PREVIEW, Alert.type.in_(ROUTED))
        )
    ]
    names = dict(
        session.execute(select(Endpoint.id, Endpoint.name).where(Endpoint.is_active)).all()
    )
    before, after = _count(told, list(names), present), _count(told, list(names), changed)
    return [
        Forecast(endpoint=name, now=before[one], then=after[one])
        for one, name in sorted(names.items(), key=lambda item: item[1])
    ]


def _count(told: Sequence[Facts], endpoints: Sequence[int], rules: Sequence[Rule]) -> Counter[int]:
    return Counter(one for facts in told for one in choose_endpoints(facts, endpoints, rules))


def _read_rule(session: Session, wanted: NewRule) -> RoutingRule:
    """Check a rule against what there is. Raises Invalid."""
    endpoint_id = session.scalar(select(Endpoint.id).where(Endpoint.name == wanted.endpoint))
    if endpoint_id is None:
        raise Invalid("there is no such endpoint", field="endpoint", mend="add it first")
    code = wanted.source.strip()
    source_id = session.scalar(select(Source.id).where(Source.code == code)) if code else None
    if code and source_id is None:
        raise Invalid("there is no such source", field="source", mend="give its code")
    region = wanted.region.strip()
    if region and not (region.isascii() and region.isdigit() and len(region) <= 12):
        raise Invalid("a region is a division code", field="region", mend="write 33 or 330106")
    wait = wanted.after_minutes
    if wait is not None and not 1 <= wait <= LONGEST_WAIT_MINUTES:
        raise Invalid(
            "this wait is too short or too long", field="after", mend="1 to 10080 minutes"
        )
    return RoutingRule(
        endpoint_id=endpoint_id,
        source_id=source_id,
        source_kind=_pick("source_kind", wanted.source_kind, [kind.value for kind in SourceKind]),
        sighting_kind=_pick("sighting_kind", wanted.sighting_kind, [k.value for k in ReportKind]),
        region=region or None,
        least_verdict=_pick("verdict", wanted.least_verdict, [one.value for one in Verdict]),
        lang=_pick("lang", wanted.lang, ["zh", "en"]),
        after_minutes=wait,
    )


def _pick(field: str, value: str, allowed: Sequence[str]) -> str | None:
    if value and value not in allowed:
        raise Invalid("there is no such choice", field=field, mend=f"use {', '.join(allowed)}")
    return value or None


def _rule_of(row: RoutingRule, code: str | None) -> Rule:
    return Rule(
        endpoint_id=row.endpoint_id,
        source=code,
        source_kind=row.source_kind,
        sighting_kind=row.sighting_kind,
        region=row.region,
        least_verdict=Verdict(row.least_verdict) if row.least_verdict else None,
        lang=row.lang,
        after_minutes=row.after_minutes,
    )
