"""Look at what is due: claim, fetch, take in what is new, write down how it went.

One look at a time at each host, and no lock held while talking to it. What is new goes through
the inbox like any post; only when it is durable there, the monitor remembers it. A crash between
the two repeats the look, and the repeat finds its key taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import structlog
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from canary.domain.errors import Conflict, Unavailable
from canary.domain.monitors import MonitorState, wait_after
from canary.services.inbox.intake import Parcel, accept_post
from canary.services.monitors.fetching import Fetcher
from canary.services.monitors.keeping import get_monitor, open_address
from canary.services.monitors.reading import KEY_BYTES, Read, Sight, Watched, read_answer
from canary.storage.session import Database
from canary.storage.tables import Monitor, MonitorCheck, Reporter
from canary.storage.vault import Vault, sha256
from webhooks.errors import DeliveryError, InboxBusy
from webhooks.reports import Grade

LEASE = timedelta(minutes=3)
# Between two looks at one host, whatever its robots.txt says.
COURTESY = timedelta(seconds=2)
CHECKS_KEPT = 50
REFUSED = "its robots.txt refuses this address"
FAILED = "it could not be read"

log = structlog.get_logger(__name__)


class Unwelcome(Exception):
    """A site's robots.txt keeps us from an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """What looking needs: rows, keys, a way out, readers, a clock, a name to claim under."""

    database: Database
    vault: Vault
    fetcher: Fetcher
    read: Read
    clock: Callable[[], datetime]
    random: Random
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A monitor to look at; `is_troubled` when its last look failed."""

    id: int
    is_troubled: bool


def list_due(session: Session, now: datetime, *, limit: int = 100) -> list[Due]:
    """List the monitors to look at, longest due first."""
    rows = session.execute(
        select(Monitor.id, Monitor.failures)
        .join(Reporter, Reporter.id == Monitor.reporter_id)
        .where(Reporter.is_active, Monitor.due_at <= now)
        .where(or_(Monitor.lease_until.is_(None), Monitor.lease_until < now))
        .order_by(Monitor.due_at, Monitor.id)
        .limit(limit)
    )
    return [Due(id=row.id, is_troubled=row.failures > 0) for row in rows]


def check_due(lookout: Lookout, monitor_id: int) -> Sight | None:
    """Look at a monitor if it is due and its host is free; else None. Raises Unavailable."""
    return _check(lookout, monitor_id, is_asked=False)


def check_now(lookout: Lookout, name: str) -> Sight:
    """Look at a monitor now. Raises NotFound; Conflict when its host is not free; Unavailable."""
    with lookout.database.read() as session:
        monitor_id = get_monitor(session, name).id
    sight = _check(lookout, monitor_id, is_asked=True)
    if sight is None:
        msg = "it is being looked at, or its site asks for a pause; try again later"
        raise Conflict(msg)
    return sight


def try_look(lookout: Lookout, name: str) -> Sight:
    """Look without filing or remembering anything. Raises NotFound."""
    with lookout.database.read() as session:
        seen = _open(lookout.vault, get_monitor(session, name))
    return _look(lookout, replace(seen, etag=None, last_modified=None, content_key=None))


def _check(lookout: Lookout, monitor_id: int, *, is_asked: bool) -> Sight | None:
    with lookout.database.write() as session:
        if not _claim(session, lookout, monitor_id, is_asked=is_asked):
            return None
        seen = _open(lookout.vault, session.get_one(Monitor, monitor_id))
    try:
        sight = _look(lookout, seen)
        _take_in(lookout, seen, sight)
    except (Unavailable, InboxBusy) as error:
        # No fault of the site's: it stays due.
        with lookout.database.write() as session:
            _release(session, lookout, monitor_id)
        raise Unavailable(str(error), retry_after=getattr(error, "retry_after", 5)) from error
    except Exception:
        log.exception("monitor.failed", monitor=seen.name)
        sight = Sight(state=MonitorState.LOST, problem=FAILED)
    _note(lookout, seen, sight)
    return sight


def _claim(session: Session, lookout: Lookout, monitor_id: int, *, is_asked: bool) -> bool:
    """Claim a monitor unless somebody is at its host, or was a moment ago."""
    now = lookout.clock()
    host = select(Monitor.host_key).where(Monitor.id == monitor_id).scalar_subquery()
    # All rows of the host are locked, in one order: two workers cannot both find it free.
    rows = session.execute(
        select(
            Monitor.id,
            Monitor.due_at,
            Monitor.lease_until,
            Monitor.last_checked_at,
            Monitor.pause_seconds,
        )
        .where(Monitor.host_key == host)
        .order_by(Monitor.id)
        .with_for_update()
    ).all()
    least = timedelta() if is_asked else COURTESY
    for row in rows:
        pause = max(least, timedelta(seconds=row.pause_seconds))
        if row.lease_until is not None and row.lease_until > now:
            return False
        if row.last_checked_at is not None and row.last_checked_at + pause > now:
            return False
        if row.id == monitor_id and row.due_at > now and not is_asked:
            return False
    session.execute(
        update(Monitor)
        .where(Monitor.id == monitor_id)
        .values(lease_owner=lookout.owner, lease_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    return bool(rows)


def _release(session: Session, lookout: Lookout, monitor_id: int) -> None:
    session.execute(
        update(Monitor)
        .where(Monitor.id == monitor_id, Monitor.lease_owner == lookout.owner)
        .values(lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def _open(vault: Vault, row: Monitor) -> Watched:
    address = open_address(vault, row)
    keys = row.row_keys
    return Watched(
        id=row.id,
        reporter_id=row.reporter_id,
        name=row.reporter.name,
        kind=row.kind,
        url=address.url,
        headers=address.headers,
        selector=row.selector,
        charset=row.charset,
        venue=row.venue,
        basis=row.basis,
        obeys_robots=row.robots_override is None,
        etag=row.etag,
        last_modified=row.last_modified,
        content_key=row.content_key,
        known=frozenset(keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)),
        changes=row.changes,
    )


def _look(lookout: Lookout, seen: Watched) -> Sight:
    headers = dict(seen.headers)
    if seen.etag:
        headers["If-None-Match"] = seen.etag
    if seen.last_modified:
        headers["If-Modified-Since"] = seen.last_modified
    pause = 0.0

    def judge(url: str) -> None:
        nonlocal pause
        if not seen.obeys_robots:
            return
        welcome = lookout.fetcher.ask(url, lookout.clock())
        pause = max(pause, welcome.pause)
        if not welcome.is_given:
            raise Unwelcome

    try:
        judge(seen.url)
        fetched = lookout.fetcher.fetch(seen.url, headers, judge)
    except Unwelcome:
        return Sight(state=MonitorState.REFUSED, problem=REFUSED, pause=pause)
    except DeliveryError as error:
        return Sight(state=MonitorState.UNREACHABLE, problem=str(error)[:200])
    sight = read_answer(lookout.vault, lookout.read, seen, fetched, lookout.clock())
    return replace(sight, pause=pause)


def _take_in(lookout: Lookout, seen: Watched, sight: Sight) -> None:
    """Make what is new durable. Raises InboxBusy."""
    if sight.post is None or sight.state is not MonitorState.CHANGED:
        return
    digest = sha256(sight.post.body).hex()
    parcel = Parcel(
        reporter_id=seen.reporter_id,
        key=f"check:{seen.changes}:{digest}",
        digest=digest,
        post=sight.post,
        reports=sight.reports,
        grade=Grade.FETCHED,
    )
    accept_post(lookout.database, lookout.vault, parcel)


def _note(lookout: Lookout, seen: Watched, sight: Sight) -> None:
    now = lookout.clock()
    with lookout.database.write() as session:
        row = session.scalar(
            select(Monitor).where(Monitor.id == seen.id).with_for_update(of=Monitor)
        )
        if row is None or row.lease_owner != lookout.owner:
            return
        row.lease_owner = row.lease_until = None
        row.state, row.last_error, row.last_checked_at = sight.state, sight.problem, now
        row.pause_seconds = int(sight.pause)
        if sight.state.is_sign_of_life:
            _remember(row, sight, now)
        else:
            row.failures += 1
        wait = wait_after(
            timedelta(minutes=row.rhythm_minutes),
            row.failures,
            retry_after=sight.retry_after,
            spread=lookout.random.uniform(-1, 1),
        )
        row.due_at = now + max(wait, timedelta(seconds=sight.pause))
        _keep_check(session, row, sight, now)


def _remember(row: Monitor, sight: Sight, now: datetime) -> None:
    row.failures = 0
    row.reporter.last_post_at = row.reporter.last_heartbeat_at = now
    if sight.status != 304:
        row.etag, row.last_modified = sight.etag, sight.last_modified
        row.content_key = sight.content_key
    if sight.keys is not None:
        row.row_keys = b"".join(dict.fromkeys(sight.keys))
    if sight.state is MonitorState.CHANGED:
        row.changes += 1
        row.last_changed_at = now


def _keep_check(session: Session, row: Monitor, sight: Sight, now: datetime) -> None:
    session.add(
        MonitorCheck(
            monitor_id=row.id,
            at=now,
            state=sight.state,
            status=sight.status,
            size=sight.size,
            added=sight.added,
            removed=sight.removed,
            problem=sight.problem,
        )
    )
    session.flush()
    oldest = (
        select(MonitorCheck.id)
        .where(MonitorCheck.monitor_id == row.id)
        .order_by(MonitorCheck.id.desc())
        .offset(CHECKS_KEPT - 1)
        .limit(1)
        .scalar_subquery()
    )
    session.execute(
        delete(MonitorCheck)
        .where(MonitorCheck.monitor_id == row.id, MonitorCheck.id < oldest)
        .execution_options(synchronize_session=False)
    )
