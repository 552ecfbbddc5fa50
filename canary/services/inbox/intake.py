"""Take in what reporters post: stored and committed before it is answered.

A post that repeats an earlier one finds the unique constraint and changes nothing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, bindparam, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Invalid, Unavailable
from canary.domain.sightings import ChannelClass
from canary.services.audit import record
from canary.services.refs import make_ref
from canary.services.stock.sources import get_source
from canary.storage.inserting import insert_new
from canary.storage.session import Database
from canary.storage.tables import InboxPost, Reporter
from canary.storage.vault import Vault, sha256
from webhooks.errors import InboxBusy, InboxConflict, InboxStale
from webhooks.reports import Post, Report

WAITING_LIMIT = 100_000
NAME_LENGTH = 80
# The phrase that makes a message a heartbeat, drawn for each reporter.
HEARTBEAT_OPTION = "heartbeat"

# Rhythms are minutes; so a busy reporter's row is not written with each of its posts.
LAST_POST_NOTED_EVERY = timedelta(seconds=1)

_Known = Row[int, bytes, bool, datetime | None]
_REPORTER = select(
    Reporter.id, Reporter.sealed_secrets, Reporter.is_active, Reporter.last_post_at
).where(Reporter.id == bindparam("wanted"))
_LAST_POST = (
    update(Reporter.__table__)  # type: ignore[arg-type]  # a declarative class has a Table
    .where(Reporter.id == bindparam("reporter_id"))
    .values(last_post_at=bindparam("received_at"))
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What proves a reporter: signing secrets (two while one is replaced), a secret path.

    The reader's options are kept with them: they may name our own phones.
    """

    signing: tuple[str, ...] = ()
    path: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Write the secrets to seal them."""
        content = {"signing": self.signing, "path": self.path, "options": dict(self.options)}
        return json.dumps(content).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReporter:
    """A reporter as its administrator asks for it."""

    name: str
    format: str
    channel_class: ChannelClass
    secrets: Secrets
    source: str | None = None
    rhythm_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReporter:
    """A reporter with its secrets opened, as the receiving routes need it."""

    id: int
    name: str
    format: str
    secrets: Secrets
    is_active: bool
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A proven post on its way into the inbox; `digest` tells a repeat from a conflict.

    `proof` is what its reporter was known by; None when nothing was remembered.
    """

    reporter_id: int
    key: str
    digest: str
    post: Post
    reports: Sequence[Report]
    grade: str
    proof: bytes | None = None


def add_reporter(
    session: Session, vault: Vault, wanted: NewReporter, *, actor: str, now: datetime
) -> None:
    """Add a reporter. Raises Invalid for a name that cannot stand in a URL, Conflict."""
    allowed = wanted.name.replace("-", "").replace("_", "")
    if not (allowed.isascii() and allowed.isalnum() and len(wanted.name) <= NAME_LENGTH):
        raise Invalid(
            f"{wanted.name[:80]!r} cannot stand in an address",
            field="name",
            mend="use letters, digits, - and _",
        )
    if session.scalar(select(Reporter.id).where(Reporter.name == wanted.name)) is not None:
        msg = f"there is a reporter {wanted.name!r} already"
        raise Conflict(msg)
    secrets = wanted.secrets
    if wanted.channel_class is not ChannelClass.MANUAL:
        phrase = {HEARTBEAT_OPTION: make_ref("HB")}
        secrets = replace(secrets, options={**phrase, **secrets.options})
    session.add(
        Reporter(
            name=wanted.name,
            format=wanted.format,
            channel_class=wanted.channel_class,
            sealed_secrets=vault.seal(place_of(wanted.name), secrets.to_json()),
            source_id=get_source(session, wanted.source).id if wanted.source else None,
            rhythm_seconds=wanted.rhythm_seconds,
            created_at=now,
        )
    )
    record(session, actor, "reporter.added", f"reporter/{wanted.name}", now, format=wanted.format)


def place_of(name: str) -> str:
    """Name the sealed place of a reporter's secrets."""
    return f"reporters.sealed_secrets|{name}"


def list_reporters(session: Session) -> list[Reporter]:
    """List the reporters by name."""
    return list(session.scalars(select(Reporter).order_by(Reporter.name)))


def find_reporter(session: Session, vault: Vault, name: str) -> KnownReporter | None:
    """Return the reporter of that name with its secrets, or None."""
    row = session.scalar(select(Reporter).where(Reporter.name == name))
    if row is None:
        return None
    content = json.loads(vault.unseal(place_of(row.name), row.sealed_secrets))
    return KnownReporter(
        id=row.id,
        name=row.name,
        format=row.format,
        secrets=Secrets(
            signing=tuple(content["signing"]), path=content["path"], options=content["options"]
        ),
        is_active=row.is_active,
        proof=row.sealed_secrets,
    )


@dataclass(slots=True, kw_only=True)
class Shipment:
    """A post ready to be written, and what came of it: `is_new`, or why it was not taken."""

    parcel: Parcel
    row: dict[str, Any]
    is_new: bool | None = None
    refusal: Exception | None = None

    @property
    def is_settled(self) -> bool:
        """Tell whether something came of it."""
        return self.is_new is not None or self.refusal is not None


def ship(vault: Vault, parcel: Parcel) -> Shipment:
    """Seal a post, so that it only needs writing."""
    return Shipment(parcel=parcel, row=_make_row(vault, parcel))


def accept_post(database: Database, vault: Vault, parcel: Parcel) -> bool:
    """Store a post durably; tell whether it is new.

    Raises InboxConflict when its key was used for other content, InboxStale when its reporter
    changed meanwhile, InboxBusy when it cannot be made durable now.
    """
    shipment = ship(vault, parcel)
    store(database, [shipment])
    return settle(shipment)


def settle(shipment: Shipment) -> bool:
    """Tell whether a stored post is new; raises why it was not taken."""
    if shipment.refusal is not None:
        raise shipment.refusal
    assert shipment.is_new is not None
    return shipment.is_new


def store(database: Database, shipments: Sequence[Shipment], *, check_room: bool = True) -> None:
    """Write posts in one transaction and note in each what came of it; all or none are durable.

    One that cannot be written takes no other with it.
    """
    found: list[bool | Exception]
    try:
        with database.connect(writes=True) as connection:
            found = _write(connection, shipments, check_room=check_room)
    except Unavailable as error:
        found = [InboxBusy(str(error), retry_after=error.retry_after)] * len(shipments)
    except InboxBusy as error:
        found = [error] * len(shipments)
    except SQLAlchemyError as error:
        if len(shipments) > 1:
            for shipment in shipments:
                store(database, [shipment], check_room=check_room)
            return
        log.error("inbox.refused", reporter=shipments[0].parcel.reporter_id, exc_info=error)
        found = [InboxBusy("this post cannot be written", retry_after=60)]
    for shipment, outcome in zip(shipments, found, strict=True):
        if isinstance(outcome, Exception):
            shipment.refusal = outcome
        else:
            shipment.is_new = outcome


def _write(
    connection: Connection, shipments: Sequence[Shipment], *, check_room: bool
) -> list[bool | Exception]:
    if check_room:
        _refuse_overload(connection)
    ids = sorted({one.parcel.reporter_id for one in shipments})
    rows = (connection.execute(_REPORTER, {"wanted": one}).one_or_none() for one in ids)
    known = {row.id: row for row in rows if row is not None}
    # In one order everywhere, so that two writers with the same keys cannot lock each other out.
    fresh = sorted(
        (one for one in shipments if not _is_stale(one.parcel, known)),
        key=lambda one: (one.parcel.reporter_id, one.row["post_key"]),
    )
    new = insert_new(connection, InboxPost, [one.row for one in fresh], "ref") if fresh else set()
    latest = {one.parcel.reporter_id: one.parcel.post.received_at for one in fresh}
    for reporter_id, received_at in sorted(latest.items()):
        _note_post(connection, known.get(reporter_id), received_at)
    return [
        InboxStale("the reporter changed meanwhile")
        if _is_stale(one.parcel, known)
        else one.row["ref"] in new or _judge_repeat(connection, one)
        for one in shipments
    ]


def _is_stale(parcel: Parcel, known: Mapping[int, _Known]) -> bool:
    """Tell whether a post was proven by what is no longer so: another secret, switched off."""
    if parcel.proof is None:
        return False
    row = known.get(parcel.reporter_id)
    return row is None or not row.is_active or row.sealed_secrets != parcel.proof


def _note_post(connection: Connection, row: _Known | None, received_at: datetime) -> None:
    if row is None:
        return
    if row.last_post_at is None or received_at - row.last_post_at >= LAST_POST_NOTED_EVERY:
        connection.execute(_LAST_POST, {"reporter_id": row.id, "received_at": received_at})


def _judge_repeat(connection: Connection, shipment: Shipment) -> bool | InboxConflict:
    stored = connection.scalar(
        select(InboxPost.content_sha256).where(
            InboxPost.reporter_id == shipment.parcel.reporter_id,
            InboxPost.post_key == shipment.row["post_key"],
        )
    )
    if stored != shipment.row["content_sha256"]:
        return InboxConflict("this id was used for other content")
    return False


def keep_dead_post(
    database: Database,
    vault: Vault,
    reporter_id: int,
    post: Post,
    reason: str,
    *,
    grade: str,
    proof: bytes | None = None,
) -> None:
    """Keep a proven post that cannot be read, for people to look at. Raises InboxBusy, -Stale."""
    digest = hashlib.sha256(post.body).hexdigest()
    key = f"dead:{digest[:48]}"
    parcel = Parcel(
        reporter_id=reporter_id,
        key=key,
        digest=digest,
        post=post,
        reports=(),
        grade=grade,
        proof=proof,
    )
    shipment = ship(vault, parcel)
    shipment.row |= {
        "state": "dead",
        "failure": reason[:500],
        "finished_at": post.received_at,
        "sealed_reports": None,
    }
    store(database, [shipment])
    settle(shipment)


def _refuse_overload(connection: Connection) -> None:
    waiting = select(InboxPost.id).where(InboxPost.state == "waiting").limit(WAITING_LIMIT)
    if connection.scalar(select(func.count()).select_from(waiting.subquery())) == WAITING_LIMIT:
        raise InboxBusy("too many posts wait for triage", retry_after=30, status=429)


def _make_row(vault: Vault, parcel: Parcel) -> dict[str, Any]:
    ref, post = make_ref("I"), parcel.post
    request = {
        "method": post.method,
        "url": post.url,
        "headers": dict(post.headers),
        "remote_address": post.remote_address,
        "digest": parcel.digest,
    }
    reports = json.dumps([report.to_json() for report in parcel.reports])
    return {
        "ref": ref,
        "reporter_id": parcel.reporter_id,
        "post_key": short_key(parcel.key),
        "content_sha256": bytes.fromhex(parcel.digest),
        "received_at": post.received_at,
        "method": post.method,
        "sealed_request": vault.seal(f"inbox.sealed_request|{ref}", json.dumps(request).encode()),
        "sealed_body": vault.seal(f"inbox.sealed_body|{ref}", post.body),
        "body_size": len(post.body),
        "body_sha256": sha256(post.body),
        "sealed_reports": vault.seal(f"inbox.sealed_reports|{ref}", reports.encode()),
        "grade": parcel.grade,
        "state": "waiting",
        "attempts": 0,
    }


def short_key(key: str) -> str:
    """Keep keys as digests: a sender's own id may be anything, even a bait's number."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
