"""Triage: from a stored post to sightings, matches and incidents.

Matching reads; then one short transaction writes all that one post has led to and marks it
done. A crash before that commit leaves the post waiting, and its claim expires.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Unavailable
from canary.matching.register import Register
from canary.services.baits.register import SqlRegister
from canary.services.claims import claim_one, holds
from canary.services.detection.expected import file_quietly
from canary.services.detection.finding import Finding, find_in, keep_sighting
from canary.services.detection.gathering import gather
from canary.services.detection.live import LiveRegister
from canary.services.detection.liveness import read_sign
from canary.services.detection.parts import (
    JOINED,
    MOST_SIBLINGS,
    find_across,
    key_of_parts,
    list_siblings,
    note_part,
)
from canary.services.detection.textindex import index_report
from canary.storage.session import Database
from canary.storage.tables import InboxPost, Sighting
from canary.storage.vault import Vault
from webhooks.reports import Report

ATTEMPTS = 5

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
        register = open_register(desk, session)
        return [
            find_in(session, desk.vault, register, report, post.reporter.name)
            for report in open_reports(desk.vault, post)
        ]


def open_reports(vault: Vault, post: InboxPost) -> list[Report]:
    """Open the reports that were read from a post."""
    if post.sealed_reports is None:
        return []
    place = f"inbox.sealed_reports|{post.ref}"
    return [Report.from_json(item) for item in json.loads(vault.unseal(place, post.sealed_reports))]


def _write(desk: Desk, post_id: int, findings: Sequence[Finding]) -> None:
    now = desk.clock()
    with desk.database.write() as session:
        if not holds(session, InboxPost, post_id, desk.owner):
            return
        post = session.get_one(InboxPost, post_id)
        news = []
        for ordinal, finding in enumerate(findings):
            news += _file(desk, session, post, ordinal, finding, now)
        gather(session, news, now)
        post.state, post.finished_at = "done", now
        post.lease_owner = post.lease_until = None


def _file(
    desk: Desk, session: Session, post: InboxPost, ordinal: int, finding: Finding, now: datetime
) -> list[Sighting]:
    """Keep one finding, and what it holds together with earlier parts; return what is news."""
    sign = read_sign(session, desk.vault, post, finding, now)
    if sign is not None:
        finding = replace(finding, arrival=None)
    sighting = keep_sighting(session, desk.vault, post, ordinal, finding)
    sighting.filed_as = sign
    kept = [(sighting, finding)]
    key = key_of_parts(desk.vault, post.reporter_id, finding.report)
    if key is not None and sign is None:
        note_part(sighting, key, finding.report)
        session.flush()
        kept += _join(desk, session, post, sighting, finding)
    session.flush()
    for one, what in kept:
        index_report(session, desk.vault, one.id, what.report)
    return [
        one
        for one, what in kept
        if one.matches and not file_quietly(session, one, what.report, now)
    ]


def _join(
    desk: Desk, session: Session, post: InboxPost, sighting: Sighting, finding: Finding
) -> list[tuple[Sighting, Finding]]:
    siblings = list_siblings(session, desk.vault, sighting)
    if siblings and finding.report.part is not None:
        # One message has arrived, not as many as it has parts.
        for match in [one for one in sighting.matches if one.kind == "arrival"]:
            sighting.matches.remove(match)
            session.delete(match)
    found = find_across(finding, siblings, partial(open_register, desk, session))
    start = JOINED + sighting.ordinal * MOST_SIBLINGS * 2
    return [
        (keep_sighting(session, desk.vault, post, start + place, one), one)
        for place, one in enumerate(found)
    ]


def open_register(desk: Desk, session: Session) -> Register:
    """Return the register in memory, with what was issued up to now; else the database's."""
    if desk.live is None:
        return SqlRegister(session, desk.vault)
    return desk.live.or_stored(session)


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
