"""What each list holds when it is taken along as a file, narrowed as the page is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import request

from canary.domain.errors import Invalid
from canary.services.access import Viewer
from canary.services.detection.textindex import TextHit, search_texts
from canary.services.pages.audit import list_audit
from canary.services.pages.baits import list_baits
from canary.services.pages.operation import list_deliveries, list_posts
from canary.services.pages.phones import list_pool
from canary.services.pages.queue import list_incidents
from canary.services.pages.tree import load_tree
from canary.web.language import get_zone
from canary.web.pages.baits import read_bait_filter
from canary.web.pages.incidents import read_filter
from canary.web.pages.operation import read_audit_filter, read_state
from canary.web.pages.phones import read_use
from canary.web.parts import get_parts

MOST = 20_000
ROUNDS = 20
Line = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a list holds; `lines` is empty when there are more than one file takes."""

    total: int
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list that can be taken along: its columns, blanks between, and how its rows are found."""

    name: str
    columns: str
    load: Callable[[Viewer], Rows]
    methods: tuple[str, ...] = ("GET",)


def _load_incidents(viewer: Viewer) -> Rows:
    now = get_parts().clock()
    with get_parts().database.read() as session:
        found = list_incidents(session, viewer, read_filter(), 1, MOST, now=now, zone=get_zone())
    lines = [
        {
            "incident": line.incident_id,
            "state": line.state,
            "verdict": line.verdict,
            "named": " ".join(one.code for one in line.named),
            "names": " ".join(one.name for one in line.named),
            "confidence": round(line.confidence, 4),
            "assignee": line.assignee,
            "sightings": line.sighting_count,
            "opened_at": _tell(line.opened_at),
            "last_sighting_at": _tell(line.last_sighting_at),
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_sources(viewer: Viewer) -> Rows:
    del viewer
    under, query = request.args.get("under", "")[:64], request.args.get("q", "").strip()[:100]
    with get_parts().database.read() as session:
        found = load_tree(session, under=under, query=query, size=MOST).lines
    lines = [
        {
            "code": line.source.code,
            "name": line.source.name,
            "kind": line.source.kind,
            "depth": line.depth,
            "region": line.region,
            "baits": line.baits,
            "in_place": line.live,
            "open_incidents": line.incidents,
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_baits(viewer: Viewer) -> Rows:
    del viewer
    # Looked at first: opening a million sealed values to refuse them would take minutes.
    vault, wanted = get_parts().vault, read_bait_filter()
    with get_parts().database.read() as session:
        total = list_baits(session, vault, wanted, 1, 1).total
        found = list_baits(session, vault, wanted, 1, MOST).items if total <= MOST else ()
    lines = [
        {
            "bait": line.ref,
            "state": line.state,
            "control": line.is_control,
            "carrier": line.carrier,
            "number": line.values.number,
            "name": line.values.name,
            "phone": line.values.phone,
            "address": line.values.address,
            "goods": line.goods,
            "source": line.source.code if line.source else None,
            "issued_at": _tell(line.issued_at),
            "surfaced": line.surfaced,
        }
        for line in found
    ]
    return Rows(total=total, lines=lines)


def _load_phones(viewer: Viewer) -> Rows:
    del viewer
    parts = get_parts()
    with parts.database.read() as session:
        found = list_pool(session, parts.vault, parts.clock(), use=read_use(), size=MOST).lines
    lines = [
        {
            "phone": line.ref,
            "number": line.number,
            "label": line.label,
            "gateway": line.gateway,
            "control": line.is_control,
            "ready_at": _tell(line.ready_at),
            "baits": line.baits,
            "given_at": _tell(line.given_at),
            "arrivals": line.arrivals,
            "last_arrival_at": _tell(line.last_arrival_at),
            "background_per_day": line.spam_per_day,
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_hits(viewer: Viewer) -> Rows:
    """Return what a search finds, however far back; its words are posted, never in an address."""
    parts, line = get_parts(), request.form.get("line", "")
    lines: list[Line] = []
    older: int | None = None
    for _ in range(ROUNDS):
        with parts.database.read() as session:
            found = search_texts(session, parts.vault, viewer, line, older=older)
        lines += [_show_hit(hit) for hit in found.hits]
        older = found.older
        if older is None:
            return Rows(total=len(lines), lines=lines)
    raise Invalid("this search finds too much for one file; look for more words")


def _show_hit(hit: TextHit) -> Line:
    return {
        "sighting": hit.ref,
        "kind": hit.kind,
        "venue": hit.venue,
        "reporter": hit.reporter,
        "seen_at": _tell(hit.seen_at),
        "incident": hit.incident_id,
        "text": " … ".join(f"{one.before}{one.found}{one.after}" for one in hit.snippets),
    }


def _load_posts(viewer: Viewer) -> Rows:
    del viewer
    with get_parts().database.read() as session:
        found = list_posts(session, read_state(), 1, MOST)
    lines = [
        {
            "post": line.ref,
            "reporter": line.reporter,
            "received_at": _tell(line.received_at),
            "bytes": line.size,
            "grade": line.grade,
            "state": line.state,
            "attempts": line.attempts,
            "failure": line.failure,
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_deliveries(viewer: Viewer) -> Rows:
    del viewer
    with get_parts().database.read() as session:
        found = list_deliveries(session, read_state(), 1, MOST)
    lines = [
        {
            "delivery": line.delivery_id,
            "endpoint": line.endpoint,
            "type": line.type,
            "incident": line.incident_id,
            "state": line.state,
            "attempts": line.attempts,
            "due_at": _tell(line.due_at),
            "finished_at": _tell(line.finished_at),
            "last_status": line.last_status,
            "last_answer": line.last_answer,
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _load_audit(viewer: Viewer) -> Rows:
    del viewer
    with get_parts().database.read() as session:
        found = list_audit(session, read_audit_filter(), 1, MOST)
    lines = [
        {
            "at": _tell(line.at),
            "actor": line.actor,
            "action": line.action,
            "subject": line.subject,
            "reason": line.reason,
            "details": " ".join(f"{key}={value}" for key, value in line.details),
        }
        for line in found.items
    ]
    return Rows(total=found.total, lines=lines)


def _tell(at: datetime | None) -> str | None:
    """Return a time with the offset of the viewer's zone."""
    return at.astimezone(get_zone()).isoformat(timespec="seconds") if at else None


TABLES = (
    Table(
        name="incidents",
        columns="incident state verdict named names confidence assignee sightings opened_at"
        " last_sighting_at",
        load=_load_incidents,
    ),
    Table(
        name="sources",
        columns="code name kind depth region baits in_place open_incidents",
        load=_load_sources,
    ),
    Table(
        name="baits",
        columns="bait state control carrier number name phone address goods source issued_at"
        " surfaced",
        load=_load_baits,
    ),
    Table(
        name="phones",
        columns="phone number label gateway control ready_at baits given_at arrivals"
        " last_arrival_at background_per_day",
        load=_load_phones,
    ),
    Table(
        name="search",
        columns="sighting kind venue reporter seen_at incident text",
        load=_load_hits,
        methods=("POST",),
    ),
    Table(
        name="inbox",
        columns="post reporter received_at bytes grade state attempts failure",
        load=_load_posts,
    ),
    Table(
        name="deliveries",
        columns="delivery endpoint type incident state attempts due_at finished_at last_status"
        " last_answer",
        load=_load_deliveries,
    ),
    Table(
        name="audit",
        columns="at actor action subject reason details",
        load=_load_audit,
    ),
)
