"""Time the pages on a large installation: `python -m benchmarks.dashboard [--scale 1.0]`.

At scale 1 (about 2 GB, several minutes to build): 10,000 sources, 1,000,000 baits, 100,000
sightings, 5,000 incidents on SQLite. The rows are plain inserts; every bait has its own sealed
values. Limits: 200 ms at the server at the median and 150 KB for each page.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Table, insert

from canary.domain.identifiers import BaitValues
from canary.storage.session import Database, open_database
from canary.storage.tables import (
    AttributionRecord,
    AuditEntry,
    Bait,
    Exposure,
    InboxPost,
    Incident,
    Match,
    Placement,
    Row,
    Sighting,
    Source,
)
from canary.storage.vault import Vault, sha256
from canary.web.app import create_app
from canary.web.parts import WebParts
from tests.browser.serving import NoInbox
from tests.fakes import FakePoster, FakeSender
from tests.web.building import NOW, Builder
from webhooks.reports import Report, ReportKind

ROUNDS = 9
CHUNK = 20_000
VERDICTS = ("confirmed", "probable", "weak", "unattributable")


def main() -> None:
    """Build, ask, print."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--scale", type=float, default=1.0)
    reader.add_argument("--file", type=Path, help="keep the database here; use it when it exists")
    asked = reader.parse_args()
    vault = Vault({"k1": b"k" * 32}, "k1", b"i" * 32)
    with tempfile.TemporaryDirectory() as home:
        path = asked.file or Path(home, "large.sqlite3")
        is_built = path.exists()
        database = open_database(f"sqlite:///{path}")
        if not is_built:
            _build(database, vault, asked.scale)
        print(f"{path.stat().st_size / 1e6:.0f} MB")
        _measure(database, vault)
        database.close()


def _build(database: Database, vault: Vault, scale: float) -> None:
    started = time.perf_counter()
    Row.metadata.create_all(database.engine)
    _fill(database, vault, scale)
    Builder(database, vault).signed_in("lin", "admin")
    print(f"built in {time.perf_counter() - started:.0f} s")


def _measure(database: Database, vault: Vault) -> None:
    app = create_app(
        WebParts(
            database=database,
            vault=vault,
            clock=lambda: NOW,
            inbox=NoInbox(),
            sender=FakeSender(),
            poster=FakePoster(),
            session_key=b"s" * 32,
            public_url="http://localhost",
            default_lang="zh",
            timezone="Asia/Shanghai",
            max_body=1024 * 1024,
            trusted_proxies=0,
            alive=dict,
        )
    )
    client = app.test_client()
    with client.session_transaction() as session:
        session["ref"] = "reference of lin"
    for path in PAGES:
        times = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            answer = client.get(path)
            times.append((time.perf_counter() - begun) * 1000)
        kilobytes = len(answer.data) / 1000
        print(
            f"{path:34} {statistics.median(times):7.1f} ms median {max(times):7.1f} ms worst "
            f"{kilobytes:6.1f} KB {answer.status_code}"
        )


PAGES = (
    "/",
    "/incidents",
    "/incidents?state=all&page=90",
    "/incidents?source=S-00007",
    "/incidents/1",
    "/incidents/77",
    "/sources",
    "/sources?page=40",
    "/sources?q=S-0077",
    "/sources/S-00007",
    "/baits",
    "/baits?state=burned",
    "/baits?source=S-00007",
    "/baits?page=9000",
    "/baits/B-0000500",
    "/reporters",
    "/inbox",
    "/deliveries",
)


def _fill(database: Database, vault: Vault, scale: float) -> None:
    build = Builder(database, vault)
    batch, reporter = build.batch(), build.reporter()
    sources, baits = int(10_000 * scale), int(1_000_000 * scale)
    sightings, incidents = int(100_000 * scale), int(5_000 * scale)
    _insert(database, Source, _sources(sources))
    _insert(database, Bait, _baits(vault, baits, batch.id))
    _insert(database, Placement, _placements(baits, sources))
    _insert(database, Exposure, _exposures(baits, sources))
    _insert(database, Incident, _incidents(incidents, sources))
    _insert(database, AttributionRecord, _records(incidents, sources))
    _insert(database, InboxPost, _posts(vault, sightings, reporter.id))
    _insert(database, Sighting, _sightings(vault, sightings, incidents, reporter.id))
    _insert(database, Match, _matches(sightings, baits))
    _insert(database, AuditEntry, _entries(sightings))


def _insert(database: Database, kind: type[Row], rows: Iterator[dict[str, object]]) -> None:
    table = kind.__table__
    assert isinstance(table, Table)
    chunk: list[dict[str, object]] = []
    with database.write() as session:
        for row in rows:
            chunk.append(row)
            if len(chunk) == CHUNK:
                session.execute(insert(table), chunk)
                chunk = []
        if chunk:
            session.execute(insert(table), chunk)


def _sources(many: int) -> Iterator[dict[str, object]]:
    for number in range(1, many + 1):
        yield {
            "id": number,
            "code": f"S-{number:05d}",
            "name": f"第 {number} 网点",
            "kind": "outlet" if number > 200 else "hub",
            "parent_id": None if number == 1 else 1 if number <= 200 else number % 199 + 2,
            "carriers": [],
            "created_at": NOW,
            "updated_at": NOW,
        }


def _baits(vault: Vault, many: int, batch_id: int) -> Iterator[dict[str, object]]:
    for number in range(1, many + 1):
        ref = f"B-{number:07d}"
        values = BaitValues(number=f"YT{number:013d}", name="林晚舟", phone=f"193{number:08d}")
        state = "burned" if number % 500 == 0 else "live"
        yield {
            "id": number,
            "ref": ref,
            "batch_id": batch_id,
            "carrier": "yunda",
            "state": state,
            "is_control": number % 20 == 0,
            "sealed_values": vault.seal(
                f"baits.sealed_values|{ref}", json.dumps(asdict(values)).encode()
            ),
            "goods": "数据线",
            "weight_g": 300,
            "origin": "330106",
            "destination": "440305",
            "sender_name": "云栈数码",
            "issued_at": NOW - timedelta(days=30),
        }


def _placements(baits: int, sources: int) -> Iterator[dict[str, object]]:
    for number in range(1, baits + 1):
        yield {"bait_id": number, "source_id": number % sources + 1, "route": "sheet"}


def _exposures(baits: int, sources: int) -> Iterator[dict[str, object]]:
    for number in range(1, baits + 1):
        yield {
            "bait_id": number,
            "source_id": number % sources + 1,
            "origin": "placement",
            "number": 2,
            "name": 2,
            "phone": 2,
            "address": 2,
            "since": NOW - timedelta(days=20),
        }


def _incidents(many: int, sources: int) -> Iterator[dict[str, object]]:
    for number in range(1, many + 1):
        verdict = VERDICTS[number % 4]
        source = number % sources + 1
        yield {
            "id": number,
            "scope": f"bench:{number}",
            "scope_source_id": source,
            "state": "open" if number % 3 else "confirmed",
            "verdict": verdict,
            "confidence": 0.98,
            "named": [f"S-{source:05d}"] if number % 4 < 2 else [],
            "revision": 1,
            "sighting_count": 20,
            "evidence_version": 1,
            "attributed_version": 1,
            "opened_at": NOW - timedelta(hours=number % 900),
            "last_sighting_at": NOW - timedelta(hours=number % 900),
            "version": 1,
        }


def _records(incidents: int, sources: int) -> Iterator[dict[str, object]]:
    for number in range(1, incidents + 1):
        posteriors = {
            f"S-{(number + step) % sources + 1:05d}": 0.9 / (step + 1) for step in range(30)
        }
        yield {
            "incident_id": number,
            "revision": 1,
            "created_at": NOW,
            "rule_version": "bench",
            "verdict": VERDICTS[number % 4],
            "result": {"posteriors": posteriors, "p_no_leak": 0.02, "excluded": {}},
            "sealed_world": b"",
            "world_sha256": sha256(b""),
        }


def _posts(vault: Vault, many: int, reporter_id: int) -> Iterator[dict[str, object]]:
    for number in range(1, many + 1):
        ref = f"I-{number:06d}"
        yield {
            "id": number,
            "ref": ref,
            "reporter_id": reporter_id,
            "post_key": f"k{number}",
            "received_at": NOW - timedelta(minutes=number % 40_000),
            "method": "POST",
            "sealed_request": b"",
            "sealed_body": vault.seal(f"inbox.sealed_body|{ref}", b"x"),
            "body_size": 1,
            "body_sha256": sha256(b"x"),
            "content_sha256": sha256(b"x"),
            "grade": "signed",
            "state": "done",
            "attempts": 1,
        }


def _sightings(
    vault: Vault, many: int, incidents: int, reporter_id: int
) -> Iterator[dict[str, object]]:
    page = "\n".join(f"<tr><td>YT88{row:011d}</td><td>王**</td></tr>" for row in range(200))
    text = Report(kind=ReportKind.LISTING, text=page, venue="面单群").to_json().encode()
    for number in range(1, many + 1):
        ref = f"S-{number:06d}"
        yield {
            "id": number,
            "ref": ref,
            "inbox_id": number,
            "ordinal": 0,
            "reporter_id": reporter_id,
            "incident_id": number % incidents + 1,
            "kind": "listing",
            "channel_class": "own",
            "grade": "signed",
            "venue": "面单群",
            "sealed_report": vault.seal(f"sightings.sealed_report|{ref}", text),
            "text_key": vault.digest(str(number)),
            "record_count": 200,
            "seen_at": NOW - timedelta(minutes=number % 40_000),
            "basis": "bench",
        }


def _matches(sightings: int, baits: int) -> Iterator[dict[str, object]]:
    for number in range(1, sightings + 1):
        for step in range(3):
            start = 8 + step * 900
            yield {
                "sighting_id": number,
                "bait_id": (number * 7 + step) % baits + 1,
                "kind": "number",
                "form": "exact",
                "level": "exact",
                "start": start,
                "end": start + 15,
                "record_start": start - 8,
                "record_end": start + 40,
                "disguises": [],
                "agreeing": [],
                "rule": "bench",
                "chance": 1e-9,
            }


def _entries(many: int) -> Iterator[dict[str, object]]:
    for number in range(1, many + 1):
        yield {
            "at": NOW,
            "actor": "lin",
            "action": "evidence.shown",
            "subject": f"incident/{number}",
            "details": {},
        }


if __name__ == "__main__":
    main()
