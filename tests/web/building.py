"""Rows for tests of pages, built directly."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from canary.domain.identifiers import BaitValues
from canary.services.access import create_user
from canary.services.detection.textindex import index_report
from canary.services.inbox.intake import Secrets, place_of
from canary.storage.session import Database
from canary.storage.tables import (
    AttributionRecord,
    Bait,
    Batch,
    Exposure,
    InboxPost,
    Incident,
    Match,
    Monitor,
    Phone,
    Placement,
    Reporter,
    Sighting,
    SignIn,
    Source,
    User,
)
from canary.storage.vault import Vault, sha256
from webhooks.reports import Report, ReportKind

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
PASSWORD = "seven quiet parcels at noon"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, step: timedelta) -> None:
        self.now += step


class Builder:
    """Adds sources, baits, sightings and incidents; each call is one transaction."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self.database = database
        self.vault = vault
        self._count = count(1)

    def _add(self, *rows: Any) -> None:
        with self.database.write() as session:
            session.add_all(rows)

    def user(self, name: str = "lin", role: str = "analyst", **more: Any) -> str:
        with self.database.write() as session:
            create_user(session, name=name, password=PASSWORD, role=role, now=NOW, **more)
        return name

    def signed_in(self, name: str, role: str, source_code: str = "", **more: Any) -> str:
        """Add somebody with an open sign-in and return the cookie's reference."""
        with self.database.write() as session:
            bound = session.scalar(select(Source.id).where(Source.code == source_code))
            user = User(
                name=name,
                password_hash="none",
                role=role,
                source_id=bound if role == "partner" else None,
                created_at=NOW,
                **more,
            )
            session.add(user)
            session.flush()
            reference = f"reference of {name}"
            session.add(
                SignIn(
                    digest=sha256(reference.encode()),
                    user_id=user.id,
                    created_at=NOW,
                    last_seen_at=NOW,
                    expires_at=NOW + timedelta(hours=12),
                )
            )
        return reference

    def source(
        self,
        code: str,
        name: str = "",
        kind: str = "outlet",
        parent: Source | None = None,
        **more: Any,
    ) -> Source:
        row = Source(
            code=code,
            name=name or code,
            kind=kind,
            parent_id=parent.id if parent else None,
            created_at=NOW,
            updated_at=NOW,
            **more,
        )
        self._add(row)
        return row

    def batch(self, name: str = "first", state: str = "issued") -> Batch:
        row = Batch(name=name, state=state, created_at=NOW, created_by="lin")
        self._add(row)
        return row

    def phone(self, number: str = "19340271865", label: str = "SIM 1") -> Phone:
        ref = f"P-{next(self._count):04d}"
        row = Phone(
            ref=ref,
            number_key=self.vault.digest("p:" + number),
            sealed_number=self.vault.seal(f"phones.sealed_number|{ref}", number.encode()),
            label=label,
            created_at=NOW,
        )
        self._add(row)
        return row

    def monitor(self, name: str, url: str, **more: Any) -> Monitor:
        """Add a monitor with its reporter."""
        kind = more.pop("kind", "page")
        reporter = self.reporter(name, format=kind, channel_class="own")
        content = json.dumps({"url": url, "headers": {"Cookie": "sid=1"}}).encode()
        values = {
            "venue": "example.org",
            "basis": "a public page",
            "state": "new",
            "rhythm_minutes": 10,
            "host_key": self.vault.digest(name),
            "due_at": NOW,
            **more,
        }
        row = Monitor(
            reporter_id=reporter.id,
            kind=kind,
            sealed_address=self.vault.seal(f"monitors.sealed_address|{name}", content),
            created_at=NOW,
            **values,
        )
        self._add(row)
        return row

    def bait(
        self,
        batch: Batch,
        source: Source | None = None,
        values: BaitValues | None = None,
        state: str = "live",
        planted_at: datetime = NOW - timedelta(days=9),
        **more: Any,
    ) -> Bait:
        number = next(self._count)
        ref = f"B-{number:06d}"
        values = values or BaitValues(
            number=f"YT90{number:011d}",
            carrier="YTO",
            name="林晚舟",
            phone="19340271865",
            province="浙江省",
            city="杭州市",
            district="西湖区",
            detail="文三路 99 号",
        )
        row = Bait(
            ref=ref,
            batch_id=batch.id,
            carrier="YTO",
            state=state,
            is_control=source is None,
            sealed_values=self.vault.seal(
                f"baits.sealed_values|{ref}", json.dumps(asdict(values)).encode()
            ),
            goods="数据线",
            weight_g=320,
            origin="330106",
            destination="440305",
            sender_name="杭州云栈数码",
            issued_at=planted_at - timedelta(days=1),
            planted_at=planted_at if source else None,
            live_at=planted_at + timedelta(hours=5) if source else None,
            **more,
        )
        self._add(row)
        if source:
            self._add(
                Placement(
                    bait_id=row.id,
                    source_id=source.id,
                    route="sheet",
                    handed_over_at=planted_at - timedelta(hours=2),
                    confirmed_at=planted_at,
                    confirmed_by="lin",
                )
            )
            self.exposure(row, source, planted_at)
        return row

    def exposure(
        self, bait: Bait, source: Source, since: datetime, origin: str = "placement"
    ) -> None:
        self._add(Exposure(bait_id=bait.id, source_id=source.id, origin=origin, since=since))

    def reporter(self, name: str = "sms-gateway", **more: Any) -> Reporter:
        fields: dict[str, Any] = {
            "format": "smsforwarder",
            "channel_class": "arrival",
            "sealed_secrets": self.vault.seal(place_of(name), Secrets(signing=("s",)).to_json()),
            "created_at": NOW,
            "last_post_at": NOW,
        }
        row = Reporter(name=name, **(fields | more))
        self._add(row)
        return row

    def incident(
        self,
        source: Source | None = None,
        verdict: str = "probable",
        state: str = "open",
        named: Sequence[str] | None = None,
        confidence: float = 0.982,
        at: datetime = NOW,
        result: Mapping[str, Any] | None = None,
    ) -> Incident:
        names = verdict in {"probable", "confirmed"} and source is not None
        codes = list(named) if named is not None else [source.code] if names and source else []
        row = Incident(
            scope=f"test:{next(self._count)}",
            scope_source_id=source.id if source else None,
            state=state,
            verdict=verdict,
            confidence=confidence,
            named=codes,
            revision=1,
            opened_at=at,
            last_sighting_at=at,
        )
        self._add(row)
        if result is not None:
            self._add(
                AttributionRecord(
                    incident_id=row.id,
                    revision=1,
                    created_at=at,
                    rule_version="2026.11",
                    verdict=verdict,
                    result=dict(result),
                    sealed_world=self.vault.seal(f"attributions.sealed_world|{row.id}/1", b"{}"),
                    world_sha256=sha256(b"{}"),
                )
            )
        return row

    def sighting(
        self,
        reporter: Reporter,
        incident: Incident,
        text: str,
        surfaces: Sequence[tuple[Bait, str, str]] = (),
        kind: str = "listing",
        venue: str = "面单交流群",
        at: datetime = NOW,
        arrival: tuple[Bait, Phone] | None = None,
        channel_class: str = "own",
        basis: str = "test",
        **report: Any,
    ) -> Sighting:
        number = next(self._count)
        body = text.encode("utf-8", "surrogatepass")
        post_ref, ref = f"I-{number:06d}", f"S-{number:06d}"
        post = InboxPost(
            ref=post_ref,
            reporter_id=reporter.id,
            post_key=f"key-{number}",
            received_at=at,
            method="POST",
            sealed_request=self.vault.seal(f"inbox.sealed_request|{post_ref}", b"{}"),
            sealed_body=self.vault.seal(f"inbox.sealed_body|{post_ref}", body),
            body_size=len(body),
            body_sha256=sha256(body),
            content_sha256=sha256(body),
            grade="signed",
            state="done",
        )
        self._add(post)
        story = Report(kind=ReportKind(kind), text=text, venue=venue, **report)
        row = Sighting(
            ref=ref,
            inbox_id=post.id,
            ordinal=0,
            reporter_id=reporter.id,
            incident_id=incident.id,
            kind=kind,
            channel_class=channel_class,
            grade="signed",
            venue=venue[:200],
            sealed_report=self.vault.seal(
                f"sightings.sealed_report|{ref}", story.to_json().encode("utf-8", "replace")
            ),
            text_key=self.vault.digest("text:" + str(number)),
            phone_id=arrival[1].id if arrival else None,
            seen_at=at,
            basis=basis,
        )
        row.matches = [_match(story.text, bait, surface, what) for bait, surface, what in surfaces]
        if arrival:
            row.matches.append(_match("", arrival[0], "", "arrival"))
        self._add(row)
        with self.database.write() as session:
            index_report(session, self.vault, row.id, story)
        self._bump(incident.id)
        return row

    def _bump(self, incident_id: int) -> None:
        with self.database.write() as session:
            incident = session.get_one(Incident, incident_id)
            incident.sighting_count += 1

    def open(self) -> Session:
        """Open a session of its own, for a look at rows."""
        return Session(self.database.engine, expire_on_commit=False)


def _match(text: str, bait: Bait, surface: str, kind: str) -> Match:
    start = text.index(surface) if surface else -1
    end = start + len(surface) if surface else -1
    record_start = text.rfind("\n", 0, max(start, 0)) + 1 if surface else -1
    record_end = text.find("\n", end) if surface else -1
    return Match(
        bait_id=bait.id,
        kind=kind,
        form="exact",
        level="exact",
        start=start,
        end=end,
        record_start=record_start,
        record_end=len(text) if surface and record_end < 0 else record_end,
        disguises=["circled"] if kind == "number" else [],
        agreeing=["name"] if kind == "number" else [],
        rule="number exact",
        chance=3.1e-9,
    )
