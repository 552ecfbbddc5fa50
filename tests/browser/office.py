"""What stands around the story: people, keys, endpoints, phones, a scan and an import begun."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from canary.services.uploads import keep_upload
from canary.storage.tables import (
    Alert,
    ApiKey,
    AuditEntry,
    Bait,
    Delivery,
    Endpoint,
    ExpectedSighting,
    Invitation,
    MonitorCheck,
    RevealRequest,
    RoutingRule,
    SavedView,
    Source,
    User,
)
from canary.storage.vault import sha256
from tests.browser.story import Story
from tests.web.building import NOW, Builder
from tests.web.crowd import Examples

IMPORT = """\
code,name,kind,parent,region
3301-09,杭州下沙网点,outlet,R-3301,330114
3301-10,杭州临平网点,outlet,R-NONE,330113
3301-01,杭州城东网点（新）,outlet,R-3301,330102
"""


def furnish(build: Builder, story: Story) -> Examples:
    """Add the rest of an office and return the addresses' parts of the pages about one thing."""
    _add_people(build, story)
    _add_endpoints(build, story)
    _add_monitors(build)
    for number in range(1, 7):
        build.phone(f"1934027180{number}", f"杭州 SIM {number:02d}")
    scan = _keep(
        build, "scan", "群聊记录.txt", f"有人在卖 {story.number} 的单子\n尾号 1234，量大从优"
    )
    table = _keep(build, "sources", "网点名单.csv", IMPORT)
    return {
        "incidents.show": {"incident_id": story.named},
        "incidents.sighting": {"ref": story.sighting},
        "sources.show": {"code": story.outlet},
        "baits.show": {"ref": story.bait},
        "scan.show": {"ref": scan},
        "importing.start": {"kind": "sources"},
        "importing.show": {"kind": "sources", "ref": table},
        "batches.show": {"batch_id": story.batch_id},
        "reporters.show": {"name": "sms-gateway"},
        "monitors.show": {"name": "danhao-list"},
        "monitors.edit": {"name": "danhao-list"},
    }


def _keep(build: Builder, purpose: str, name: str, body: str) -> str:
    who: Any = SimpleNamespace(name="lin.wei")
    with build.database.write() as session:
        return keep_upload(
            session, build.vault, body.encode(), purpose=purpose, name=name, viewer=who, now=NOW
        )


def _add_people(build: Builder, story: Story) -> None:
    with build.database.write() as session:
        outlet = session.query(Source).filter_by(code=story.outlet).one()
        bait = session.query(Bait).filter_by(ref=story.bait).one()
        chen = User(
            name="chen.yu",
            password_hash="none",
            role="analyst",
            created_at=NOW - timedelta(days=80),
            last_sign_in_at=NOW - timedelta(hours=3),
            totp_since=NOW - timedelta(days=70),
        )
        session.add(chen)
        session.flush()
        session.add_all(
            [
                User(
                    name="partner.hz",
                    password_hash="none",
                    role="partner",
                    source_id=outlet.id,
                    created_at=NOW - timedelta(days=40),
                ),
                User(
                    name="audit.zhao",
                    password_hash="none",
                    role="auditor",
                    is_active=False,
                    created_at=NOW - timedelta(days=90),
                ),
                Invitation(
                    digest=sha256(b"invitation"),
                    name="wu.min",
                    role="seeder",
                    created_by="lin.wei",
                    created_at=NOW,
                    expires_at=NOW + timedelta(days=3),
                ),
                ApiKey(
                    ref="K-7Q2M",
                    name="grafana",
                    digest=sha256(b"key"),
                    scopes=["metrics:read"],
                    created_by="lin.wei",
                    created_at=NOW - timedelta(days=20),
                    expires_at=NOW + timedelta(days=70),
                    last_used_at=NOW - timedelta(minutes=1),
                ),
                RevealRequest(
                    bait_id=bait.id,
                    asked_by="chen.yu",
                    asked_at=NOW - timedelta(minutes=20),
                    reason="网点负责人要求核对原始单号",
                    expires_at=NOW + timedelta(hours=23),
                ),
                SavedView(
                    user_id=chen.id,
                    name="待复核",
                    query="verdict:probable",
                    is_shared=True,
                    created_at=NOW,
                ),
            ]
        )
        for minutes, action, subject, reason in [
            (2900, "batch.issued", f"batch/{story.batch}", None),
            (150, "evidence.shown", f"incident/{story.named}", None),
            (21, "bait.reveal_asked", f"bait/{story.bait}", "网点负责人要求核对原始单号"),
            (9, "user.signed_in", "user/chen.yu", None),
        ]:
            session.add(
                AuditEntry(
                    at=NOW - timedelta(minutes=minutes),
                    actor="chen.yu",
                    action=action,
                    subject=subject,
                    reason=reason,
                    details={},
                )
            )


def _add_monitors(build: Builder) -> None:
    seen = {"basis": "公开页面，法务 2026-11 确认", "venue": "danhao.example"}
    address = "https://danhao.example/list?sid=1"
    listing = build.monitor(
        "danhao-list",
        address,
        selector="table.list",
        state="changed",
        last_checked_at=NOW - timedelta(minutes=4),
        last_changed_at=NOW - timedelta(minutes=4),
        **seen,
    )
    build.monitor(
        "forum-rss",
        "https://forum.example/rss",
        kind="feed",
        state="blocked",
        failures=4,
        last_error="it answered 403",
        last_checked_at=NOW - timedelta(minutes=50),
        **{**seen, "venue": "forum.example"},
    )
    looks = [
        (4, "changed", 200, 48_210, 6, 2, None),
        (14, "fine", 304, 0, 0, 0, None),
        (
            24,
            "lost",
            200,
            9_000,
            0,
            0,
            "the selector finds nothing any more: the page may have been redesigned",
        ),
    ]
    with build.database.write() as session:
        for minutes, state, status, size, added, removed, problem in reversed(looks):
            session.add(
                MonitorCheck(
                    monitor_id=listing.id,
                    at=NOW - timedelta(minutes=minutes),
                    state=state,
                    status=status,
                    size=size,
                    added=added,
                    removed=removed,
                    problem=problem,
                )
            )


def _add_endpoints(build: Builder, story: Story) -> None:
    chat = Endpoint(
        name="风控群",
        format="wecom",
        sealed_config=b"",
        lang="zh",
        created_at=NOW - timedelta(days=30),
        quiet_from="22:00",
        quiet_until="07:30",
    )
    hook = Endpoint(
        name="soc",
        format="standard",
        sealed_config=b"",
        lang="en",
        created_at=NOW - timedelta(days=30),
        failing_since=NOW - timedelta(hours=3),
    )
    alert = Alert(
        ref="alert-story",
        type="incident.opened",
        incident_id=story.named,
        revision=1,
        data={},
        created_at=NOW - timedelta(hours=3),
    )
    with build.database.write() as session:
        session.add_all([chat, hook, alert])
        session.flush()
        session.add_all(
            [
                Delivery(
                    alert_id=alert.id,
                    endpoint_id=chat.id,
                    state="done",
                    attempts=1,
                    due_at=NOW - timedelta(hours=3),
                    finished_at=NOW - timedelta(hours=2, minutes=58),
                    last_status=200,
                ),
                Delivery(
                    alert_id=alert.id,
                    endpoint_id=hook.id,
                    state="dead",
                    attempts=9,
                    due_at=NOW - timedelta(hours=1),
                    finished_at=NOW - timedelta(hours=1),
                    last_status=503,
                    last_answer="upstream unavailable",
                ),
                RoutingRule(
                    endpoint_id=chat.id,
                    least_verdict="probable",
                    region="33",
                    created_by="lin.wei",
                    created_at=NOW - timedelta(days=30),
                ),
                ExpectedSighting(
                    reason="每周一次的链路演练",
                    kind="sms",
                    sender="10690000",
                    begins_at=NOW - timedelta(days=3),
                    expires_at=NOW + timedelta(days=27),
                    created_by="chen.yu",
                    created_at=NOW - timedelta(days=3),
                ),
            ]
        )
