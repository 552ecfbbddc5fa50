"""Expected sightings: scoped, expiring rules, previewed, counted and always visible.

Also our own alert text coming back in: it is known by its mark and filed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer, selectinload

from canary.domain.errors import Invalid, NotFound
from canary.domain.rules import Circumstances, Expectation
from canary.services.alerts.routing import climb
from canary.services.audit import record
from canary.services.detection.gathering import gather
from canary.storage.tables import (
    Alert,
    ExpectedSighting,
    Match,
    Placement,
    Reporter,
    Sighting,
    Source,
)
from canary.storage.vault import Vault
from webhooks.reports import Report, ReportKind

LONGEST = timedelta(days=90)
LOOK_BACK = timedelta(days=30)
PREVIEWED = 500
SHOWN = 10
# How `alerting.mark_of` ends; the reference is looked up, so that nobody can make one up.
_MARK = re.compile(r"\bmsg-[A-Z2-7]{10}\b")
_MARKS_READ = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExpectation:
    """A rule as a person writes it: names and codes, empty where it does not matter."""

    reason: str
    kind: str
    reporter: str = ""
    sender: str = ""
    venue: str = ""
    source: str = ""
    days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedLine:
    """A rule as it is shown, with what it has swallowed."""

    rule_id: int
    reason: str
    kind: str
    reporter: str | None
    sender: str | None
    venue: str | None
    source: str | None
    begins_at: datetime
    expires_at: datetime
    is_over: bool
    created_by: str
    swallowed: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swallowed:
    """A sighting that a rule covers."""

    ref: str
    seen_at: datetime
    venue: str
    reporter: str
    incident_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPreview:
    """What a rule would have covered of the sightings of the last 30 days; `looked_at` of them."""

    looked_at: int
    covered: int
    examples: tuple[Swallowed, ...]


def file_quietly(session: Session, sighting: Sighting, report: Report, now: datetime) -> bool:
    """File a sighting that is no news: expected, or our own alert; tell whether it was."""
    if _is_echo(session, sighting, report):
        sighting.filed_as = "echo"
        return True
    rules = session.scalars(
        select(ExpectedSighting)
        .where(ExpectedSighting.expires_at > now, ExpectedSighting.kind == sighting.kind)
        .order_by(ExpectedSighting.id)
    ).all()
    if not rules:
        return False
    seen = _circumstances(session, sighting, report)
    for rule in rules:
        if _expectation(rule).covers(seen, now):
            sighting.filed_as, sighting.expected_id = "expected", rule.id
            return True
    return False


def _is_echo(session: Session, sighting: Sighting, report: Report) -> bool:
    """Whether this is an alert of ours.

    Our texts are masked, never go to a bait phone, and tell of baits that were seen before. All
    else is news, or whoever has read one alert could stamp what shall be overlooked.
    """
    refs = sorted(set(_MARK.findall(report.text)))[:_MARKS_READ]
    if not refs or any(match.form != "masked" for match in sighting.matches):
        return False
    told = set(
        session.scalars(
            select(Match.bait_id)
            .join(Sighting, Sighting.id == Match.sighting_id)
            .join(Alert, Alert.incident_id == Sighting.incident_id)
            .where(Alert.ref.in_(refs))
            .distinct()
        )
    )
    return bool(told) and {match.bait_id for match in sighting.matches} <= told


def add_expectation(session: Session, wanted: NewExpectation, *, actor: str, now: datetime) -> int:
    """Add a rule and return its id. Raises Invalid."""
    row = _read(session, wanted, now)
    row.created_by = actor
    session.add(row)
    session.flush()
    record(session, actor, "expected.added", f"expected/{row.id}", now, reason=row.reason)
    return row.id


def end_expectation(
    session: Session, rule_id: int, *, release: bool, actor: str, now: datetime
) -> int:
    """End a rule now; `release` makes news of what it swallowed. Return how many it released.

    Raises NotFound.
    """
    row = session.get(ExpectedSighting, rule_id)
    if row is None:
        msg = f"there is no rule {rule_id}"
        raise NotFound(msg)
    row.expires_at = min(row.expires_at, now)
    released: Sequence[Sighting] = ()
    if release:
        released = session.scalars(
            select(Sighting)
            .where(Sighting.expected_id == rule_id, Sighting.incident_id.is_(None))
            .options(selectinload(Sighting.matches))
            .order_by(Sighting.id)
        ).all()
        for sighting in released:
            sighting.filed_as = None
        gather(session, released, now)
    record(session, actor, "expected.ended", f"expected/{rule_id}", now, released=len(released))
    return len(released)


def list_expectations(session: Session, now: datetime) -> list[ExpectedLine]:
    """List the rules, newest first, with how many sightings each has swallowed."""
    swallowed = {
        rule_id: (count, last)
        for rule_id, count, last in session.execute(
            select(Sighting.expected_id, func.count(), func.max(Sighting.seen_at))
            .where(Sighting.filed_as == "expected")
            .group_by(Sighting.expected_id)
        )
    }
    rows = session.scalars(
        select(ExpectedSighting)
        .options(selectinload(ExpectedSighting.reporter), selectinload(ExpectedSighting.source))
        .order_by(ExpectedSighting.id.desc())
    )
    return [_line(row, swallowed.get(row.id, (0, None)), now) for row in rows]


def list_swallowed(
    session: Session, rule_ids: Sequence[int], *, limit: int = 50
) -> dict[int, list[Swallowed]]:
    """List for each rule what it has swallowed, newest first, at most `limit` each."""
    place = func.row_number().over(partition_by=Sighting.expected_id, order_by=Sighting.id.desc())
    ranked = (
        select(Sighting.id, place.label("place"))
        .where(Sighting.filed_as == "expected", Sighting.expected_id.in_(rule_ids))
        .subquery()
    )
    rows = session.scalars(
        _select_swallowed().where(
            Sighting.id.in_(select(ranked.c.id).where(ranked.c.place <= limit))
        )
    )
    taken: dict[int, list[Swallowed]] = {rule_id: [] for rule_id in rule_ids}
    for row in rows:
        taken[row.expected_id or 0].append(_swallowed(row))
    return taken


def list_echoes(session: Session, *, limit: int = 50) -> list[Swallowed]:
    """List our own alerts that came back in, newest first."""
    rows = session.scalars(_select_swallowed().where(Sighting.filed_as == "echo").limit(limit))
    return [_swallowed(row) for row in rows]


def _select_swallowed() -> Select[Sighting]:
    return (
        select(Sighting)
        .options(selectinload(Sighting.reporter), defer(Sighting.sealed_report))
        .order_by(Sighting.id.desc())
    )


def preview(
    session: Session, vault: Vault, wanted: NewExpectation, now: datetime
) -> ExpectedPreview:
    """Return what a rule would have covered in the last 30 days. Raises Invalid."""
    rule = _expectation(_read(session, wanted, now), begins_at=now - LOOK_BACK)
    recent = session.scalars(
        select(Sighting)
        .where(Sighting.seen_at > now - LOOK_BACK, Sighting.kind == rule.kind)
        .where(select(Match.id).where(Match.sighting_id == Sighting.id).exists())
        .options(selectinload(Sighting.matches), selectinload(Sighting.reporter))
        .order_by(Sighting.id.desc())
        .limit(PREVIEWED)
    ).all()
    covered = [
        sighting
        for sighting in recent
        if rule.covers(_circumstances(session, sighting, _open(vault, sighting)), sighting.seen_at)
    ]
    return ExpectedPreview(
        looked_at=len(recent),
        covered=len(covered),
        examples=tuple(_swallowed(one) for one in covered[:SHOWN]),
    )


def _open(vault: Vault, sighting: Sighting) -> Report:
    place = f"sightings.sealed_report|{sighting.ref}"
    return Report.from_json(vault.unseal(place, sighting.sealed_report).decode())


def _circumstances(session: Session, sighting: Sighting, report: Report) -> Circumstances:
    bait_ids = {match.bait_id for match in sighting.matches}
    rows = session.execute(
        select(Placement.bait_id, Placement.source_id).where(Placement.bait_id.in_(bait_ids))
    )
    places: dict[int, int] = dict(rows.all())
    homes = []
    for bait_id in sorted(bait_ids):
        _, above = climb(session, {places[bait_id]} if bait_id in places else set())
        homes.append(frozenset(source.code for source in above))
    reporter = session.get_one(Reporter, sighting.reporter_id)
    return Circumstances(
        kind=sighting.kind,
        reporter=reporter.name,
        sender=report.sender,
        venue=report.venue,
        homes=homes,
        only_arrived=bool(bait_ids) and all(one.kind == "arrival" for one in sighting.matches),
    )


def _read(session: Session, wanted: NewExpectation, now: datetime) -> ExpectedSighting:
    """Check a rule. Raises Invalid."""
    reason = wanted.reason.strip()
    if not reason or len(reason) > 200:
        raise Invalid("a rule needs a reason", field="reason", mend="at most 200 characters")
    if wanted.kind not in [kind.value for kind in ReportKind]:
        raise Invalid("there is no such kind of sighting", field="kind", mend="choose one")
    if not (wanted.sender.strip() or wanted.venue.strip()):
        raise Invalid("the scope is too wide", field="sender", mend="name a sender or a venue")
    if not 1 <= wanted.days <= LONGEST.days:
        raise Invalid("a rule ends within 90 days", field="days", mend="write 1 to 90")
    code, name = wanted.source.strip(), wanted.reporter.strip()
    if not code and wanted.kind not in {ReportKind.SMS, ReportKind.CALL}:
        raise Invalid("the scope is too wide", field="source", mend="name the source of the baits")
    source_id = session.scalar(select(Source.id).where(Source.code == code)) if code else None
    if code and source_id is None:
        raise Invalid("there is no such source", field="source", mend="give its code")
    reporter_id = session.scalar(select(Reporter.id).where(Reporter.name == name)) if name else None
    if name and reporter_id is None:
        raise Invalid("there is no such reporter", field="reporter", mend="give its name")
    return ExpectedSighting(
        reason=reason,
        kind=wanted.kind,
        reporter_id=reporter_id,
        reporter=session.get(Reporter, reporter_id) if reporter_id else None,
        sender=wanted.sender.strip()[:200] or None,
        venue=wanted.venue.strip()[:200] or None,
        source_id=source_id,
        source=session.get(Source, source_id) if source_id else None,
        begins_at=now,
        expires_at=now + timedelta(days=wanted.days),
        created_at=now,
    )


def _expectation(row: ExpectedSighting, begins_at: datetime | None = None) -> Expectation:
    return Expectation(
        kind=row.kind,
        reporter=row.reporter.name if row.reporter else None,
        sender=row.sender,
        venue=row.venue,
        source=row.source.code if row.source else None,
        begins_at=begins_at or row.begins_at,
        expires_at=row.expires_at,
    )


def _line(
    row: ExpectedSighting, swallowed: tuple[int, datetime | None], now: datetime
) -> ExpectedLine:
    count, last = swallowed
    return ExpectedLine(
        rule_id=row.id,
        reason=row.reason,
        kind=row.kind,
        reporter=row.reporter.name if row.reporter else None,
        sender=row.sender,
        venue=row.venue,
        source=row.source.code if row.source else None,
        begins_at=row.begins_at,
        expires_at=row.expires_at,
        is_over=row.expires_at <= now,
        created_by=row.created_by,
        swallowed=count,
        last_at=last,
    )


def _swallowed(row: Sighting) -> Swallowed:
    return Swallowed(
        ref=row.ref,
        seen_at=row.seen_at,
        venue=row.venue,
        reporter=row.reporter.name,
        incident_id=row.incident_id,
    )
