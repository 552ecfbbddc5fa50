"""Take in what reporters post: stored and committed before it is answered.

A post that repeats an earlier one finds the unique constraint and changes nothing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Invalid, NotFound, Unavailable
from canary.domain.sightings import ChannelClass
from canary.services.audit import record
from canary.services.refs import make_ref
from canary.services.sources import get_source
from canary.storage.session import Database
from canary.storage.tables import InboxPost, Reporter
from canary.storage.vault import Vault, sha256
from webhooks.errors import InboxBusy, InboxConflict
from webhooks.reports import Post, Report

WAITING_LIMIT = 100_000
DEAD_BODY_LIMIT = 64 * 1024
NAME_LENGTH = 80


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A proven post on its way into the inbox; `digest` tells a repeat from a conflict."""

    reporter_id: int
    key: str
    digest: str
    post: Post
    reports: Sequence[Report]
    grade: str


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
    session.add(
        Reporter(
            name=wanted.name,
            format=wanted.format,
            channel_class=wanted.channel_class,
            sealed_secrets=vault.seal(place_of(wanted.name), wanted.secrets.to_json()),
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
    )


def accept_post(database: Database, vault: Vault, parcel: Parcel) -> bool:
    """Store a post durably; tell whether it is new.

    Raises InboxConflict when its key was used for other content, InboxBusy when it cannot be
    made durable now.
    """
    try:
        with database.write() as session:
            _refuse_overload(session)
            session.add(_make_row(vault, parcel))
            session.execute(
                update(Reporter)
                .where(Reporter.id == parcel.reporter_id)
                .values(last_post_at=parcel.post.received_at)
            )
    except IntegrityError:
        return _judge_repeat(database, parcel)
    except Unavailable as error:
        raise InboxBusy(str(error), retry_after=error.retry_after) from error
    return True


def keep_dead_post(
    database: Database, vault: Vault, reporter_id: int, post: Post, reason: str
) -> None:
    """Keep a proven post that cannot be read, for people to look at. Raises InboxBusy."""
    digest = hashlib.sha256(post.body).hexdigest()
    key = f"dead:{digest[:48]}"
    parcel = Parcel(
        reporter_id=reporter_id, key=key, digest=digest, post=post, reports=(), grade="unreadable"
    )
    try:
        with database.write() as session:
            row = _make_row(vault, parcel)
            row.state, row.failure, row.finished_at = "dead", reason[:500], post.received_at
            session.add(row)
    except IntegrityError:
        return
    except Unavailable as error:
        raise InboxBusy(str(error), retry_after=error.retry_after) from error


def _refuse_overload(session: Session) -> None:
    waiting = select(InboxPost.id).where(InboxPost.state == "waiting").limit(WAITING_LIMIT)
    if session.scalar(select(func.count()).select_from(waiting.subquery())) == WAITING_LIMIT:
        raise InboxBusy("too many posts wait for triage", retry_after=30, status=429)


def _make_row(vault: Vault, parcel: Parcel) -> InboxPost:
    ref, post = make_ref("I"), parcel.post
    request = {
        "method": post.method,
        "url": post.url,
        "headers": dict(post.headers),
        "remote_address": post.remote_address,
        "digest": parcel.digest,
    }
    reports = json.dumps([report.to_json() for report in parcel.reports])
    return InboxPost(
        ref=ref,
        reporter_id=parcel.reporter_id,
        post_key=short_key(parcel.key),
        content_sha256=bytes.fromhex(parcel.digest),
        received_at=post.received_at,
        method=post.method,
        sealed_request=vault.seal(f"inbox.sealed_request|{ref}", json.dumps(request).encode()),
        sealed_body=vault.seal(f"inbox.sealed_body|{ref}", post.body),
        body_size=len(post.body),
        body_sha256=sha256(post.body),
        sealed_reports=vault.seal(f"inbox.sealed_reports|{ref}", reports.encode()),
        grade=parcel.grade,
        state="waiting",
    )


def short_key(key: str) -> str:
    """Keep keys as digests: a sender's own id may be anything, even a bait's number."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _judge_repeat(database: Database, parcel: Parcel) -> bool:
    with database.read() as session:
        stored = session.scalar(
            select(InboxPost.content_sha256).where(
                InboxPost.reporter_id == parcel.reporter_id,
                InboxPost.post_key == short_key(parcel.key),
            )
        )
    if stored is None or stored != bytes.fromhex(parcel.digest):
        raise InboxConflict("this id was used for other content")
    return False


def open_body(session: Session, vault: Vault, inbox_id: int) -> tuple[str, bytes]:
    """Return the reference and the bytes of a post as received. Raises NotFound."""
    post = session.get(InboxPost, inbox_id)
    if post is None:
        msg = "there is no such post"
        raise NotFound(msg)
    return post.ref, vault.unseal(f"inbox.sealed_body|{post.ref}", post.sealed_body)
