"""What the receiving routes hand to the application, and the port they hand it through."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from webhooks.inbound.reading import Reader, Reply
from webhooks.reports import Grade, Post, Report
from webhooks.signing import ID_HEADER

IDEMPOTENCY_HEADER = "idempotency-key"
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterAccess:
    """Who may post and how it is proven.

    `secrets` are all live ones; `path_secret_digest` is the SHA-256 in hex of the secret path;
    `allowed_addresses` are networks, none meaning any; `stamp` is the application's own mark of
    what it knew the reporter by, handed back to it with every arrival.
    """

    id: str
    name: str
    format: str
    secrets: Sequence[str] = ()
    path_secret_digest: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    allowed_addresses: Sequence[str] = ()
    active: bool = True
    stamp: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A proven and readable post.

    A second arrival with the same `key` is a repeat when `digest` is the same too, and a
    conflict when it is not. `post` carries no secrets.
    """

    reporter_id: str
    key: str
    digest: str
    post: Post
    reports: tuple[Report, ...]
    grade: Grade
    reply: Reply
    stamp: bytes = b""


class Inbox(Protocol):
    """Keeps arrivals; implemented by the application."""

    def find_reporter(self, name: str) -> ReporterAccess | None:
        """Return the reporter of that name, or None; perhaps as remembered from an earlier call."""

    def forget(self, name: str) -> bool:
        """Forget what is remembered of a reporter; tell whether there was something."""

    def accept(self, arrival: Arrival) -> None:
        """Make the arrival durable, a repeat changing nothing.

        Raises InboxBusy, InboxConflict, and InboxStale when the reporter changed meanwhile.
        """

    def keep_dead(self, reporter: ReporterAccess, post: Post, reason: str, grade: Grade) -> None:
        """Keep a proven post that cannot be read; InboxBusy, InboxStale."""


def make_arrival(
    access: ReporterAccess, reader: Reader, post: Post, reports: Sequence[Report], grade: Grade
) -> Arrival:
    """Return the arrival under its key.

    The key is the first there is of: `webhook-id`, `Idempotency-Key`, the sender's id, the
    content key its reader gave, the digest of the post.
    """
    raw, said = _raw_digest(post), _said_digest(reports)
    given = (
        ("id", post.headers.get(ID_HEADER), raw),
        ("idem", post.headers.get(IDEMPOTENCY_HEADER), raw),
        # Some senders sign each attempt anew inside the body, so what is said is compared.
        ("msg", reader.message_id(post), said),
        ("msg", reports[0].message_id if len(reports) == 1 else None, said),
    )
    kind, key, digest = next((one for one in given if one[1]), ("raw", raw, raw))
    return Arrival(
        reporter_id=access.id,
        key=_short(f"{kind}:{key}"),
        digest=digest,
        post=post.without_secrets(),
        reports=tuple(reports),
        grade=grade,
        reply=reader.reply,
        stamp=access.stamp,
    )


def _raw_digest(post: Post) -> str:
    # A GET has all it says in its query.
    said = post.query.encode("utf-8", "replace") + b"\x00" + post.body
    return hashlib.sha256(said).hexdigest()


def _said_digest(reports: Sequence[Report]) -> str:
    said = hashlib.sha256()
    for report in reports:
        said.update(f"{report.kind}\0{report.text}\0{report.sender}\0{report.receiver}\0".encode())
    return said.hexdigest()


def _short(key: str) -> str:
    key = key.encode("utf-8", "replace").decode()
    if len(key) <= _LONGEST_KEY and key.isprintable():
        return key
    return "sha:" + hashlib.sha256(key.encode()).hexdigest()
