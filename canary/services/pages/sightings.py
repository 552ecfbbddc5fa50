"""The evidence of an incident: sightings with their text marked where it matched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from canary.domain.errors import NotFound
from canary.services.access import Viewer
from canary.services.audit import record
from canary.services.detection.excerpts import Evidence, Mark, Span, build_evidence
from canary.services.viewing import Paged, limit_incidents, page_of
from canary.storage.tables import Bait, InboxPost, Incident, Match, Sighting
from canary.storage.vault import SealBroken, Vault
from webhooks.errors import PayloadError
from webhooks.reports import Report

SIGHTINGS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingView:
    """One sighting as the incident page shows it; `evidence` is None when it does not open."""

    ref: str
    kind: str
    channel_class: str
    grade: str
    reporter: str
    venue: str
    title: str
    url: str
    sender: str
    seen_at: datetime
    claimed_at: datetime | None
    phone_label: str | None
    arrivals: tuple[Mark, ...]
    matches: tuple[Mark, ...]
    bait_refs: tuple[str, ...]
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingPage:
    """One sighting with where it is filed; `basis` says how it was lawfully obtained."""

    sighting: SightingView
    incident_id: int | None
    basis: str
    filed_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPost:
    """The bytes of a post exactly as they came in."""

    ref: str
    body: bytes
    sha256: str


def load_sightings(
    session: Session, vault: Vault, viewer: Viewer, incident_id: int, number: int
) -> Paged[SightingView]:
    """Return one page of an incident's sightings, newest first."""
    query = (
        select(Sighting)
        .where(Sighting.incident_id == incident_id)
        .options(joinedload(Sighting.reporter), joinedload(Sighting.phone))
        .order_by(Sighting.seen_at.desc(), Sighting.id.desc())
    )
    rows = page_of(session, query, number, SIGHTINGS_SHOWN)
    matches = _load_matches(session, [row.id for row in rows.items])
    return rows.showing(_view(vault, viewer, row, matches.get(row.id, ())) for row in rows.items)


def load_sighting(session: Session, vault: Vault, viewer: Viewer, ref: str) -> SightingPage:
    """Return one sighting, whether it is in an incident or not. Raises NotFound."""
    row = session.scalar(
        select(Sighting)
        .where(Sighting.ref == ref)
        .options(joinedload(Sighting.reporter), joinedload(Sighting.phone))
    )
    if row is None or not viewer.reads_evidence:
        msg = f"there is no sighting {ref}"
        raise NotFound(msg)
    found = _load_matches(session, [row.id]).get(row.id, ())
    return SightingPage(
        sighting=_view(vault, viewer, row, found),
        incident_id=row.incident_id,
        basis=row.basis,
        filed_as=row.filed_as or "",
    )


def load_raw(session: Session, vault: Vault, viewer: Viewer, sighting_ref: str) -> RawPost:
    """Return the post behind a sighting. Raises NotFound and SealBroken."""
    post = session.scalar(
        select(InboxPost)
        .join(Sighting, Sighting.inbox_id == InboxPost.id)
        .outerjoin(Incident, Sighting.incident_id == Incident.id)
        .where(Sighting.ref == sighting_ref, *limit_incidents(viewer))
    )
    if post is None or not viewer.reads_evidence:
        msg = f"there is no sighting {sighting_ref}"
        raise NotFound(msg)
    body = vault.unseal(f"inbox.sealed_body|{post.ref}", post.sealed_body)
    return RawPost(ref=post.ref, body=body, sha256=post.body_sha256.hex())


def note_reading(session: Session, viewer: Viewer, subject: str, now: datetime) -> None:
    """Write down that somebody was shown evidence in clear."""
    record(session, viewer.name, "evidence.shown", subject, now)


def _load_matches(
    session: Session, sighting_ids: Sequence[int]
) -> Mapping[int, list[tuple[Match, str]]]:
    rows = session.execute(
        select(Match, Bait.ref)
        .join(Bait, Match.bait_id == Bait.id)
        .where(Match.sighting_id.in_(sighting_ids))
        .order_by(Match.start, Match.id)
        .limit(2000)
    )
    grouped: dict[int, list[tuple[Match, str]]] = {}
    for match, ref in rows:
        grouped.setdefault(match.sighting_id, []).append((match, ref))
    return grouped


def _view(
    vault: Vault, viewer: Viewer, row: Sighting, found: Sequence[tuple[Match, str]]
) -> SightingView:
    report = _read_report(vault, row)
    reads = viewer.reads_evidence
    spans = [_to_span(match, ref) for match, ref in found if match.kind != "arrival"]
    evidence = build_evidence(report.text, spans, masked=not reads) if report else None
    return SightingView(
        ref=row.ref,
        kind=row.kind,
        channel_class=row.channel_class,
        grade=row.grade,
        reporter=row.reporter.name,
        venue=row.venue,
        title=report.title if report and reads else "",
        url=report.url if report and reads else "",
        sender=report.sender if report and reads else "",
        seen_at=row.seen_at,
        claimed_at=row.claimed_at,
        phone_label=(row.phone.label or row.phone.ref) if row.phone else None,
        arrivals=tuple(_to_mark(match, ref) for match, ref in found if match.kind == "arrival"),
        matches=tuple(span.mark for span in spans),
        bait_refs=tuple(dict.fromkeys(ref for _, ref in found)),
        evidence=evidence,
    )


def _read_report(vault: Vault, row: Sighting) -> Report | None:
    try:
        sealed = vault.unseal(f"sightings.sealed_report|{row.ref}", row.sealed_report)
        return Report.from_json(sealed.decode("utf-8", "replace"))
    except (SealBroken, PayloadError):
        return None


def _to_span(match: Match, ref: str) -> Span:
    return Span(
        start=match.start,
        end=match.end,
        record_start=match.record_start,
        record_end=match.record_end,
        mark=_to_mark(match, ref),
    )


def _to_mark(match: Match, ref: str) -> Mark:
    return Mark(
        bait_ref=ref,
        kind=match.kind,
        form=match.form,
        level=match.level,
        rule=match.rule,
        chance=match.chance,
        disguises=tuple(str(name) for name in match.disguises),
        agreeing=tuple(str(kind) for kind in match.agreeing),
    )
