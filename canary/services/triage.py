"""Triage: from a stored post to sightings, matches and incidents.

Matching reads; then one short transaction writes all that one post has led to and marks it
done. A crash before that commit leaves the post waiting, and its claim expires.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Unavailable
from canary.domain.identifiers import MatchLevel, canonical_phone
from canary.matching.keys import phone_key
from canary.matching.register import Register
from canary.matching.scan import Match as Found
from canary.matching.scan import scan_text
from canary.services.claims import claim_one, holds
from canary.services.expected import file_quietly
from canary.services.gathering import gather
from canary.services.live import LiveRegister
from canary.services.refs import make_ref
from canary.services.register import SqlRegister
from canary.services.textindex import index_report
from canary.storage.session import Database
from canary.storage.tables import Bait, InboxPost, Match, Phone, Sighting
from canary.storage.vault import Vault
from webhooks.reports import Grade, Report, ReportKind

ATTEMPTS = 5
ACCIDENTS_ALLOWED = 0.01

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What triage needs: rows, keys, a clock, and a name to claim under."""

    database: Database
    vault: Vault
    clock: Callable[[], datetime]
    owner: str
    public_url: str
    zone: ZoneInfo
    live: LiveRegister | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """That a message reached one of our phones; the baits that carry its number."""

    phone_id: int
    number: str
    bait_ids: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one report holds."""

    report: Report
    matches: Sequence[Found]
    arrival: Arrival | None
    record_count: int
    venue: str


def list_waiting(session: Session, now: datetime, *, limit: int = 100) -> list[int]:
    """List posts that may be worked on now, oldest first."""
    return list(
        session.scalars(
            select(InboxPost.id)
            .where(InboxPost.state == "waiting")
            .where((InboxPost.lease_until.is_(None)) | (InboxPost.lease_until < now))
            .order_by(InboxPost.id)
            .limit(limit)
        )
    )


def triage_post(desk: Desk, post_id: int) -> bool:
    """Work on one post; tell whether this caller had the claim.

    A post that fails ATTEMPTS times becomes a dead letter with its reason. Raises Unavailable;
    a database that is away is no fault of the post's.
    """
    with desk.database.write() as session:
        if not claim_one(session, InboxPost, post_id, owner=desk.owner, now=desk.clock()):
            return False
        attempts = session.get_one(InboxPost, post_id).attempts
    if attempts > ATTEMPTS:
        _bury(desk, post_id, "it ended its worker several times")
        return True
    try:
        findings = _read(desk, post_id)
        _write(desk, post_id, findings)
    except Unavailable:
        _give_back(desk, post_id, attempts - 1)
        raise
    except Exception as error:
        log.exception("triage.failed", post=post_id, attempts=attempts)
        if attempts >= ATTEMPTS:
            _bury(desk, post_id, f"{type(error).__name__} in triage")
        else:
            _give_back(desk, post_id, attempts)
    return True


def _read(desk: Desk, post_id: int) -> list[Finding]:
    with desk.database.read() as session:
        post = session.get_one(InboxPost, post_id)
        register = _open_register(desk, session)
        return [
            _match(session, desk.vault, register, report, post.reporter.name)
            for report in open_reports(desk.vault, post)
        ]


def _open_register(desk: Desk, session: Session) -> Register:
    """Return the register in memory, with what was issued up to now; else the database's."""
    if desk.live is not None and desk.live.catch_up(session):
        return desk.live
    return SqlRegister(session, desk.vault)


def open_reports(vault: Vault, post: InboxPost) -> list[Report]:
    """Open the reports that were read from a post."""
    if post.sealed_reports is None:
        return []
    place = f"inbox.sealed_reports|{post.ref}"
    return [Report.from_json(item) for item in json.loads(vault.unseal(place, post.sealed_reports))]


def _match(
    session: Session, vault: Vault, register: Register, report: Report, reporter: str
) -> Finding:
    arrival = _find_arrival(session, vault, report)
    found = scan_text(
        report.text, register, own_phone=arrival.number if arrival else report.receiver or None
    )
    records = count_records(report.text)
    return Finding(
        report=report,
        matches=[match for match in found if _counts(match, records, register.size)],
        arrival=arrival,
        record_count=records,
        venue=_name_venue(report, register) or reporter,
    )


def _name_venue(report: Report, register: Register) -> str:
    """Name where it was seen, unless that itself gives a bait away: venues are kept readable."""
    venue = (report.venue or report.sender)[:200]
    return "" if scan_text(venue, register) else venue


def count_records(text: str) -> int:
    """Count the rows of a text: filled lines, or table rows where a page has more of those."""
    lines = sum(1 for line in text.splitlines() if line.strip())
    return max(1, lines, text.lower().count("<tr"))


def _counts(match: Found, records: int, baits: int) -> bool:
    """Whether a match is worth keeping: exact, or too good for an accident in this report."""
    if match.level is MatchLevel.EXACT:
        return True
    return match.chance * records * baits < ACCIDENTS_ALLOWED


def _find_arrival(session: Session, vault: Vault, report: Report) -> Arrival | None:
    if not report.receiver or report.kind not in {ReportKind.SMS, ReportKind.CALL}:
        return None
    key = phone_key(canonical_phone(report.receiver))
    phone_id = session.scalar(select(Phone.id).where(Phone.number_key == vault.digest(key)))
    if phone_id is None:
        return None
    baits = session.scalars(select(Bait.id).where(Bait.phone_id == phone_id).order_by(Bait.id))
    return Arrival(phone_id=phone_id, number=report.receiver, bait_ids=list(baits))


def _write(desk: Desk, post_id: int, findings: Sequence[Finding]) -> None:
    now = desk.clock()
    with desk.database.write() as session:
        if not holds(session, InboxPost, post_id, desk.owner):
            return
        post = session.get_one(InboxPost, post_id)
        sightings = [
            _keep(session, desk.vault, post, ordinal, finding)
            for ordinal, finding in enumerate(findings)
        ]
        session.flush()
        for sighting, finding in zip(sightings, findings, strict=True):
            index_report(session, desk.vault, sighting.id, finding.report)
        news = [
            sighting
            for sighting, finding in zip(sightings, findings, strict=True)
            if sighting.matches and not file_quietly(session, sighting, finding.report, now)
        ]
        gather(session, news, now)
        post.state, post.finished_at = "done", now
        post.lease_owner = post.lease_until = None


def _keep(
    session: Session, vault: Vault, post: InboxPost, ordinal: int, finding: Finding
) -> Sighting:
    report, ref = finding.report, make_ref("S")
    sighting = Sighting(
        ref=ref,
        inbox_id=post.id,
        ordinal=ordinal,
        reporter_id=post.reporter_id,
        kind=report.kind,
        channel_class=post.reporter.channel_class,
        grade=post.grade,
        venue=finding.venue,
        sealed_report=vault.seal(f"sightings.sealed_report|{ref}", report.to_json().encode()),
        text_key=vault.digest("text:" + report.text),
        phone_id=finding.arrival.phone_id if finding.arrival else None,
        seen_at=post.received_at,
        claimed_at=_claimed_at(report),
        basis=_basis_of(post, report)[:40],
        record_count=finding.record_count,
    )
    sighting.matches = [_row_of(match) for match in finding.matches]
    if finding.arrival:
        sighting.matches += [_arrival_row(bait_id) for bait_id in finding.arrival.bait_ids]
    session.add(sighting)
    return sighting


def _basis_of(post: InboxPost, report: Report) -> str:
    """Say how this was lawfully obtained: what staff said, or whose channel it came by."""
    said = report.details.get("basis") if post.grade == Grade.MANUAL else None
    return said or f"reporter:{post.reporter.name}"


def _claimed_at(report: Report) -> datetime | None:
    """Return the claimed time where a database can keep it: it may lie at the end of days."""
    try:
        return report.claimed_at.astimezone(UTC) if report.claimed_at else None
    except OverflowError:
        return None


def _row_of(match: Found) -> Match:
    return Match(
        bait_id=match.bait_id,
        kind=match.kind,
        form=match.form,
        level=match.level,
        start=match.start,
        end=match.end,
        record_start=match.record[0],
        record_end=match.record[1],
        disguises=list(match.disguises),
        agreeing=[str(kind) for kind in match.agreeing],
        rule=match.rule[:80],
        chance=match.chance,
    )


def _arrival_row(bait_id: int) -> Match:
    return Match(
        bait_id=bait_id,
        kind="arrival",
        form="exact",
        level="exact",
        start=-1,
        end=-1,
        record_start=-1,
        record_end=-1,
        disguises=[],
        agreeing=[],
        rule="arrival",
        chance=0.0,
    )


def _bury(desk: Desk, post_id: int, reason: str) -> None:
    with desk.database.write() as session:
        post = session.get_one(InboxPost, post_id)
        if post.lease_owner == desk.owner and post.state == "waiting":
            post.state, post.failure, post.finished_at = "dead", reason, desk.clock()
            post.lease_owner = post.lease_until = None


def _give_back(desk: Desk, post_id: int, attempts: int) -> None:
    """Let go of a post; it rests until its lease ends."""
    with desk.database.write() as session:
        post = session.get_one(InboxPost, post_id)
        if post.lease_owner == desk.owner:
            post.lease_owner, post.attempts = None, attempts
