"""Silence must be noticed: reporters that stopped posting, endpoints that stopped taking."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from canary.domain.alerts import AlertType
from canary.services.alerts.alerting import put_alert
from canary.storage.session import Database
from canary.storage.tables import Alert, Delivery, Endpoint, Monitor, Reporter

# Shorter troubles heal themselves and are no news.
FAILING_AFTER = timedelta(minutes=15)
TOLD_AT_MOST_EVERY = timedelta(minutes=15)
TOLD_AGAIN_AFTER = timedelta(hours=24)

_STATES = {
    "blocked": "被站点拦截",
    "lost": "页面上已找不到要读的部分，可能已改版",
    "unreachable": "无法访问",
    "refused": "robots.txt 不允许",
}

log = structlog.get_logger(__name__)


def tell_silent(database: Database, now: datetime) -> int:
    """Tell each reporter that is later than its rhythm, once for each silence; return how many."""
    with database.read() as session:
        late = [
            row
            for row in session.scalars(
                select(Reporter).where(Reporter.is_active, Reporter.rhythm_seconds.is_not(None))
            )
            if _is_late(row, now)
        ]
    told = 0
    for row in late:
        with database.write() as session:
            told += _tell_silent(session, row, now)
    return told


def _is_late(row: Reporter, now: datetime) -> bool:
    since = row.last_post_at or row.created_at
    is_told = row.silence_told_at is not None and row.silence_told_at >= since
    return not is_told and now - since > timedelta(seconds=row.rhythm_seconds or 0)


def _tell_silent(session: Session, row: Reporter, now: datetime) -> int:
    # Conditional on what was read: of two workers one tells it, and a late post takes it back.
    won = session.scalars(
        update(Reporter)
        .where(
            Reporter.id == row.id,
            _same(Reporter.silence_told_at, row.silence_told_at),
            _same(Reporter.last_post_at, row.last_post_at),
        )
        .values(silence_told_at=now)
        .returning(Reporter.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not won:
        return 0
    look = session.scalar(select(Monitor).where(Monitor.reporter_id == row.id))
    problem = look.last_error if look else None
    state = _STATES.get(look.state, look.state) if look else ""
    minutes = int((now - (row.last_post_at or row.created_at)).total_seconds() // 60)
    rhythm = (row.rhythm_seconds or 0) // 60
    data = {
        "reporter": row.name,
        "silent_minutes": minutes,
        "severity": "error",
        "by_lang": {
            "zh": {
                "title": f"上报方 {row.name} 已沉默",
                "lines": [
                    f"已有 {minutes} 分钟没有上报，约定间隔为 {rhythm} 分钟",
                    *([f"最近一次查看：{state}（{problem}）"] if problem else []),
                    "沉默不等于没有泄露。下一步：检查设备、网络与密钥",
                ],
            },
            "en": {
                "title": f"Reporter {row.name} is silent",
                "lines": [
                    f"No post for {minutes} minutes; one is due every {rhythm} minutes",
                    *([f"The last look: {problem}"] if problem else []),
                    "Silence is not safety. Next: check the device, its network and its secret",
                ],
            },
        },
    }
    put_alert(session, AlertType.REPORTER_SILENT, incident_id=None, revision=0, data=data, now=now)
    return 1


def tell_failing(database: Database, now: datetime) -> int:
    """Tell over the other endpoints which one does not take its messages; return how many.

    An endpoint is told when attempts have failed for FAILING_AFTER, when it made new dead
    letters, and again each day. It is never switched off.
    """
    with database.read() as session:
        failing = list_failing(session, now)
    told = 0
    for endpoint, dead in failing:
        with database.write() as session:
            told += _tell_failing(session, endpoint, dead, now)
    return told


def list_failing(session: Session, now: datetime) -> list[tuple[Endpoint, int]]:
    """List the endpoints to tell about, with their dead letters that were not told yet."""
    fresh = dict(
        session.execute(
            select(Delivery.endpoint_id, func.count())
            .join(Endpoint, Endpoint.id == Delivery.endpoint_id)
            .join(Alert, Alert.id == Delivery.alert_id)
            .where(Delivery.state == "dead", Alert.type != AlertType.DELIVERY_FAILING)
            .where(
                or_(
                    Endpoint.failing_told_at.is_(None),
                    Delivery.finished_at > Endpoint.failing_told_at,
                )
            )
            .group_by(Delivery.endpoint_id)
        ).all()
    )
    rows = session.scalars(select(Endpoint).where(Endpoint.is_active).order_by(Endpoint.id))
    return [(row, fresh.get(row.id, 0)) for row in rows if _is_due(row, fresh.get(row.id, 0), now)]


def _is_due(row: Endpoint, dead: int, now: datetime) -> bool:
    told, since = row.failing_told_at, row.failing_since
    if dead and (told is None or now - told >= TOLD_AT_MOST_EVERY):
        return True
    if since is None or now - since < FAILING_AFTER:
        return False
    return told is None or told < since or now - told >= TOLD_AGAIN_AFTER


def _tell_failing(session: Session, row: Endpoint, dead: int, now: datetime) -> int:
    won = session.scalars(
        update(Endpoint)
        .where(Endpoint.id == row.id, _same(Endpoint.failing_told_at, row.failing_told_at))
        .values(failing_told_at=now)
        .returning(Endpoint.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not won:
        return 0
    others = session.scalars(
        select(Endpoint.id).where(Endpoint.is_active, Endpoint.id != row.id)
    ).all()
    log.error("endpoint.failing", endpoint=row.name, dead=dead, second_channels=len(others))
    waiting = session.scalar(
        select(func.count(Delivery.id)).where(
            Delivery.endpoint_id == row.id, Delivery.state == "waiting"
        )
    )
    answer = session.scalar(
        select(Delivery.last_answer)
        .where(Delivery.endpoint_id == row.id, Delivery.last_answer.is_not(None))
        .where(Delivery.state != "done")
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    if others:
        data = _words_of_failing(row.name, dead, waiting or 0, (answer or "")[:200])
        put_alert(
            session,
            AlertType.DELIVERY_FAILING,
            incident_id=None,
            revision=0,
            data=data,
            now=now,
            only=others,
        )
    return 1


def _words_of_failing(name: str, dead: int, waiting: int, answer: str) -> dict[str, object]:
    return {
        "endpoint": name,
        "dead": dead,
        "waiting": waiting,
        "severity": "error",
        "by_lang": {
            "zh": {
                "title": f"告警送不到 {name}",
                "lines": [
                    f"等待重试 {waiting} 条，新增死信 {dead} 条；最近一次答复：{answer or '无'}",
                    "该端点仍在使用。下一步：修复后在“投递”页重新投递死信",
                ],
            },
            "en": {
                "title": f"Alerts do not reach {name}",
                "lines": [
                    f"{waiting} waiting, {dead} new dead letters; last answer: {answer or 'none'}",
                    "It stays switched on. Next: mend it, then redeliver the dead letters",
                ],
            },
        },
    }


def _same(
    column: InstrumentedAttribute[datetime | None], value: datetime | None
) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value
