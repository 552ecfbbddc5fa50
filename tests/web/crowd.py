"""One of everything the pages show, with one text wherever somebody else can write."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from canary.domain.identifiers import BaitValues
from canary.services.uploads import keep_upload
from canary.storage.tables import (
    Alert,
    ApiKey,
    AuditEntry,
    Delivery,
    Endpoint,
    ExpectedSighting,
    Incident,
    Invitation,
    MonitorCheck,
    Rematch,
    RevealRequest,
    RoutingRule,
    SavedView,
    User,
)
from canary.storage.vault import sha256
from tests.web.building import NOW, Builder

Examples = Mapping[str, Mapping[str, object]]

# Answers to machines, downloads, and what only a form leads to.
NO_PAGES = frozenset(
    {
        "static",
        "hooks.receive",
        "health.live",
        "health.ready",
        "health.metrics",
        "reference.document",
        "incidents.raw",
        "importing.rejects",
        "batches.plan_file",
        "account.give_code",
        "account.sign_in",
    }
)


def list_pages(app: Flask, examples: Examples) -> dict[str, str]:
    """Return the address of every page by its endpoint, straight from the route table.

    A new page with something in its address fails here until `examples` has one for it.
    """
    pages = {}
    for rule in _list_rules(app):
        given = examples.get(rule.endpoint, {})
        missing = rule.arguments - set(given)
        assert not missing, f"give {rule.endpoint} an example of {missing} in tests/web/crowd.py"
        built = rule.build(dict(given), append_unknown=False)
        assert built is not None
        pages[rule.endpoint] = built[1]
    return pages


def list_plain_pages(app: Flask) -> list[str]:
    """Return the address of every page that is not about one thing."""
    return [rule.rule for rule in _list_rules(app) if not rule.arguments]


def _list_rules(app: Flask) -> list[Rule]:
    with app.test_request_context():
        return [
            rule
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ())
            and rule.endpoint not in NO_PAGES
            and not rule.endpoint.startswith("exports.")
        ]


def add_one(build: Builder, number: int, text: str, viewer_id: int = 1) -> Examples:
    """Add one of everything and return the addresses' parts of every page about one thing."""
    source = build.source(f"BAD-{number}", text[:200], contact=text)
    values = BaitValues(number=text[:60], name=text[:60], phone=text[:30], city=text)
    phone = build.phone(f"1934027{number:04d}", text[:120])
    batch = build.batch(f"{number} {text}"[:120])
    bait = build.bait(batch, source, values=values, phone_id=phone.id)
    incident = build.incident(source, result=_tell(source.code, text))
    reporter = build.reporter(f"by {number} {text}"[:80], last_post_at=None)
    sighting = build.sighting(
        reporter,
        incident,
        f"before {text} after",
        [(bait, "before", "number")],
        venue=text,
        title=text,
        url=text,
        sender=text,
    )
    _add_people(build, number, text, bait.id, viewer_id)
    _add_work(build, number, text, incident.id)
    monitor = _add_monitor(build, number, text)
    scan = _keep(build, "scan", text, f"seen: {text}")
    table = _keep(build, "sources", text, f"code,name,kind\nNEW-{number},{text},outlet\n")
    return {
        "incidents.show": {"incident_id": incident.id},
        "incidents.sighting": {"ref": sighting.ref},
        "sources.show": {"code": source.code},
        "baits.show": {"ref": bait.ref},
        "scan.show": {"ref": scan},
        "importing.start": {"kind": "sources"},
        "importing.show": {"kind": "sources", "ref": table},
        "batches.show": {"batch_id": batch.id},
        # Its name is part of an address, so that `add_reporter` takes none but plain ones.
        "monitors.show": {"name": monitor},
        "monitors.edit": {"name": monitor},
        "reporters.show": {"name": build.reporter(f"gate-{number}").name},
    }


def _tell(code: str, text: str) -> dict[str, Any]:
    words = {"headline": text, "reasons": [text], "exclusions": [text], "settle": [text]}
    return {
        "posteriors": {text[:60]: 0.5, code: 0.98},
        "p_no_leak": 0.02,
        "excluded": {text[:60]: text[:60]},
        "explanations": {"en": words, "zh": words},
    }


def _keep(build: Builder, purpose: str, text: str, body: str) -> str:
    from types import SimpleNamespace

    sender: Any = SimpleNamespace(name=text[:120])
    with build.database.write() as session:
        return keep_upload(
            session,
            build.vault,
            body.encode("utf-8", "replace"),
            purpose=purpose,
            name=text,
            viewer=sender,
            now=NOW,
        )


def _add_monitor(build: Builder, number: int, text: str) -> str:
    """Add one whose every text is somebody's, as its site may have sent it."""
    row = build.monitor(
        f"watch-{number}",
        f"https://example.org/{number}",
        selector=text[:200],
        charset=text[:40],
        venue=text[:200],
        basis=text[:200],
        robots_override=text[:200],
        state="lost",
        failures=3,
        last_error=text[:200],
    )
    check = MonitorCheck(monitor_id=row.id, at=NOW, state="lost", status=200, problem=text[:200])
    with build.database.write() as session:
        session.add(check)
    return f"watch-{number}"


def _add_people(build: Builder, number: int, text: str, bait_id: int, viewer_id: int) -> None:
    who, later = f"{number} {text}"[:120], NOW + timedelta(hours=9)
    with build.database.write() as session:
        session.add_all(
            [
                User(name=who, password_hash="none", role="analyst", created_at=NOW),
                Invitation(
                    digest=sha256(b"invitation %d" % number),
                    name=who,
                    role="partner",
                    created_by=who,
                    created_at=NOW,
                    expires_at=later,
                ),
                ApiKey(
                    ref=f"K-{number}",
                    name=who,
                    digest=sha256(b"key %d" % number),
                    scopes=["audit:read", text[:40]],
                    created_by=who,
                    created_at=NOW,
                ),
                RevealRequest(
                    bait_id=bait_id, asked_by=who, asked_at=NOW, reason=text, expires_at=later
                ),
                SavedView(
                    user_id=viewer_id,
                    name=f"{number} {text}"[:60],
                    query="state:all",
                    is_shared=True,
                    created_at=NOW,
                ),
                AuditEntry(
                    at=NOW,
                    actor=who,
                    action=text[:80],
                    subject=text[:200],
                    reason=text,
                    details={text[:30]: text},
                ),
            ]
        )


def _add_work(build: Builder, number: int, text: str, incident_id: int) -> None:
    endpoint = Endpoint(
        name=f"{number} {text}"[:80],
        format=text[:40],
        sealed_config=b"",
        lang="zh",
        created_at=NOW,
        timezone=text[:64],
    )
    alert = Alert(
        ref=f"alert-{number}",
        type="incident.opened",
        incident_id=incident_id,
        revision=number + 9,
        data={},
        created_at=NOW,
    )
    with build.database.write() as session:
        session.add_all([endpoint, alert])
        session.flush()
        session.add_all(
            [
                Delivery(
                    alert_id=alert.id,
                    endpoint_id=endpoint.id,
                    state="dead",
                    due_at=NOW,
                    last_status=500,
                    last_answer=text,
                ),
                RoutingRule(
                    endpoint_id=endpoint.id,
                    region=text[:12],
                    created_by=text[:120],
                    created_at=NOW,
                ),
                ExpectedSighting(
                    reason=text[:200],
                    kind="sms",
                    sender=text[:200],
                    venue=text[:200],
                    begins_at=NOW,
                    expires_at=NOW + timedelta(days=9),
                    created_by=text[:120],
                    created_at=NOW,
                ),
                Rematch(
                    reason=text[:200],
                    state="done",
                    since=NOW,
                    cursor_id=0,
                    total=1,
                    requested_by=text[:120],
                    created_at=NOW,
                ),
            ]
        )
        incident = session.get_one(Incident, incident_id)
        incident.decided_by, incident.decision_reason, incident.decided_at = text[:120], text, NOW
        incident.acknowledged_by, incident.acknowledged_at = text[:120], NOW
