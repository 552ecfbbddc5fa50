"""The digest: what happened in a day or a week, told also when nothing did."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from canary.domain.alerts import AlertType, Rhythm, last_slot
from canary.domain.incidents import IncidentState
from canary.services.alerts.alerting import put_alert
from canary.storage.session import Database
from canary.storage.tables import Alert, Delivery, Endpoint, Incident, Sighting

HOUR = 9
INCIDENTS_SHOWN = 10
SPANS = {Rhythm.DAILY: timedelta(days=1), Rhythm.WEEKLY: timedelta(days=7)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a digest counts; `sightings` are those in incidents, `told` the alerts about them."""

    since: datetime
    opened: int
    told: int
    closed: int
    sightings: int
    expected: int
    echoes: int
    open: int
    snoozed: int
    dead: int
    lines: tuple[tuple[int, str, str, int], ...]


def put_digests(database: Database, now: datetime, public_url: str) -> int:
    """Put the digests that are due into the outbox, each once; return how many."""
    with database.read() as session:
        due = [
            (row.id, row.digested_at, Rhythm(row.digest), slot)
            for row in session.scalars(
                select(Endpoint).where(Endpoint.is_active, Endpoint.digest != Rhythm.NONE)
            )
            if (slot := last_slot(Rhythm(row.digest), now, HOUR, ZoneInfo(row.timezone)))
            and row.created_at < slot
            and (row.digested_at is None or row.digested_at < slot)
        ]
    put = 0
    for endpoint_id, before, rhythm, slot in due:
        with database.write() as session:
            put += _put(session, endpoint_id, before, rhythm, slot, now, public_url)
    return put


def _put(
    session: Session,
    endpoint_id: int,
    before: datetime | None,
    rhythm: Rhythm,
    slot: datetime,
    now: datetime,
    public_url: str,
) -> int:
    same = Endpoint.digested_at.is_(None) if before is None else Endpoint.digested_at == before
    won = session.scalars(
        update(Endpoint)
        .where(Endpoint.id == endpoint_id, same)
        .values(digested_at=slot)
        .returning(Endpoint.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not won:
        return 0
    # After a pause the digest covers all of it.
    digest = load_digest(session, before or slot - SPANS[rhythm])
    put_alert(
        session,
        AlertType.DIGEST_MADE,
        incident_id=None,
        revision=0,
        data=_words(digest, rhythm, public_url),
        now=now,
        only=[endpoint_id],
    )
    return 1


def load_digest(session: Session, since: datetime) -> Digest:
    """Count what has happened since a time, and list what is open."""
    still_open = Incident.state == IncidentState.OPEN
    is_snoozed = Incident.snoozed_version == Incident.evidence_version
    rows = session.execute(
        select(Incident.id, Incident.verdict, Incident.named, Incident.sighting_count)
        .where(still_open, ~func.coalesce(is_snoozed, False))
        .order_by(Incident.last_sighting_at.desc(), Incident.id.desc())
        .limit(INCIDENTS_SHOWN)
    )

    def count(model: Any, *conditions: Any) -> int:
        return session.scalar(select(func.count(model.id)).where(*conditions)) or 0

    return Digest(
        since=since,
        opened=count(Incident, Incident.opened_at > since),
        told=count(Alert, Alert.created_at > since, Alert.incident_id.is_not(None)),
        closed=count(Incident, Incident.decided_at > since),
        sightings=count(Sighting, Sighting.seen_at > since, Sighting.incident_id.is_not(None)),
        expected=count(Sighting, Sighting.seen_at > since, Sighting.filed_as == "expected"),
        echoes=count(Sighting, Sighting.seen_at > since, Sighting.filed_as == "echo"),
        open=count(Incident, still_open),
        snoozed=count(Incident, still_open, is_snoozed),
        dead=count(Delivery, Delivery.state == "dead"),
        lines=tuple((one, verdict, ", ".join(named), n) for one, verdict, named, n in rows),
    )


def _words(digest: Digest, rhythm: Rhythm, public_url: str) -> dict[str, Any]:
    zh = [
        f"新事件 {digest.opened} 起，发出消息 {digest.told} 条，结案 {digest.closed} 起",
        f"发现 {digest.sightings} 次；预期内 {digest.expected} 次，自身回声 {digest.echoes} 次",
        f"未结 {digest.open} 起（其中暂缓 {digest.snoozed} 起）；死信 {digest.dead} 条",
        *(
            f"#{one} {verdict} {names or '未点名'}，{n} 次"
            for one, verdict, names, n in digest.lines
        ),
    ]
    en = [
        f"{digest.opened} incidents opened, {digest.told} messages, {digest.closed} closed",
        f"{digest.sightings} sightings; {digest.expected} expected, {digest.echoes} own echoes",
        f"{digest.open} open ({digest.snoozed} snoozed); {digest.dead} dead letters",
        *(
            f"#{one} {verdict} {names or 'nobody named'}, {n}x"
            for one, verdict, names, n in digest.lines
        ),
    ]
    weekly = rhythm is Rhythm.WEEKLY
    return {
        "since": digest.since.isoformat(),
        "severity": "info",
        "link": f"{public_url}/incidents",
        "by_lang": {
            "zh": {"title": "诱饵运单周报" if weekly else "诱饵运单日报", "lines": zh},
            "en": {
                "title": f"Waybill Canary, {'weekly' if weekly else 'daily'} digest",
                "lines": en,
            },
        },
    }
