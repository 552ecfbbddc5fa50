"""Give dead letters of the inbox another try."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.audit import record
from canary.services.inbox.reporters import open_secrets
from canary.storage.session import Database
from canary.storage.tables import InboxPost
from canary.storage.vault import Vault
from webhooks.errors import PayloadError
from webhooks.reports import Post, Report

# Format, post and the reporter's options in; reports out; raises PayloadError.
ReadAgain = Callable[[str, Post, Mapping[str, Any]], list[Report]]


def try_again(
    database: Database,
    vault: Vault,
    read_again: ReadAgain,
    ref: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Let a dead post wait for triage again, read anew where it could not be read.

    Raises NotFound; Conflict for a post that is not dead; Invalid when it is still unreadable.
    """
    with database.write() as session:
        _revive(session, vault, read_again, _get_dead(session, ref), actor=actor, now=now)


def try_all_again(
    database: Database,
    vault: Vault,
    read_again: ReadAgain,
    reporter_id: int,
    *,
    actor: str,
    now: datetime,
) -> tuple[int, int]:
    """Try every dead post of a reporter; return how many wait again and how many stay dead."""
    with database.read() as session:
        refs = session.scalars(
            select(InboxPost.ref)
            .where(InboxPost.reporter_id == reporter_id, InboxPost.state == "dead")
            .order_by(InboxPost.id)
        ).all()
    stay = 0
    for ref in refs:
        try:
            try_again(database, vault, read_again, ref, actor=actor, now=now)
        except (Invalid, Conflict):
            stay += 1
    return len(refs) - stay, stay


def _get_dead(session: Session, ref: str) -> InboxPost:
    row = session.scalar(select(InboxPost).where(InboxPost.ref == ref).with_for_update())
    if row is None:
        msg = f"there is no post {ref[:40]!r}"
        raise NotFound(msg)
    if row.state != "dead":
        msg = f"post {ref} is {row.state}, not dead"
        raise Conflict(msg)
    return row


def _revive(
    session: Session,
    vault: Vault,
    read_again: ReadAgain,
    row: InboxPost,
    *,
    actor: str,
    now: datetime,
) -> None:
    if row.sealed_reports is None:
        reports = _read(vault, read_again, row)
        content = json.dumps([report.to_json() for report in reports]).encode()
        row.sealed_reports = vault.seal(f"inbox.sealed_reports|{row.ref}", content)
    row.state, row.attempts, row.failure, row.finished_at = "waiting", 0, None, None
    row.lease_owner = row.lease_until = None
    record(session, actor, "post.again", f"post/{row.ref}", now)


def _read(vault: Vault, read_again: ReadAgain, row: InboxPost) -> list[Report]:
    options = open_secrets(vault, row.reporter).options
    try:
        return read_again(row.reporter.format, _rebuild(vault, row), options)
    except PayloadError as error:
        raise Invalid(
            f"post {row.ref} is still unreadable: {error}",
            mend="mend the reporter's format or options first",
        ) from error


def _rebuild(vault: Vault, row: InboxPost) -> Post:
    request = json.loads(vault.unseal(f"inbox.sealed_request|{row.ref}", row.sealed_request))
    return Post(
        method=request["method"],
        url=request["url"],
        headers=request["headers"],
        body=vault.unseal(f"inbox.sealed_body|{row.ref}", row.sealed_body),
        remote_address=request["remote_address"],
        received_at=row.received_at,
    )
