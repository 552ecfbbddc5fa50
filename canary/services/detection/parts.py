"""Join the parts of a long message for matching, in any order, without delaying the first.

Each part is a sighting of its own. When one comes whose neighbours are there already, their texts
are put together, and what reaches across a seam becomes a further sighting: nothing counts twice.
Parts are numbered under a reference, or, from senders that give none, come from the same sender
to the same phone within minutes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.matching.register import Register
from canary.matching.scan import Match as Found
from canary.matching.scan import scan_text
from canary.services.detection.finding import Finding, count_records, is_worth
from canary.storage.tables import Reporter, Sighting
from canary.storage.vault import Vault
from webhooks.reports import Report, ReportKind

NUMBERED_WITHIN = timedelta(minutes=15)
UNNUMBERED_WITHIN = timedelta(minutes=5)
MOST_SIBLINGS = 16
# A part that is not the last is full: 67 characters of UCS-2 or 153 septets, fewer when a
# character must not be cut in two (3GPP TS 23.040).
LEAST_FULL = 60
# Joined texts are numbered behind all reports of a post.
JOINED = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """An earlier part, with its text opened."""

    ref: str
    number: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Several parts put together; the new one stands from `start` to `end`."""

    text: str
    start: int
    end: int
    refs: tuple[str, ...]


def key_of_parts(vault: Vault, reporter_id: int, report: Report) -> bytes | None:
    """Return what the parts of one message share; None for what cannot be a part."""
    if report.kind is not ReportKind.SMS or not report.sender:
        return None
    if report.part is not None and report.part.total < 2:
        return None
    own = report.receiver or f"{report.device}/{report.slot}"
    under = f"{report.part.reference}|{report.part.total}" if report.part else ""
    return vault.digest(f"part:{reporter_id}|{report.sender}|{own}|{under}")


def note_part(sighting: Sighting, key: bytes, report: Report) -> None:
    """Mark a sighting as a part."""
    sighting.part_key = key
    if report.part is not None:
        sighting.part_number, sighting.part_total = report.part.number, report.part.total


def list_siblings(session: Session, vault: Vault, sighting: Sighting) -> list[Sibling]:
    """List the parts that came shortly before, newest first.

    Parts of one message may be triaged by two workers at once: the reporter's row keeps the second
    until the first has committed.
    """
    within = UNNUMBERED_WITHIN if sighting.part_number is None else NUMBERED_WITHIN
    session.execute(
        select(Reporter.id).where(Reporter.id == sighting.reporter_id).with_for_update()
    )
    rows = session.scalars(
        select(Sighting)
        .where(Sighting.part_key == sighting.part_key, Sighting.id != sighting.id)
        .where(Sighting.seen_at >= sighting.seen_at - within, Sighting.ordinal < JOINED)
        .order_by(Sighting.id.desc())
        .limit(MOST_SIBLINGS)
    )
    return [
        Sibling(ref=row.ref, number=row.part_number, text=_open_text(vault, row)) for row in rows
    ]


def find_across(
    finding: Finding, siblings: Sequence[Sibling], register: Callable[[], Register]
) -> list[Finding]:
    """Return what only the parts together hold."""
    wholes = _put_together(finding.report, siblings)
    known = register() if wholes else None
    found = []
    for whole in wholes:
        assert known is not None
        records = count_records(whole.text)
        matches = [
            match
            for match in scan_text(whole.text, known, own_phone=finding.report.receiver or None)
            if _crosses(match, whole) and is_worth(match, records, known.size)
        ]
        if matches:
            found.append(_finding_of(finding, whole, matches, records))
    return found


def _put_together(report: Report, siblings: Sequence[Sibling]) -> list[Whole]:
    if report.part is not None:
        return _run_of(report, report.part.number, siblings)
    wholes = []
    for one in siblings:
        if len(one.text) >= LEAST_FULL:
            wholes.append(_join([one], report.text, []))
        if len(report.text) >= LEAST_FULL:
            wholes.append(_join([], report.text, [one]))
    return wholes


def _run_of(report: Report, number: int, siblings: Sequence[Sibling]) -> list[Whole]:
    numbered = {one.number: one for one in reversed(siblings) if one.number not in {None, number}}
    before: list[Sibling] = []
    after: list[Sibling] = []
    while (one := numbered.get(number - 1 - len(before))) is not None:
        before.append(one)
    while (one := numbered.get(number + 1 + len(after))) is not None:
        after.append(one)
    return [_join(before[::-1], report.text, after)] if before or after else []


def _join(before: Sequence[Sibling], text: str, after: Sequence[Sibling]) -> Whole:
    head = "".join(one.text for one in before)
    tail = "".join(one.text for one in after)
    return Whole(
        text=head + text + tail,
        start=len(head),
        end=len(head) + len(text),
        refs=tuple(one.ref for one in (*before, *after)),
    )


def _crosses(match: Found, whole: Whole) -> bool:
    """Whether a match reaches over a seam of the new part: what lies within was found before."""
    return any(match.start < seam < match.end for seam in (whole.start, whole.end))


def _finding_of(finding: Finding, whole: Whole, matches: Sequence[Found], records: int) -> Finding:
    details = {**finding.report.details, "joined_with": " ".join(whole.refs)}
    report = replace(finding.report, text=whole.text, part=None, details=details)
    return replace(finding, report=report, matches=matches, arrival=None, record_count=records)


def _open_text(vault: Vault, row: Sighting) -> str:
    place = f"sightings.sealed_report|{row.ref}"
    return Report.from_json(vault.unseal(place, row.sealed_report).decode()).text
