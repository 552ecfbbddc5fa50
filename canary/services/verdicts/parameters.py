"""The parameters attribution works with: defaults, or estimates from the operator's own data.

Estimators: `canary.attribution.estimates` (ATTRIBUTION.md section 2.2). What is estimated rests on
control phones, control baits, custody events and incidents that people have confirmed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from canary.attribution.estimates import (
    Estimate,
    chance_factor,
    delay_mixture,
    leak_fraction,
    log_lag,
    spam_per_window,
)
from canary.attribution.verdict import DEFAULT
from canary.attribution.world import Operator
from canary.domain.incidents import IncidentState
from canary.services.viewing import is_control
from canary.storage.tables import (
    Bait,
    Exposure,
    Incident,
    Match,
    Phone,
    Placement,
    Sighting,
    Source,
)
from webhooks.reports import ReportKind

MOST_INCIDENTS = 50
MOST_LAGS = 2000
MOST_EVENTS = 20_000
LONGEST_LAG = timedelta(hours=6)
LEAST_PHONE_DAYS = 30
HOUR = timedelta(hours=1)
MESSAGES = (ReportKind.SMS, ReportKind.CALL)


class Basis(StrEnum):
    """What a parameter rests on."""

    DEFAULT = "default"
    POLICY = "policy"
    CONTROL_PHONES = "control_phones"
    CONTROL_BAITS = "control_baits"
    CUSTODY = "custody"
    CONFIRMED = "confirmed_incidents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter with its 95 % range and how many own observations it rests on."""

    name: str
    value: float
    low: float
    high: float
    observations: int
    basis: Basis

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"basis": self.basis.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Confirmed:
    """What the confirmed incidents say: (seen, could be seen) a leak, and delays in hours.

    `unseen`: for how long the leaker had the baits that did not surface.
    """

    shares: list[tuple[int, int]]
    delays: list[float]
    unseen: list[float]


def estimate_parameters(session: Session, now: datetime) -> tuple[Parameter, ...]:
    """Return every parameter an attribution made now would use, with what it rests on."""
    plain = Operator()
    found = _load_confirmed(session, now)
    return (
        _default("expected_leakers", plain.expected_leakers),
        *_leak_fraction(found),
        *(_default(f"coverage_{name}", value) for name, value in sorted(plain.coverage.items())),
        *_delay(found),
        _of("since_log_lag_mean_h", log_lag(_list_lags(session)), Basis.CUSTODY),
        _spam(session, now),
        _chance(session, plain),
        _default("enrichment_rate", plain.enrichment_rate),
        _default("custody_log_error_rate", plain.custody_log_error_rate),
        _policy("unmodelled", DEFAULT.unmodelled),
        _policy("named_from", DEFAULT.named_from),
    )


def to_operator(parameters: Sequence[Parameter], window: timedelta) -> dict[str, Any]:
    """Return the `operator` of a world file whose window is that long."""
    plain = Operator()
    known = {one.name: one.value for one in parameters}
    factor = known["chance_factor"]
    return {
        "expected_leakers": known["expected_leakers"],
        "leak_fraction_beta": [known["leak_fraction_a"], known["leak_fraction_b"]],
        "coverage": {name: known[f"coverage_{name}"] for name in sorted(plain.coverage)},
        "delay_mixture": {
            name: known[name] for name in ("weight_fast", "mean_fast_h", "mean_slow_h")
        },
        "since_log_lag_mean_h": known["since_log_lag_mean_h"],
        "spam_events_per_phone_per_window": known["spam_per_phone_and_day"]
        * max(window / timedelta(days=1), 1e-6),
        "enrichment_rate": known["enrichment_rate"],
        "custody_log_error_rate": known["custody_log_error_rate"],
        "chance": {
            "waybill": [min(1.0, factor * one) for one in plain.chance_waybill],
            "phone": [min(1.0, factor * one) for one in plain.chance_phone],
        },
    }


def _of(name: str, estimate: Estimate, basis: Basis) -> Parameter:
    return Parameter(
        name=name,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        observations=estimate.observations,
        basis=Basis.DEFAULT if estimate.is_default else basis,
    )


def _default(name: str, value: float, basis: Basis = Basis.DEFAULT) -> Parameter:
    return Parameter(name=name, value=value, low=value, high=value, observations=0, basis=basis)


def _policy(name: str, value: float) -> Parameter:
    return _default(name, value, Basis.POLICY)


def _fitted(values: Mapping[str, float], plain: Mapping[str, float], count: int) -> list[Parameter]:
    """Tell values that were fitted together; those that equal the defaults were not fitted."""
    is_fitted = dict(values) != dict(plain)
    return [
        Parameter(
            name=name,
            value=value,
            low=value,
            high=value,
            observations=count if is_fitted else 0,
            basis=Basis.CONFIRMED if is_fitted else Basis.DEFAULT,
        )
        for name, value in values.items()
    ]


def _leak_fraction(found: _Confirmed) -> list[Parameter]:
    names = ("leak_fraction_a", "leak_fraction_b")
    fitted = dict(zip(names, leak_fraction(found.shares), strict=True))
    plain = dict(zip(names, Operator().leak_fraction_beta, strict=True))
    return _fitted(fitted, plain, len(found.shares))


def _delay(found: _Confirmed) -> list[Parameter]:
    names = ("weight_fast", "mean_fast_h", "mean_slow_h")
    fitted, plain = delay_mixture(found.delays, found.unseen), Operator()
    return _fitted(
        {name: getattr(fitted, name) for name in names},
        {name: getattr(plain, name) for name in names},
        len(found.delays),
    )


def _spam(session: Session, now: datetime) -> Parameter:
    """Estimate unrelated messages per phone and day from phones that were never given out."""
    owned = session.execute(
        select(Phone.id, func.coalesce(Phone.owned_since, Phone.created_at).label("since")).where(
            Phone.is_control
        )
    ).all()
    days = sum(max(0.0, (now - row.since) / timedelta(days=1)) for row in owned)
    rings = session.scalar(
        select(func.count(Sighting.id))
        .join(Phone, Phone.id == Sighting.phone_id)
        .where(Phone.is_control)
    )
    estimate = spam_per_window(rings or 0, days, 24.0)
    basis = Basis.CONTROL_PHONES if days >= LEAST_PHONE_DAYS else Basis.DEFAULT
    return Parameter(
        name="spam_per_phone_and_day",
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        observations=int(days),
        basis=basis,
    )


def _chance(session: Session, plain: Operator) -> Parameter:
    """Compare the control baits that were seen in listings with what the chance table expects."""
    is_listed: ColumnElement[bool] = Sighting.kind.not_in(MESSAGES)
    controls = session.scalar(select(func.count()).select_from(Bait).where(is_control())) or 0
    searched = session.scalar(select(func.sum(Sighting.record_count)).where(is_listed)) or 0
    was_seen = (
        select(Match.id)
        .join(Sighting, Sighting.id == Match.sighting_id)
        .where(Match.bait_id == Bait.id, is_listed)
        .exists()
    )
    seen = session.scalar(select(func.count()).select_from(Bait).where(is_control(), was_seen))
    expected = controls * searched * (plain.chance_waybill[0] + plain.chance_phone[0])
    return _of("chance_factor", chance_factor(seen or 0, expected), Basis.CONTROL_BAITS)


def _list_lags(session: Session) -> list[float]:
    """List the hours from a confirmed hand-over to the first scan at the same source.

    A scan many hours later is another handling, not a late log.
    """
    # By an index of custody events alone, which needs to see the word itself.
    recent = (
        select(Exposure.bait_id, Exposure.source_id, Exposure.since)
        .where(Exposure.origin == literal_column("'custody'"))
        .order_by(Exposure.id.desc())
        .limit(MOST_EVENTS)
        .subquery()
    )
    rows = session.execute(
        select(Placement.confirmed_at, func.min(recent.c.since).label("scanned_at"))
        .join(
            recent,
            (recent.c.bait_id == Placement.bait_id) & (recent.c.source_id == Placement.source_id),
        )
        .where(Placement.confirmed_at <= recent.c.since)
        .group_by(Placement.id, Placement.confirmed_at)
        .order_by(Placement.id.desc())
        .limit(MOST_LAGS)
    ).all()
    lags = [row.scanned_at - row.confirmed_at for row in rows if row.confirmed_at is not None]
    return [lag / HOUR for lag in lags if lag <= LONGEST_LAG]


def _load_confirmed(session: Session, now: datetime) -> _Confirmed:
    """Look up what became of the baits of each source that review has confirmed."""
    found = _Confirmed(shares=[], delays=[], unseen=[])
    incidents = session.scalars(
        select(Incident)
        .where(Incident.state == IncidentState.CONFIRMED)
        .order_by(Incident.decided_at.desc(), Incident.id)
        .limit(MOST_INCIDENTS)
    ).all()
    single = [incident for incident in incidents if len(incident.named) == 1]
    held = _list_held(session, {str(incident.named[0]) for incident in single}, now)
    seen = _list_seen(session, [incident.id for incident in single])
    for incident in single:
        of_source = held.get(str(incident.named[0]), {})
        _follow(of_source, seen.get(incident.id, {}), incident.decided_at or now, found)
    return found


def _follow(
    held: Mapping[int, datetime],
    seen: Mapping[int, datetime],
    until: datetime,
    found: _Confirmed,
) -> None:
    held = {bait_id: since for bait_id, since in held.items() if since <= until}
    leaked = {bait_id: at for bait_id, at in seen.items() if bait_id in held}
    if not leaked:
        return
    # A monitor sees a share of what is offered: what could have been seen is less than was held.
    visible = round(len(held) * Operator().coverage["resale"])
    found.shares.append((len(leaked), max(len(leaked), visible)))
    found.delays.extend(max(0.0, (at - held[one]) / HOUR) for one, at in leaked.items())
    found.unseen.extend((until - since) / HOUR for one, since in held.items() if one not in leaked)


def _list_held(
    session: Session, codes: Collection[str], until: datetime
) -> dict[str, dict[int, datetime]]:
    rows = session.execute(
        select(Source.code, Exposure.bait_id, func.min(Exposure.since).label("since"))
        .join(Source, Source.id == Exposure.source_id)
        .where(Source.code.in_(codes), Exposure.since <= until)
        .group_by(Source.code, Exposure.bait_id)
    )
    held: dict[str, dict[int, datetime]] = {}
    for row in rows:
        held.setdefault(row.code, {})[row.bait_id] = row.since
    return held


def _list_seen(session: Session, incident_ids: Collection[int]) -> dict[int, dict[int, datetime]]:
    rows = session.execute(
        select(Sighting.incident_id, Match.bait_id, func.min(Sighting.seen_at).label("seen_at"))
        .join(Sighting, Sighting.id == Match.sighting_id)
        .where(Sighting.incident_id.in_(incident_ids))
        .group_by(Sighting.incident_id, Match.bait_id)
    )
    seen: dict[int, dict[int, datetime]] = {}
    for row in rows:
        seen.setdefault(row.incident_id, {})[row.bait_id] = row.seen_at
    return seen
