"""Where alerts go: how each endpoint does, its quiet hours and digest, its secrets."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.domain.alerts import AlertType, Rhythm
from canary.domain.errors import Conflict, Invalid, NotFound
from canary.services.alerts.alerting import Route, Sender, Taken, get_route, place_of, put_alert
from canary.services.audit import record
from canary.storage.tables import Delivery, Endpoint
from canary.storage.vault import Vault
from webhooks.messages import Message

LIVE_SECRETS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLine:
    """An endpoint as it is shown."""

    name: str
    format: str
    lang: str
    is_active: bool
    digest: str
    quiet_from: str | None
    quiet_until: str | None
    timezone: str
    waiting: int
    dead: int
    failing_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """When an endpoint is told: its digest, its quiet hours (`22:00`, both or none), its zone."""

    digest: str = Rhythm.NONE
    quiet_from: str = ""
    quiet_until: str = ""
    timezone: str = "Asia/Shanghai"


def list_lines(session: Session) -> list[EndpointLine]:
    """List the endpoints by name with what waits and what is dead."""
    counts = {
        (endpoint_id, state): count
        for endpoint_id, state, count in session.execute(
            select(Delivery.endpoint_id, Delivery.state, func.count())
            .where(Delivery.state.in_(["waiting", "dead"]))
            .group_by(Delivery.endpoint_id, Delivery.state)
        )
    }
    return [
        EndpointLine(
            name=row.name,
            format=row.format,
            lang=row.lang,
            is_active=row.is_active,
            digest=row.digest,
            quiet_from=row.quiet_from,
            quiet_until=row.quiet_until,
            timezone=row.timezone,
            waiting=counts.get((row.id, "waiting"), 0),
            dead=counts.get((row.id, "dead"), 0),
            failing_since=row.failing_since,
        )
        for row in session.scalars(select(Endpoint).order_by(Endpoint.name))
    ]


def set_habits(session: Session, name: str, habits: Habits, *, actor: str, now: datetime) -> None:
    """Set when an endpoint is told. Raises NotFound, Invalid."""
    row = _get(session, name)
    if habits.digest not in list(Rhythm):
        raise Invalid("there is no such choice", field="digest", mend="none, daily or weekly")
    if bool(habits.quiet_from) != bool(habits.quiet_until):
        raise Invalid("quiet hours need both times", field="quiet", mend="or leave both empty")
    try:
        ZoneInfo(habits.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid("there is no such time zone", field="timezone") from error
    row.digest, row.timezone = habits.digest, habits.timezone
    row.quiet_from, row.quiet_until = _hour(habits.quiet_from), _hour(habits.quiet_until)
    record(session, actor, "endpoint.set", f"endpoint/{name}", now, digest=habits.digest)


def switch(session: Session, name: str, *, active: bool, actor: str, now: datetime) -> None:
    """Switch an endpoint on or off, and tell so to it and to all others. Raises NotFound.

    What waits for it is still brought there.
    """
    row = _get(session, name)
    if row.is_active == active:
        return
    row.is_active = True
    session.flush()
    put_alert(
        session,
        AlertType.ENDPOINT_CHANGED,
        incident_id=None,
        revision=0,
        data=_words_of_switch(name, actor, active=active),
        now=now,
    )
    row.is_active = active
    action = "endpoint.switched_on" if active else "endpoint.switched_off"
    record(session, actor, action, f"endpoint/{name}", now)


def rotate_secret(
    session: Session, vault: Vault, name: str, secret: str, *, actor: str, now: datetime
) -> None:
    """Sign with a new secret first and the last one beside. Raises NotFound, Conflict."""
    route = get_route(session, vault, name)
    if route.format != "standard":
        msg = "only endpoints of the standard format have two live secrets"
        raise Conflict(msg)
    kept = [secret, *route.config.get("secrets", ())][:LIVE_SECRETS]
    _reseal(session, vault, route, kept)
    record(session, actor, "endpoint.secret_added", f"endpoint/{name}", now)


def drop_old_secrets(
    session: Session, vault: Vault, name: str, *, actor: str, now: datetime
) -> None:
    """Sign with the newest secret only. Raises NotFound."""
    route = get_route(session, vault, name)
    _reseal(session, vault, route, list(route.config.get("secrets", ()))[:1])
    record(session, actor, "endpoint.secrets_dropped", f"endpoint/{name}", now)


def send_test(session: Session, vault: Vault, sender: Sender, name: str, *, now: datetime) -> Taken:
    """Send a marked test message now. Raises NotFound, DeliveryError."""
    route, lang = get_route(session, vault, name), _get(session, name).lang
    return sender.send(make_test_message(lang, now), route, now)


def make_test_message(lang: str, now: datetime) -> Message:
    """Make the message that tries an endpoint."""
    return Message(
        id=f"msg_{secrets.token_hex(12)}",
        type=AlertType.TEST,
        occurred_at=now,
        data={
            "title": "Waybill Canary: test / 测试",
            "lines": ["This is a test. 这是一条测试消息。"],
            "severity": "info",
        },
        lang=lang,
    )


def _get(session: Session, name: str) -> Endpoint:
    row = session.scalar(select(Endpoint).where(Endpoint.name == name))
    if row is None:
        msg = f"there is no endpoint {name!r}"
        raise NotFound(msg)
    return row


def _reseal(session: Session, vault: Vault, route: Route, kept: list[str]) -> None:
    config = {**route.config, "secrets": kept}
    _get(session, route.name).sealed_config = vault.seal(
        place_of(route.name), json.dumps(config).encode()
    )


def _hour(text: str) -> str | None:
    if not text:
        return None
    try:
        return time.fromisoformat(text).strftime("%H:%M")
    except ValueError as error:
        raise Invalid("this is not a time of day", field="quiet", mend="write 22:00") from error


def _words_of_switch(name: str, actor: str, *, active: bool) -> dict[str, object]:
    zh, en = ("启用", "on") if active else ("停用", "off")
    return {
        "endpoint": name,
        "active": active,
        "severity": "info" if active else "warning",
        "by_lang": {
            "zh": {
                "title": f"告警端点 {name} 已{zh}",
                "lines": [f"操作人：{actor}。如非本意，请立即联系管理员"],
            },
            "en": {
                "title": f"Endpoint {name} was switched {en}",
                "lines": [f"By {actor}. If this was not meant to be, tell an administrator now"],
            },
        },
    }
