"""Know the messages that only say that a channel works: heartbeats, tests, and our own drills."""

import re
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from canary.services.detection.finding import Finding
from canary.services.inbox.intake import HEARTBEAT_OPTION
from canary.services.inbox.reporters import open_secrets
from canary.storage.tables import Drill, InboxPost, Reporter
from canary.storage.vault import Vault

# Longer texts say something.
LONGEST_HEARTBEAT = 80
_DRILL = re.compile(r"\bcanary-drill-([0-9a-f]{24})\b")
_HEARTBEAT = re.compile(
    r"\W{0,4}(?:canary[ _-]?)?(?:heartbeat|心跳|测试|ping\b|test(?:ing)?\b)", re.IGNORECASE
)


def text_of_drill(code: str) -> str:
    """Return the text of a drill."""
    return f"canary-drill-{code} 通路演练，请忽略 (a drill of the path, please ignore)"


def key_of_drill(vault: Vault, code: str) -> bytes:
    """Return the keyed digest under which a drill's code is kept."""
    return vault.digest(f"drill:{code}")


def read_sign(
    session: Session, vault: Vault, post: InboxPost, finding: Finding, now: datetime
) -> str | None:
    """Tell what only says that the channel works: `drill`, `heartbeat`, or None for the rest.

    A drill's code is drawn for one reporter and counts once; a heartbeat to a bait's phone needs
    the phrase agreed with its reporter. So nobody can stamp what shall be overlooked, and a text
    with a bait in it is never taken for a sign.
    """
    if finding.matches:
        return None
    text = finding.report.text
    found = _DRILL.search(text[:4000])
    if found and _end_drill(session, vault, post, found[1], now):
        return "drill"
    if len(text) > LONGEST_HEARTBEAT or not _is_heartbeat(vault, post.reporter, finding):
        return None
    post.reporter.last_heartbeat_at = post.received_at
    return "heartbeat"


def _is_heartbeat(vault: Vault, reporter: Reporter, finding: Finding) -> bool:
    phrase = open_secrets(vault, reporter).options.get(HEARTBEAT_OPTION)
    if isinstance(phrase, str) and phrase and phrase in finding.report.text:
        return True
    is_arrival = finding.arrival is not None and bool(finding.arrival.bait_ids)
    return not is_arrival and _HEARTBEAT.match(finding.report.text) is not None


def _end_drill(session: Session, vault: Vault, post: InboxPost, code: str, now: datetime) -> bool:
    drill = session.scalar(
        select(Drill).where(
            Drill.code_key == key_of_drill(vault, code),
            Drill.reporter_id == post.reporter_id,
            Drill.triaged_at.is_(None),
        )
    )
    if drill is None:
        return False
    drill.triaged_at = now
    # A drill proves our side of the path; that the device still posts, only the device can.
    post.reporter.last_post_at = session.scalar(
        select(func.max(InboxPost.received_at)).where(
            InboxPost.reporter_id == post.reporter_id, InboxPost.id != post.id
        )
    )
    return True
