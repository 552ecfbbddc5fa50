"""Monitors as people keep them: added, changed, paused, removed.

A monitor's name, class and switch are those of its reporter, which is made with it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from canary.domain.errors import Invalid, NotFound
from canary.domain.monitors import LEAST_RHYTHM, MOST_RHYTHM, MonitorState
from canary.domain.sightings import ChannelClass
from canary.matching.selecting import is_selector
from canary.services.audit import record
from canary.services.inbox.intake import NewReporter, Secrets, add_reporter
from canary.services.monitors.fetching import Fetcher
from canary.storage.tables import Monitor, MonitorCheck, Reporter
from canary.storage.vault import Vault
from webhooks.charsets import codec_of

KINDS = ("page", "feed")
LINE = 200
MOST_HEADERS = 10
# Missed looks after which silence is told; a quarter of an hour at least.
MISSED = 3
SOONEST_SILENCE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorWishes:
    """How a page or feed is to be watched.

    `basis` says how we may lawfully read it. `robots_override` is the reason for reading it
    against its robots.txt. `headers` are sent along: a cookie, an authorization.
    """

    kind: str
    url: str
    rhythm_minutes: int
    basis: str
    selector: str | None = None
    charset: str | None = None
    venue: str | None = None
    robots_override: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a monitor looks, and what it sends along."""

    url: str
    headers: Mapping[str, str]


def add_monitor(
    session: Session,
    vault: Vault,
    fetcher: Fetcher,
    name: str,
    wishes: MonitorWishes,
    *,
    from_tip: bool = False,
    actor: str,
    now: datetime,
) -> None:
    """Add a monitor with its reporter. Raises Invalid, Conflict.

    `from_tip`: somebody tipped us this address, who may have put there what we find.
    """
    _check(fetcher, wishes)
    channel = ChannelClass.OWN_TIP if from_tip else ChannelClass.OWN
    wanted = NewReporter(
        name=name,
        format=wishes.kind,
        channel_class=channel,
        secrets=Secrets(),
        rhythm_seconds=_silence_after(wishes),
    )
    add_reporter(session, vault, wanted, actor=actor, now=now)
    session.flush()
    reporter = session.scalars(select(Reporter).where(Reporter.name == name)).one()
    row = Monitor(
        reporter=reporter, kind=wishes.kind, state=MonitorState.NEW, due_at=now, created_at=now
    )
    _put(vault, row, wishes)
    session.add(row)
    record(session, actor, "monitor.added", f"monitor/{name}", now, kind=wishes.kind)
    _note_override(session, row, None, actor, now)


def change_monitor(
    session: Session,
    vault: Vault,
    fetcher: Fetcher,
    name: str,
    wishes: MonitorWishes,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Watch it otherwise from now on; what is on it counts as new. Raises Invalid, NotFound."""
    row = get_monitor(session, name, lock=True)
    if wishes.kind != row.kind:
        raise Invalid("a monitor stays of its kind", field="kind", mend="add another monitor")
    _check(fetcher, wishes)
    before, old = row.robots_override, open_address(vault, row)
    is_same_part = (old.url, row.selector, row.charset) == (
        wishes.url,
        wishes.selector,
        wishes.charset,
    )
    _put(vault, row, wishes)
    if not is_same_part:
        row.row_keys, row.state, row.failures, row.last_error = b"", MonitorState.NEW, 0, None
    row.etag = row.last_modified = row.content_key = None
    row.due_at = now
    # A look that is under way may not write down what it saw by the old wishes.
    row.lease_owner = row.lease_until = None
    row.reporter.rhythm_seconds = _silence_after(wishes)
    record(session, actor, "monitor.changed", f"monitor/{name}", now)
    _note_override(session, row, before, actor, now)


def switch_monitor(session: Session, name: str, *, active: bool, actor: str, now: datetime) -> None:
    """Pause a monitor, or let it go on at once. Raises NotFound."""
    row = get_monitor(session, name)
    row.reporter.is_active = active
    if active:
        row.due_at = now
        # Silence counts from here; nobody was to look meanwhile.
        row.reporter.last_post_at = now
    action = "monitor.resumed" if active else "monitor.paused"
    record(session, actor, action, f"monitor/{name}", now)


def remove_monitor(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Remove a monitor; its reporter stays, switched off, with what it brought."""
    row = get_monitor(session, name)
    row.reporter.is_active = False
    session.execute(delete(MonitorCheck).where(MonitorCheck.monitor_id == row.id))
    session.delete(row)
    record(session, actor, "monitor.removed", f"monitor/{name}", now)


def get_monitor(session: Session, name: str, *, lock: bool = False) -> Monitor:
    """Return the monitor of that name. Raises NotFound."""
    query = select(Monitor).join(Reporter).where(Reporter.name == name)
    row = session.scalar(query.with_for_update(of=Monitor) if lock else query)
    if row is None:
        msg = f"there is no monitor {name[:80]!r}"
        raise NotFound(msg)
    return row


def is_monitor(session: Session, name: str) -> bool:
    """Tell whether the reporter of that name is a monitor's."""
    found = select(Monitor.id).join(Reporter).where(Reporter.name == name)
    return session.scalar(found) is not None


def open_address(vault: Vault, row: Monitor) -> Address:
    """Open where a monitor looks."""
    content = json.loads(vault.unseal(_place(row.reporter.name), row.sealed_address))
    return Address(url=content["url"], headers=content["headers"])


def read_headers(text: str) -> dict[str, str]:
    """Read lines of `Name: value`. Raises Invalid."""
    headers = {}
    for line in filter(str.strip, text.splitlines()):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise Invalid("these headers cannot be sent", field="headers", mend="write Name: value")
        headers[name.strip()] = value.strip()
    return headers


def _put(vault: Vault, row: Monitor, wishes: MonitorWishes) -> None:
    host = (urlsplit(wishes.url).hostname or "").lower()
    content = {"url": wishes.url, "headers": dict(wishes.headers)}
    row.sealed_address = vault.seal(_place(row.reporter.name), json.dumps(content).encode())
    row.host_key = vault.digest(f"monitor host:{host}")
    row.rhythm_minutes = wishes.rhythm_minutes
    row.selector, row.charset = wishes.selector or None, wishes.charset or None
    row.venue = wishes.venue or host[:LINE]
    row.basis = wishes.basis
    row.robots_override = wishes.robots_override or None


def _place(name: str) -> str:
    return f"monitors.sealed_address|{name}"


def _silence_after(wishes: MonitorWishes) -> int:
    missed = timedelta(minutes=wishes.rhythm_minutes) * MISSED
    return int(max(missed, SOONEST_SILENCE).total_seconds())


def _note_override(
    session: Session, row: Monitor, before: str | None, actor: str, now: datetime
) -> None:
    if row.robots_override == before:
        return
    subject = f"monitor/{row.reporter.name}"
    action = "monitor.robots_overridden" if row.robots_override else "monitor.robots_obeyed"
    record(session, actor, action, subject, now, reason=row.robots_override)


def _check(fetcher: Fetcher, wishes: MonitorWishes) -> None:
    if wishes.kind not in KINDS:
        raise Invalid("choose a page or a feed", field="kind", mend="use page or feed")
    if not LEAST_RHYTHM <= wishes.rhythm_minutes <= MOST_RHYTHM:
        raise Invalid(
            "this rhythm does not fit",
            field="rhythm_minutes",
            mend=f"use {LEAST_RHYTHM} to {MOST_RHYTHM} minutes",
        )
    if not wishes.basis.strip(" \t\r\n"):
        raise Invalid(
            "say how we may lawfully read this page",
            field="basis",
            mend="name the ground: a public page, a contract, a warrant",
        )
    if wishes.kind == "feed" and wishes.selector:
        raise Invalid("a feed has no parts to select", field="selector", mend="leave it out")
    if wishes.selector and not is_selector(wishes.selector):
        raise Invalid("this is no CSS selector", field="selector", mend="write table.list or .card")
    if wishes.charset and codec_of(wishes.charset) is None:
        raise Invalid("this charset is not known", field="charset", mend="write gb18030 or utf-8")
    for name in ("basis", "venue", "robots_override"):
        if len(getattr(wishes, name) or "") > LINE:
            raise Invalid("this is too long", field=name, mend=f"at most {LINE} characters")
    _check_headers(wishes.headers)
    fetcher.check(wishes.url)


def _check_headers(headers: Mapping[str, str]) -> None:
    good = all(
        name.isascii()
        and name.replace("-", "").replace("_", "").isalnum()
        and value.isascii()
        and value.isprintable()
        and len(name) <= 60
        and len(value) <= 4000
        for name, value in headers.items()
    )
    if not good or len(headers) > MOST_HEADERS:
        raise Invalid("these headers cannot be sent", field="headers", mend="write Name: value")
