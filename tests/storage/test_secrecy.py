"""A copied database, its journal and the logs give no bait away."""

import base64
import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing, redirect_stderr
from pathlib import Path
from random import Random

import pytest

from canary.bootstrap import configure_logging
from canary.domain.identifiers import BaitValues
from canary.domain.sightings import ChannelClass
from canary.storage.session import open_database
from canary.storage.tables import Endpoint, InboxPost, Match
from canary.storage.vault import Vault
from tests.factories import Office, listing, sms
from tests.fakes import FakeClock

READABLE = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def busy(
    folder: Path, sqlite_template: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """Two hundred baits, some of them seen in a page, a message and a venue, and told of.

    Nonces are the same in each run: a megabyte of chance would hold one of a thousand six-byte
    spellings once in some hundred thousand runs.
    """
    monkeypatch.setattr(os, "urandom", Random(7).randbytes)
    path = folder / "canary.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    with closing(open_database(f"sqlite:///{path}")) as database:
        yield Office(database=database, vault=vault, clock=FakeClock())


def play(office: Office) -> list[BaitValues]:
    office.plant(per_source=28)
    office.add_endpoint()
    values = [one for one in office.values_at("OUT-A1") if one.phone][:12]
    office.post(
        office.add_reporter(),
        listing(
            "\n".join(f"{one.number} {one.name} {one.phone} {one.detail}" for one in values),
            venue=f"shop.example/{values[0].number}",
            url=f"https://shop.example/{values[1].number}",
            title=values[2].name or "",
            details={"seller": values[3].phone or ""},
        ),
        headers={"x-number": values[4].number or ""},
        key=f"key-{values[5].number}",
    )
    rack = office.add_reporter("rack", ChannelClass.ARRIVAL)
    office.post(rack, sms(f"{values[6].name}您好", values[6].phone or "", values[7].phone or ""))
    office.post(rack, sms("x", values[8].phone or "", device=values[9].phone or ""))
    office.work()
    office.deliver()
    assert office.count(Match) > 12
    return office.all_values()


def secrets_of(values: list[BaitValues]) -> dict[str, str]:
    found = {}
    for one in values:
        for kind in ("number", "phone", "name", "detail"):
            value = getattr(one, kind)
            if value and len(value) > 1:
                found[value] = kind
    return found


def spellings(value: str) -> set[bytes]:
    """Write a value in the ways a careless program would store it."""
    raw = value.encode()
    found = {value.encode(encoding) for encoding in READABLE}
    # The part of its base64 that does not depend on what stands before and behind.
    for shift in range(3):
        coded = base64.b64encode(b"\x00" * shift + raw)
        found.add(coded[-(-shift * 4 // 3) + 1 : len(coded) - 4])
    return found | {raw.hex().encode(), ascii(value)[1:-1].encode()}


def search(content: bytes, values: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (kind, value)
        for value, kind in values.items()
        for spelling in spellings(value)
        if len(spelling) >= 6 and spelling in content
    ]


def test_copied_database_gives_nothing_away(busy: Office, folder: Path) -> None:
    values = play(busy)
    assert len(values) >= 200
    files = sorted(folder.glob("canary.sqlite3*"))
    assert any(path.name.endswith("-wal") and path.stat().st_size for path in files)
    content = b"".join(path.read_bytes() for path in files)
    assert search(content, secrets_of(values)) == []


def test_search_would_find_a_readable_value(busy: Office, folder: Path) -> None:
    """The danger first: an unsealed value is found by the same search."""
    values = play(busy)
    number = values[0].number or ""
    endpoint = busy.only(Endpoint)
    busy.change(Endpoint, endpoint.id, name=f"x{base64.b64encode(number.encode()).decode()}")
    content = b"".join(path.read_bytes() for path in folder.glob("canary.sqlite3*"))
    assert search(content, {number: "number"}) == [("number", number)]


def test_logs_give_nothing_away(busy: Office) -> None:
    logs = io.StringIO()
    handler = logging.StreamHandler(logs)
    root = logging.getLogger()
    level = root.level
    with redirect_stderr(logs):
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        configure_logging("debug")
        try:
            values = play(busy)
            poison(busy)
        finally:
            root.setLevel(level)
            root.removeHandler(handler)
    configure_logging("error")
    written = logs.getvalue()
    assert "triage.failed" in written
    assert search(written.encode(), secrets_of(values)) == []
    assert sys.stderr is not logs


def poison(office: Office) -> None:
    """Let triage fail in the database itself, with bait values among the parameters."""
    from sqlalchemy import text

    number = office.values_at("OUT-A1")[0].number or ""
    with office.database.write() as session:
        session.execute(
            text(
                "CREATE TRIGGER no_more BEFORE INSERT ON sightings "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )
    office.post(office.add_reporter("again"), listing(number, venue=number, title=number))
    office.triage()
    assert office.rows(InboxPost)[-1].attempts == 1
