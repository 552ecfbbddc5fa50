"""The rows this application keeps. Every constraint has a name.

Columns called `sealed…` hold AES-GCM envelopes made by `canary.storage.vault`; columns called
`…key` hold keyed digests (HMAC) of canonical values, so that a value can be found but not read.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from canary.storage.types import Json, UtcDateTime

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = BigInteger().with_variant(Integer(), "sqlite")


class Row(DeclarativeBase):
    """Base of all rows."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json}


def _identity() -> Mapped[int]:
    return mapped_column(BigId, Identity(), primary_key=True)


class Note(Row):
    """A single fact about this database: sealed check value, counters, flags."""

    __tablename__ = "notes"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


# People


class User(Row):
    """Somebody who signs in."""

    __tablename__ = "users"

    id: Mapped[int] = _identity()
    name: Mapped[str] = mapped_column(String(120), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20))
    lang: Mapped[str | None] = mapped_column(String(8))
    timezone: Mapped[str | None] = mapped_column(String(64))
    is_active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    refused_until: Mapped[datetime | None]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
    sealed_totp: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_since: Mapped[datetime | None]
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    recovery_digests: Mapped[list[Any]] = mapped_column(default=list)


class Invitation(Row):
    """That somebody may join; the link holds a random reference, the row its digest."""

    __tablename__ = "invitations"

    id: Mapped[int] = _identity()
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str] = mapped_column(String(120), index=True)
    role: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    lang: Mapped[str | None] = mapped_column(String(8))
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    source: Mapped["Source | None"] = relationship()


class SignIn(Row):
    """One signed-in browser; the cookie holds a random reference, the row its digest.

    `awaits_code`: the password was right, the second factor is still to come.
    """

    __tablename__ = "sign_ins"

    id: Mapped[int] = _identity()
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    address: Mapped[str | None] = mapped_column(String(64))
    agent: Mapped[str | None] = mapped_column(String(255))
    awaits_code: Mapped[bool] = mapped_column(default=False)

    user: Mapped[User] = relationship(lazy="joined")


class ApiKey(Row):
    """A key of a program; the caller holds the secret, the row its digest."""

    __tablename__ = "api_keys"

    id: Mapped[int] = _identity()
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    scopes: Mapped[list[Any]]
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(120))


class AuditEntry(Row):
    """Who did what to which thing, and why; never changed."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = _identity()
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(200), index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


# Seeding and planting


class Source(Row):
    """A party or interface that holds waybill data and could let it out."""

    __tablename__ = "sources"

    id: Mapped[int] = _identity()
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"), index=True)
    region: Mapped[str | None] = mapped_column(String(12))
    carriers: Mapped[list[Any]] = mapped_column(default=list)
    daily_parcels: Mapped[int | None]
    stage: Mapped[str | None] = mapped_column(String(20))
    contact: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    parent: Mapped["Source | None"] = relationship(remote_side="Source.id")


class Phone(Row):
    """A number the operator owns; receives what is sent to a bait."""

    __tablename__ = "phones"

    id: Mapped[int] = _identity()
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    number_key: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    sealed_number: Mapped[bytes] = mapped_column(LargeBinary)
    label: Mapped[str | None] = mapped_column(String(120))
    gateway: Mapped[str | None] = mapped_column(String(120))
    owned_since: Mapped[datetime | None]
    previous_use: Mapped[str | None] = mapped_column(Text)
    burn_in_days: Mapped[int] = mapped_column(default=0)
    is_control: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class NumberRange(Row):
    """Numbers of a carrier that are never used, or that the carrier reserved or voided for us.

    The range itself is sealed (first and last number): voided numbers are bait values.
    """

    __tablename__ = "number_ranges"
    __table_args__ = (CheckConstraint("use IN ('never','reserved','voided')", name="use"),)

    id: Mapped[int] = _identity()
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    carrier: Mapped[str] = mapped_column(String(20), index=True)
    use: Mapped[str] = mapped_column(String(12))
    range_key: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    sealed_range: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)
    used: Mapped[int] = mapped_column(BigInteger, default=0)
    until: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]


class Batch(Row):
    """Baits planned and made together."""

    __tablename__ = "batches"

    id: Mapped[int] = _identity()
    name: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    plan: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(120))
    finished_at: Mapped[datetime | None]


class Bait(Row):
    """One adopted synthetic waybill and its life; its values are in one sealed envelope."""

    __tablename__ = "baits"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft','issued','planted','live','burned','retired')", name="state"
        ),
        Index("ix_baits_state", "state", "is_control"),
        Index("ix_baits_batch", "batch_id", "state"),
    )

    id: Mapped[int] = _identity()
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    carrier: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    is_control: Mapped[bool] = mapped_column(default=False)
    sealed_values: Mapped[bytes] = mapped_column(LargeBinary)
    phone_id: Mapped[int | None] = mapped_column(ForeignKey("phones.id"), index=True)
    goods: Mapped[str] = mapped_column(String(120))
    weight_g: Mapped[int]
    origin: Mapped[str] = mapped_column(String(12))
    destination: Mapped[str] = mapped_column(String(12))
    sender_name: Mapped[str] = mapped_column(String(120))
    ordered_at: Mapped[datetime | None]
    issued_at: Mapped[datetime]
    planted_at: Mapped[datetime | None]
    live_at: Mapped[datetime | None]
    burned_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class RevealRequest(Row):
    """That somebody wants to see a bait in clear; somebody else must agree first."""

    __tablename__ = "reveal_requests"

    id: Mapped[int] = _identity()
    bait_id: Mapped[int] = mapped_column(ForeignKey("baits.id"), index=True)
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    answered_by: Mapped[str | None] = mapped_column(String(120))
    answered_at: Mapped[datetime | None]
    is_agreed: Mapped[bool] = mapped_column(default=False)
    shown_at: Mapped[datetime | None]

    bait: Mapped[Bait] = relationship()


class Identifier(Row):
    """A keyed digest under which a bait can be found.

    `kind` is the key's family: `number` keys are unique over all baits ever made.
    """

    __tablename__ = "identifiers"
    __table_args__ = (
        Index(
            "uq_identifiers_number",
            "value_key",
            unique=True,
            sqlite_where=text("kind = 'number'"),
            postgresql_where=text("kind = 'number'"),
        ),
        # One tree instead of two: a million baits have ten million digests.
        {"sqlite_with_rowid": False},
    )

    value_key: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    bait_id: Mapped[int] = mapped_column(ForeignKey("baits.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))


class Placement(Row):
    """A bait put at one source, by a route of delivery, for a period.

    `route` is `sheet`, `push`, or `local` for what never enters a system that ancestors can query.
    `fields` are the levels an exposure shows, by name, where they are not all full.
    """

    __tablename__ = "placements"

    id: Mapped[int] = _identity()
    bait_id: Mapped[int] = mapped_column(ForeignKey("baits.id", ondelete="CASCADE"), unique=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"), index=True)
    route: Mapped[str] = mapped_column(String(40))
    fields: Mapped[dict[str, Any] | None]
    handed_over_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None] = mapped_column(String(120))
    ended_at: Mapped[datetime | None]

    bait: Mapped[Bait] = relationship()
    source: Mapped[Source] = relationship()


class Exposure(Row):
    """That a source (or a reader) could see a bait, from when, and how much of it.

    Visibility per field: 0 none, 1 masked, 2 full. What ancestors can query is not stored: it
    follows from the placement and the source tree.
    """

    __tablename__ = "exposures"
    __table_args__ = (
        # A constraint over both columns would never hold anything: one of them is always NULL.
        Index(
            "uq_exposures_source",
            *("bait_id", "source_id", "origin", "since"),
            unique=True,
            sqlite_where=text("source_id IS NOT NULL"),
            postgresql_where=text("source_id IS NOT NULL"),
        ),
        Index(
            "uq_exposures_reader",
            *("bait_id", "reader", "origin", "since"),
            unique=True,
            sqlite_where=text("reader IS NOT NULL"),
            postgresql_where=text("reader IS NOT NULL"),
        ),
        Index(
            "ix_exposures_custody",
            "id",
            sqlite_where=text("origin = 'custody'"),
            postgresql_where=text("origin = 'custody'"),
        ),
        CheckConstraint("(source_id IS NULL) <> (reader IS NULL)", name="one_who"),
    )

    id: Mapped[int] = _identity()
    bait_id: Mapped[int] = mapped_column(ForeignKey("baits.id", ondelete="CASCADE"), index=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"), index=True)
    reader: Mapped[str | None] = mapped_column(String(120))
    origin: Mapped[str] = mapped_column(String(12))
    number: Mapped[int] = mapped_column(SmallInteger, default=2)
    name: Mapped[int] = mapped_column(SmallInteger, default=2)
    phone: Mapped[int] = mapped_column(SmallInteger, default=2)
    address: Mapped[int] = mapped_column(SmallInteger, default=2)
    since: Mapped[datetime]
    until: Mapped[datetime | None]


# Inbox


class Reporter(Row):
    """Who posts to us; has secrets and a class."""

    __tablename__ = "reporters"

    id: Mapped[int] = _identity()
    name: Mapped[str] = mapped_column(String(80), unique=True)
    format: Mapped[str] = mapped_column(String(40))
    channel_class: Mapped[str] = mapped_column(String(20))
    sealed_secrets: Mapped[bytes] = mapped_column(LargeBinary)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    is_active: Mapped[bool] = mapped_column(default=True)
    rhythm_seconds: Mapped[int | None]
    last_post_at: Mapped[datetime | None]
    last_heartbeat_at: Mapped[datetime | None]
    silence_told_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class InboxPost(Row):
    """One post as received: bytes, digest, where triage stands with it."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("reporter_id", "post_key"),
        Index("ix_inbox_due", "state", "lease_until"),
        CheckConstraint("state IN ('waiting','done','dead')", name="state"),
    )

    id: Mapped[int] = _identity()
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("reporters.id"))
    post_key: Mapped[str] = mapped_column(String(80))
    received_at: Mapped[datetime] = mapped_column(index=True)
    method: Mapped[str] = mapped_column(String(8))
    sealed_request: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_body: Mapped[bytes] = mapped_column(LargeBinary)
    body_size: Mapped[int]
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    content_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    sealed_reports: Mapped[bytes | None] = mapped_column(LargeBinary)
    grade: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)

    reporter: Mapped[Reporter] = relationship()


class Drill(Row):
    """One marked message sent through a reporter's public address, and how far it came."""

    __tablename__ = "drills"

    id: Mapped[int] = _identity()
    reporter_id: Mapped[int] = mapped_column(ForeignKey("reporters.id"), index=True)
    code_key: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    created_by: Mapped[str] = mapped_column(String(120))
    sent_at: Mapped[datetime]
    status: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    triaged_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(200))

    reporter: Mapped[Reporter] = relationship()


class Monitor(Row):
    """A page or feed that we look at ourselves; its name, class and switch are its reporter's.

    The address is sealed with the headers sent along: a listing's address may hold a session or a
    bait. `row_keys` are keyed digests of the rows seen last time, eight bytes each; `changes`
    counts what was taken in, so that a check that is repeated after a crash takes nothing twice.
    """

    __tablename__ = "monitors"
    __table_args__ = (
        Index("ix_monitors_due", "due_at"),
        CheckConstraint("kind IN ('page','feed')", name="kind"),
    )

    id: Mapped[int] = _identity()
    reporter_id: Mapped[int] = mapped_column(ForeignKey("reporters.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    sealed_address: Mapped[bytes] = mapped_column(LargeBinary)
    host_key: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    rhythm_minutes: Mapped[int]
    selector: Mapped[str | None] = mapped_column(String(200))
    charset: Mapped[str | None] = mapped_column(String(40))
    venue: Mapped[str] = mapped_column(String(200))
    basis: Mapped[str] = mapped_column(String(200))
    robots_override: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(200))
    etag: Mapped[str | None] = mapped_column(String(200))
    last_modified: Mapped[str | None] = mapped_column(String(80))
    content_key: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    row_keys: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    changes: Mapped[int] = mapped_column(default=0)
    pause_seconds: Mapped[int] = mapped_column(default=0)
    last_checked_at: Mapped[datetime | None]
    last_changed_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    reporter: Mapped[Reporter] = relationship(lazy="joined", innerjoin=True)


class MonitorCheck(Row):
    """One look at a monitor's address; the last ones are kept."""

    __tablename__ = "monitor_checks"
    __table_args__ = (Index("ix_monitor_checks_monitor", "monitor_id", "id"),)

    id: Mapped[int] = _identity()
    monitor_id: Mapped[int] = mapped_column(ForeignKey("monitors.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    status: Mapped[int | None]
    size: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(String(200))


# Sightings and incidents


class Incident(Row):
    """What a person reviews; gathers the sightings of one leak."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index(
            "uq_incidents_open_scope",
            "scope",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        CheckConstraint("state IN ('open','confirmed','dismissed','merged')", name="state"),
    )

    id: Mapped[int] = _identity()
    scope: Mapped[str] = mapped_column(String(80))
    scope_source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    verdict: Mapped[str] = mapped_column(String(20))
    confidence: Mapped[float] = mapped_column(default=0.0)
    named: Mapped[list[Any]] = mapped_column(default=list)
    revision: Mapped[int] = mapped_column(default=0)
    sighting_count: Mapped[int] = mapped_column(default=0)
    evidence_version: Mapped[int] = mapped_column(default=0)
    attributed_version: Mapped[int] = mapped_column(default=0)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))
    opened_at: Mapped[datetime]
    last_sighting_at: Mapped[datetime] = mapped_column(index=True)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decision_reason: Mapped[str | None] = mapped_column(Text)
    told: Mapped[dict[str, Any]] = mapped_column(default=dict)
    told_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(120))
    snoozed_version: Mapped[int | None]
    snoozed_until: Mapped[datetime | None]
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    version: Mapped[int] = mapped_column(default=1)

    scope_source: Mapped[Source | None] = relationship()
    assignee: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}


class SavedView(Row):
    """A search of the queue that somebody keeps under a name, for themselves or for everybody."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = _identity()
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(300))
    is_shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class ExpectedSighting(Row):
    """A scoped rule that a sighting is no news; it always ends, and counts what it took."""

    __tablename__ = "expected_sightings"

    id: Mapped[int] = _identity()
    reason: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("reporters.id"))
    sender: Mapped[str | None] = mapped_column(String(200))
    venue: Mapped[str | None] = mapped_column(String(200))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    begins_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]

    reporter: Mapped[Reporter | None] = relationship()
    source: Mapped[Source | None] = relationship()


class Sighting(Row):
    """Our belief that something was seen, when by our clock, and at which venue.

    `filed_as` says why one is in no incident: `expected`, `echo` of an own alert, `heartbeat`,
    `drill`. `part_key` is shared by the parts of one long message.
    """

    __tablename__ = "sightings"
    __table_args__ = (
        UniqueConstraint("inbox_id", "ordinal"),
        Index("ix_sightings_seen_at", "seen_at", "incident_id"),
        Index("ix_sightings_kind", "kind", "record_count"),
        Index("ix_sightings_venue", "venue", "incident_id"),
    )

    id: Mapped[int] = _identity()
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"))
    ordinal: Mapped[int]
    reporter_id: Mapped[int] = mapped_column(ForeignKey("reporters.id"), index=True)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    channel_class: Mapped[str] = mapped_column(String(20))
    grade: Mapped[str] = mapped_column(String(12))
    venue: Mapped[str] = mapped_column(String(200))
    sealed_report: Mapped[bytes] = mapped_column(LargeBinary)
    text_key: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    phone_id: Mapped[int | None] = mapped_column(ForeignKey("phones.id"), index=True)
    seen_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    basis: Mapped[str] = mapped_column(String(40))
    record_count: Mapped[int] = mapped_column(default=1)
    filed_as: Mapped[str | None] = mapped_column(String(12), index=True)
    expected_id: Mapped[int | None] = mapped_column(ForeignKey("expected_sightings.id"), index=True)
    part_key: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    part_number: Mapped[int | None] = mapped_column(SmallInteger)
    part_total: Mapped[int | None] = mapped_column(SmallInteger)

    reporter: Mapped[Reporter] = relationship()
    phone: Mapped[Phone | None] = relationship()
    matches: Mapped[list["Match"]] = relationship(back_populates="sighting")


class TextGram(Row):
    """That a sighting's text holds one of the short runs of characters that share a keyed bucket.

    Buckets are 16 bits of an HMAC, so that many runs share one and a copied table spells out no
    text; `services.detection.textindex` fills them. No foreign key: it would cost a look-up for
    each of a hundred rows a message, and a row left behind finds nothing.
    """

    __tablename__ = "text_grams"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bucket: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sighting_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)


class Match(Row):
    """An identifier of a bait found in a sighting: where, how, how likely by chance.

    `kind` is `number`, `phone`, `name`, `address`, or `arrival` (the message reached a bait
    phone; then the span is empty). Positions are code points in the sighting's text.
    """

    __tablename__ = "matches"
    __table_args__ = (UniqueConstraint("sighting_id", "bait_id", "kind", "start"),)

    id: Mapped[int] = _identity()
    sighting_id: Mapped[int] = mapped_column(
        ForeignKey("sightings.id", ondelete="CASCADE"), index=True
    )
    bait_id: Mapped[int] = mapped_column(ForeignKey("baits.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    form: Mapped[str] = mapped_column(String(12))
    level: Mapped[str] = mapped_column(String(12))
    start: Mapped[int]
    end: Mapped[int]
    record_start: Mapped[int]
    record_end: Mapped[int]
    disguises: Mapped[list[Any]] = mapped_column(default=list)
    agreeing: Mapped[list[Any]] = mapped_column(default=list)
    rule: Mapped[str] = mapped_column(String(80))
    chance: Mapped[float]

    sighting: Mapped[Sighting] = relationship(back_populates="matches")
    bait: Mapped[Bait] = relationship()


class Rematch(Row):
    """Stored sightings matched again, because baits came late or a rule changed.

    Walks back from `cursor_id` to what was seen before `since`; `done` of `total` counts them.
    """

    __tablename__ = "rematches"
    __table_args__ = (
        CheckConstraint("state IN ('waiting','done')", name="state"),
        Index(
            "uq_rematches_waiting",
            "state",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = _identity()
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    since: Mapped[datetime]
    cursor_id: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    found: Mapped[int] = mapped_column(default=0)
    requested_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]


class Upload(Row):
    """A file or text that somebody looks at before anything is made of it; it goes after a week.

    `purpose` is `scan`, or the kind of table that is to be imported; `done_as` says what was made.
    """

    __tablename__ = "uploads"

    id: Mapped[int] = _identity()
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    purpose: Mapped[str] = mapped_column(String(12), index=True)
    name: Mapped[str] = mapped_column(String(200))
    sealed_body: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(index=True)
    done_as: Mapped[str | None] = mapped_column(String(80))


class AttributionRecord(Row):
    """One version of an incident's attribution with all it was computed from."""

    __tablename__ = "attributions"
    __table_args__ = (UniqueConstraint("incident_id", "revision"),)

    id: Mapped[int] = _identity()
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    revision: Mapped[int]
    created_at: Mapped[datetime]
    rule_version: Mapped[str] = mapped_column(String(40))
    verdict: Mapped[str] = mapped_column(String(20))
    result: Mapped[dict[str, Any]]
    sealed_world: Mapped[bytes] = mapped_column(LargeBinary)
    world_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))


# Outbox


class Endpoint(Row):
    """Where alerts go."""

    __tablename__ = "endpoints"

    id: Mapped[int] = _identity()
    name: Mapped[str] = mapped_column(String(80), unique=True)
    format: Mapped[str] = mapped_column(String(40))
    sealed_config: Mapped[bytes] = mapped_column(LargeBinary)
    lang: Mapped[str] = mapped_column(String(8))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_until: Mapped[str | None] = mapped_column(String(5))
    digest: Mapped[str] = mapped_column(String(8), default="none")
    digested_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    failing_told_at: Mapped[datetime | None]
    rests_until: Mapped[datetime | None]


class RoutingRule(Row):
    """That one endpoint hears of what meets every condition given."""

    __tablename__ = "routing_rules"

    id: Mapped[int] = _identity()
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id"), index=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    source_kind: Mapped[str | None] = mapped_column(String(20))
    sighting_kind: Mapped[str | None] = mapped_column(String(20))
    region: Mapped[str | None] = mapped_column(String(12))
    least_verdict: Mapped[str | None] = mapped_column(String(20))
    lang: Mapped[str | None] = mapped_column(String(8))
    after_minutes: Mapped[int | None]
    created_by: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]

    endpoint: Mapped[Endpoint] = relationship()
    source: Mapped[Source | None] = relationship()


class Alert(Row):
    """The message that an incident opened or changed; its `ref` is the id receivers see."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("incident_id", "type", "revision"),)

    id: Mapped[int] = _identity()
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    type: Mapped[str] = mapped_column(String(40))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    revision: Mapped[int]
    data: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(index=True)


class Delivery(Row):
    """The attempts to bring one alert to one endpoint."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("alert_id", "endpoint_id"),
        Index("ix_deliveries_due", "state", "due_at"),
        CheckConstraint("state IN ('waiting','done','dead')", name="state"),
    )

    id: Mapped[int] = _identity()
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id"), index=True)
    lang: Mapped[str | None] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_answer: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None]

    alert: Mapped[Alert] = relationship()
    endpoint: Mapped[Endpoint] = relationship()
