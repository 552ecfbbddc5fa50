"""From one report to what it holds: matches, an arrival; and from that to a sighting's rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.identifiers import MatchLevel, canonical_phone
from canary.matching.keys import phone_key
from canary.matching.register import Register
from canary.matching.scan import Match as Found
from canary.matching.scan import scan_text
from canary.services.refs import make_ref
from canary.storage.tables import Bait, InboxPost, Match, Phone, Sighting
from canary.storage.vault import Vault
from webhooks.reports import Grade, Report, ReportKind

ACCIDENTS_ALLOWED = 0.01
MESSAGES = frozenset({ReportKind.SMS, ReportKind.CALL})


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


def find_in(
    session: Session, vault: Vault, register: Register, report: Report, reporter: str
) -> Finding:
    """Search one report; its venue falls back to the reporter's name."""
    arrival = find_arrival(session, vault, report)
    found = scan_text(
        report.text, register, own_phone=arrival.number if arrival else report.receiver or None
    )
    records = count_records(report.text)
    return Finding(
        report=report,
        matches=[match for match in found if is_worth(match, records, register.size)],
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


def is_worth(match: Found, records: int, baits: int) -> bool:
    """Whether a match is worth keeping: exact, or too good for an accident in this report."""
    if match.level is MatchLevel.EXACT:
        return True
    return match.chance * records * baits < ACCIDENTS_ALLOWED


def find_arrival(session: Session, vault: Vault, report: Report) -> Arrival | None:
    """Find the phone of ours that a message reached, with the baits that carry its number."""
    if not report.receiver or report.kind not in MESSAGES:
        return None
    key = phone_key(canonical_phone(report.receiver))
    phone_id = session.scalar(select(Phone.id).where(Phone.number_key == vault.digest(key)))
    if phone_id is None:
        return None
    baits = session.scalars(select(Bait.id).where(Bait.phone_id == phone_id).order_by(Bait.id))
    return Arrival(phone_id=phone_id, number=report.receiver, bait_ids=list(baits))


def keep_sighting(
    session: Session, vault: Vault, post: InboxPost, ordinal: int, finding: Finding
) -> Sighting:
    """Add the sighting of a finding, with its matches, to this transaction."""
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
    sighting.matches = [row_of(match) for match in finding.matches]
    if finding.arrival:
        sighting.matches += [arrival_row(bait_id) for bait_id in finding.arrival.bait_ids]
    session.add(sighting)
    return sighting


def _basis_of(post: InboxPost, report: Report) -> str:
    """Say how this was lawfully obtained: what staff said, or whose channel it came by."""
    ours = post.grade in {Grade.MANUAL, Grade.FETCHED}
    said = report.details.get("basis") if ours else None
    return said or f"reporter:{post.reporter.name}"


def _claimed_at(report: Report) -> datetime | None:
    """Return the claimed time where a database can keep it: it may lie at the end of days."""
    try:
        return report.claimed_at.astimezone(UTC) if report.claimed_at else None
    except OverflowError:
        return None


def row_of(match: Found) -> Match:
    """Return the row of a match."""
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


def arrival_row(bait_id: int) -> Match:
    """Return the row that says a message reached a bait's phone."""
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
