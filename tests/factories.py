"""A small installation for tests: a network, phones, baits, posts, and the steps between them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from canary.domain.identifiers import BaitValues
from canary.domain.sightings import ChannelClass
from canary.services.alerts import alerting, delivering
from canary.services.baits.confirming import confirm_planting
from canary.services.baits.planting import Gardener, Sheet, export_sheets
from canary.services.baits.register import open_values
from canary.services.baits.seeding import Nursery, SeedOrder, SeedResult, seed_batch
from canary.services.detection.triage import Desk, list_waiting, triage_post
from canary.services.inbox import intake
from canary.services.monitors.checking import Lookout
from canary.services.monitors.keeping import MonitorWishes, add_monitor
from canary.services.stock.imports import TableRow, read_table_bytes
from canary.services.stock.phones import import_phones
from canary.services.stock.sources import OPTIONAL, REQUIRED, ImportResult, import_sources
from canary.services.verdicts.attributing import Resting, attribute_stale
from canary.storage.session import Database
from canary.storage.tables import Bait, Identifier, InboxPost, Placement, Row, Source
from canary.storage.vault import Vault, sha256
from tests.fakes import FakeClock, FakeFetcher, FakeSender, make_lookout
from webhooks.reports import Post, Report, ReportKind

NETWORK = """\
code,name,kind,parent,region,carriers,daily_parcels
SYS,全网系统,system,,33,YTO ZTO,90000
HUB-A,杭州转运中心,hub,SYS,3301,YTO ZTO,9000
HUB-B,宁波转运中心,hub,SYS,3302,YTO ZTO,8000
OUT-A1,滨江网点,outlet,HUB-A,330108,YTO ZTO,900
OUT-A2,余杭网点,outlet,HUB-A,330110,YTO ZTO,800
OUT-B1,鄞州网点,outlet,HUB-B,330212,YTO ZTO,700
OUT-B2,慈溪网点,outlet,HUB-B,330282,YTO ZTO,600
"""
CARRIERS = ("YTO", "ZTO", "STO", "SF")
OWNED = [
    line.partition(",")[0]
    for line in Path("canary/cli/sample/phones.csv").read_text("utf-8-sig").splitlines()[1:]
]
SINCE = timedelta(days=2)
PUBLIC_URL = "https://canary.example"


def table(text: str | bytes, name: str = "rows.csv", *, required: Sequence[str] = ()) -> Any:
    """Read a table as the command line reads a file."""
    content = text.encode() if isinstance(text, str) else text
    return read_table_bytes(content, name, required=required)


def row(number: int = 2, /, **cells: str) -> TableRow:
    """Make one row of a table."""
    return TableRow(number=number, cells=cells)


def sms(text: str, receiver: str = "", sender: str = "10690000", **more: Any) -> Report:
    """Make a report of a message."""
    return Report(kind=ReportKind.SMS, text=text, receiver=receiver, sender=sender, **more)


def listing(text: str, venue: str = "danhao.example", **more: Any) -> Report:
    """Make a report of a seller's list."""
    return Report(kind=ReportKind.LISTING, text=text, venue=venue, **more)


@dataclass
class Office:
    """An installation as services see it; each step is what a command or a job does."""

    database: Database
    vault: Vault
    clock: FakeClock
    random: Random = field(default_factory=lambda: Random(7))
    sender: FakeSender = field(default_factory=FakeSender)
    site: FakeFetcher = field(default_factory=FakeFetcher)
    _counter: Any = field(default_factory=lambda: count(1))

    def import_sources(self, text: str = NETWORK) -> ImportResult:
        rows = read_table_bytes(text.encode(), "s.csv", required=REQUIRED, optional=OPTIONAL)
        with self.database.write() as session:
            return import_sources(session, rows, carriers=CARRIERS, actor="test", now=self.clock())

    def import_phones(self, numbers: Sequence[str] | int = 40) -> ImportResult:
        pool = OWNED[:numbers] if isinstance(numbers, int) else numbers
        rows = [row(place, number=number) for place, number in enumerate(pool, start=2)]
        with self.database.write() as session:
            return import_phones(session, self.vault, rows, actor="test", now=self.clock())

    @property
    def nursery(self) -> Nursery:
        return Nursery(
            database=self.database,
            vault=self.vault,
            random=self.random,
            clock=self.clock,
            actor="test",
        )

    @property
    def gardener(self) -> Gardener:
        return Gardener(database=self.database, vault=self.vault, clock=self.clock, actor="test")

    def seed(self, batch: str = "b1", **order: Any) -> SeedResult:
        return seed_batch(self.nursery, SeedOrder(batch=batch, **order))

    def hand_over(self, folder: Path, batch: str = "b1") -> list[Sheet]:
        return export_sheets(self.gardener, batch, folder, template="generic", sheet_format="csv")

    def confirm(self, batch: str = "b1", **more: Any) -> Any:
        values = {"confirmed_by": "outlet", "at": self.clock(), "now": self.clock(), **more}
        with self.database.write() as session:
            return confirm_planting(session, batch_name=batch, actor="test", **values)

    def plant(self, *, phones: int = 40, per_source: int = 4, batch: str = "b1") -> None:
        """Import, seed and confirm two days ago: every source holds its baits since."""
        self.clock.move(-SINCE)
        self.import_sources()
        if phones:
            self.import_phones(phones)
        self.seed(batch, per_source=per_source)
        self.confirm(batch)
        self.clock.move(SINCE)

    def values_at(self, code: str) -> list[BaitValues]:
        """Open the values of the baits placed at a source."""
        with self.database.read() as session:
            baits = session.scalars(
                select(Bait)
                .join(Placement, Placement.bait_id == Bait.id)
                .join(Source, Source.id == Placement.source_id)
                .where(Source.code == code)
                .order_by(Bait.id)
            )
            return [open_values(self.vault, bait) for bait in baits]

    def all_values(self, **where: Any) -> list[BaitValues]:
        """Open the values of every bait."""
        return [open_values(self.vault, bait) for bait in self.rows(Bait, **where)]

    def add_reporter(
        self,
        name: str = "market",
        channel_class: ChannelClass = ChannelClass.OWN,
        **more: Any,
    ) -> int:
        wanted = intake.NewReporter(
            name=name,
            format="standard",
            channel_class=channel_class,
            secrets=intake.Secrets(signing=("whsec_" + "A" * 44,)),
            **more,
        )
        with self.database.write() as session:
            intake.add_reporter(session, self.vault, wanted, actor="test", now=self.clock())
        with self.database.read() as session:
            known = intake.find_reporter(session, self.vault, name)
        assert known is not None
        return known.id

    def parcel(
        self,
        reporter_id: int,
        *reports: Report,
        key: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> intake.Parcel:
        """Wrap reports as the receiving routes hand them over."""
        raw = body if body is not None else json.dumps([r.to_json() for r in reports]).encode()
        return intake.Parcel(
            reporter_id=reporter_id,
            key=key or f"msg-{next(self._counter)}",
            digest=sha256(raw).hex(),
            post=Post(
                method="POST",
                url="https://canary.example/hooks/x",
                headers=headers or {},
                body=raw,
                remote_address="203.0.113.9",
                received_at=self.clock(),
            ),
            reports=reports,
            grade="signed",
        )

    def post(self, reporter_id: int, *reports: Report, **more: Any) -> bool:
        return intake.accept_post(
            self.database, self.vault, self.parcel(reporter_id, *reports, **more)
        )

    def add_monitor(
        self, name: str = "market", url: str = "https://danhao.example/list", **more: Any
    ) -> None:
        wishes = {"kind": "page", "rhythm_minutes": 10, "basis": "a public page", **more}
        tip = wishes.pop("from_tip", False)
        with self.database.write() as session:
            add_monitor(
                session,
                self.vault,
                self.site,
                name,
                MonitorWishes(url=url, **wishes),
                from_tip=tip,
                actor="test",
                now=self.clock(),
            )

    def lookout(self, owner: str = "eye") -> Lookout:
        return make_lookout(self.database, self.vault, self.clock, self.site, owner)

    def desk(self, owner: str = "worker") -> Desk:
        return Desk(
            database=self.database,
            vault=self.vault,
            clock=self.clock,
            owner=owner,
            public_url=PUBLIC_URL,
            zone=ZoneInfo("Asia/Shanghai"),
        )

    def triage(self, desk: Desk | None = None) -> int:
        """Work through what waits; return how many posts were worked on."""
        desk = desk or self.desk()
        with self.database.read() as session:
            waiting = list_waiting(session, self.clock())
        return sum(triage_post(desk, post_id) for post_id in waiting)

    def work(self) -> None:
        """Triage and attribute, as the job does."""
        self.triage()
        attribute_stale(self.desk(), Resting())

    def add_endpoint(self, name: str = "team", lang: str = "en") -> None:
        route = alerting.Route(
            name=name, format="standard", config={"url": "https://x.example", "secrets": []}
        )
        with self.database.write() as session:
            alerting.add_endpoint(
                session,
                self.vault,
                self.sender,
                route,
                lang=lang,
                actor="test",
                now=self.clock(),
            )

    @property
    def outbox(self) -> delivering.Outbox:
        return delivering.Outbox(
            database=self.database,
            vault=self.vault,
            sender=self.sender,
            clock=self.clock,
            random=Random(1),
        )

    def deliver(self, owner: str = "postman") -> int:
        """Try what is due; return how many deliveries were tried."""
        with self.database.read() as session:
            due = delivering.list_due_by_endpoint(session, self.clock())
        return sum(
            delivering.deliver(self.outbox, one, owner) for line in due.values() for one in line
        )

    def count(self, kind: type[Row], **where: Any) -> int:
        query = select(func.count()).select_from(kind).filter_by(**where)
        with self.database.read() as session:
            return session.scalar(query) or 0

    def rows(self, kind: type[Any], **where: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.scalars(select(kind).filter_by(**where).order_by(kind.id)))

    def only(self, kind: type[Any], **where: Any) -> Any:
        found = self.rows(kind, **where)
        assert len(found) == 1, f"{len(found)} rows of {kind.__name__}"
        return found[0]

    def change(self, kind: type[Any], row_id: int, **values: Any) -> None:
        with self.database.write() as session:
            found = session.get_one(kind, row_id)
            for name, value in values.items():
                setattr(found, name, value)

    def count_all(self) -> dict[str, int]:
        """Count the rows of every table, to prove that nothing changed."""
        tables = Row.metadata.sorted_tables
        counts = [select(func.count()).select_from(one).scalar_subquery() for one in tables]
        with self.database.read() as session:
            found = session.execute(select(*counts)).one()
        return {table.name: count for table, count in zip(tables, found, strict=True)}

    def posts(self) -> list[InboxPost]:
        return self.rows(InboxPost)

    def rows_of_identifiers(self, kind: str) -> list[Identifier]:
        """Load the digests of one family."""
        with self.database.read() as session:
            return list(session.scalars(select(Identifier).where(Identifier.kind == kind)))
