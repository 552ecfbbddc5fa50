"""What a person saw, brought in by hand: stored like any other post."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Invalid
from canary.domain.sightings import ChannelClass
from canary.services.audit import record
from canary.services.inbox.filetext import is_container, is_picture, read_container
from canary.services.inbox.intake import (
    NewReporter,
    Parcel,
    Secrets,
    accept_post,
    add_reporter,
    short_key,
)
from canary.storage.session import Database
from canary.storage.tables import InboxPost, Reporter
from canary.storage.vault import Vault
from webhooks.charsets import decode
from webhooks.reports import Post, Report, ReportKind

REPORTER = "manual"
MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HandReport:
    """Bytes as a person found them, where, and how they were lawfully obtained.

    `transcription` is what a person reads in a picture, or says of a file.
    """

    body: bytes
    venue: str
    basis: str
    actor: str
    transcription: str = ""


class Unchecked(Invalid):
    """A machine read words in what was brought, and nobody has checked them: `proposed`."""

    def __init__(self, proposed: str) -> None:
        self.proposed = proposed
        super().__init__(
            "these words were read by machine: correct them, choose the file again and send",
            mend=f"give them as the text beside the file:\n{proposed}",
        )


def report_by_hand(database: Database, vault: Vault, given: HandReport, *, now: datetime) -> str:
    """Take a manual report; return the reference of its post.

    Raises Invalid (Unchecked for a picture without transcription), InboxBusy.
    """
    if not given.body.strip():
        raise Invalid("the report is empty", mend="give the text that was seen")
    if len(given.body) > MAX_BYTES:
        raise Invalid(f"the report is larger than {MAX_BYTES >> 20} MiB", mend="split it")
    report = _read(given)
    with database.write() as session:
        reporter_id = _find_or_add(session, vault, given.actor, now)
        record(session, given.actor, "report.manual", "inbox", now)
    # Without a transcription the digest stays what it was, so that a repeat is known.
    said = b"\x00" + given.transcription.encode() if given.transcription else b""
    digest = hashlib.sha256(given.venue.encode() + b"\x00" + given.body + said).hexdigest()
    post = Post(
        method="CLI",
        url="manual:",
        headers={},
        body=given.body,
        remote_address="",
        received_at=now,
    )
    parcel = Parcel(
        reporter_id=reporter_id,
        key=f"manual:{digest}",
        digest=digest,
        post=post,
        reports=(report,),
        grade="manual",
    )
    accept_post(database, vault, parcel)
    return _find_ref(database, reporter_id, parcel)


def _read(given: HandReport) -> Report:
    details = {"basis": given.basis, "actor": given.actor}
    if is_container(given.body):
        found = read_container(given.body)
        text, charset, rung = found.text, "utf-8", "container"
        unread = list(found.unread)
        if found.proposed and not given.transcription.strip():
            if is_picture(given.body) or not text.strip():
                raise Unchecked(found.proposed)
            unread.append("words in its pictures")
        if unread:
            details["unread"] = "; ".join(unread)[:500]
    else:
        read = decode(given.body, "")
        text, charset, rung = read.text, read.charset, read.rung
    if given.transcription.strip():
        details["transcribed_by"] = given.actor
        text = f"{text}\n{given.transcription}" if text.strip() else given.transcription
    if not text.strip():
        raise Invalid(
            "nothing in this file could be read as text",
            mend="type what can be seen in it into the text",
        )
    return Report(
        kind=ReportKind.MANUAL,
        text=text,
        venue=given.venue,
        charset=charset,
        charset_rung=rung,
        details=details,
    )


def _find_or_add(session: Session, vault: Vault, actor: str, now: datetime) -> int:
    known = session.scalar(select(Reporter.id).where(Reporter.name == REPORTER))
    if known is not None:
        return int(known)
    wanted = NewReporter(
        name=REPORTER, format="page", channel_class=ChannelClass.MANUAL, secrets=Secrets()
    )
    add_reporter(session, vault, wanted, actor=actor, now=now)
    session.flush()
    return int(session.scalars(select(Reporter.id).where(Reporter.name == REPORTER)).one())


def _find_ref(database: Database, reporter_id: int, parcel: Parcel) -> str:
    with database.read() as session:
        return session.scalars(
            select(InboxPost.ref).where(
                InboxPost.reporter_id == reporter_id,
                InboxPost.post_key == short_key(parcel.key),
            )
        ).one()
