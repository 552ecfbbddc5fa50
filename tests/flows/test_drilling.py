"""A drill goes out by the public address of every kind of reporter and is read at the other end."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from canary.bootstrap import (
    Application,
    make_driller,
    make_jobs,
    make_web,
    prepare_application,
    serve_in_thread,
)
from canary.domain.errors import NotFound
from canary.domain.sightings import ChannelClass
from canary.services.detection.drilling import DrillLine, read_drills, send_drills
from canary.services.detection.triage import Desk, list_waiting, triage_post
from canary.services.inbox import intake
from canary.storage.tables import Incident, Reporter, Sighting
from tests.factories import Office
from tests.fakes import FakeClock
from tests.flows.conftest import PATIENCE, hold_port
from webhooks.inbound.registry import READERS
from webhooks.signing import new_secret


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """Serve on loopback under the address that senders are given."""
    listener = socket.create_server(("127.0.0.1", 0))
    opened = prepare_application(
        home=tmp_path / "home",
        database_url=f"sqlite:///{tmp_path}/home/canary.sqlite3",
        secret_file=tmp_path / "home" / "secrets.json",
        public_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        log_level="error",
    )
    with serve_in_thread(make_web(opened), listener):
        yield opened
    opened.database.close()


def add(application: Application, name: str, shape: str, *, by_path: bool = False) -> None:
    secrets = intake.Secrets(
        signing=() if by_path else (new_secret(),), path="a-secret-path" if by_path else None
    )
    wanted = intake.NewReporter(
        name=name, format=shape, channel_class=ChannelClass.OWN, secrets=secrets
    )
    with application.database.write() as session:
        intake.add_reporter(
            session, application.keys.vault, wanted, actor="test", now=application.clock()
        )


def office_of(application: Application) -> Office:
    return Office(
        database=application.database,
        vault=application.keys.vault,
        clock=FakeClock(datetime.now(UTC)),
    )


def triage(application: Application) -> None:
    desk = Desk(
        database=application.database,
        vault=application.keys.vault,
        clock=application.clock,
        owner="test",
        public_url=application.settings.public_url,
        zone=office_of(application).desk().zone,
    )
    with application.database.read() as session:
        waiting = list_waiting(session, application.clock())
    for post_id in waiting:
        triage_post(desk, post_id)


def look(application: Application, ids: list[int]) -> list[DrillLine]:
    with application.database.read() as session:
        return read_drills(session, ids)


def test_drill_passes_every_kind_of_reporter(application: Application) -> None:
    for shape in READERS:
        add(application, shape, shape)
    add(application, "phone", "smstourl", by_path=True)
    ids = send_drills(make_driller(application), actor="lin")
    triage(application)
    lines = look(application, ids)
    assert [(line.reporter, line.problem) for line in lines if line.problem] == []
    assert len(lines) == len(READERS) + 1
    assert all(line.answered_ms is not None and line.triaged_ms is not None for line in lines)
    office = office_of(application)
    assert {one.filed_as for one in office.rows(Sighting)} == {"drill"}
    assert office.count(Incident) == 0


def test_running_jobs_read_the_drill(application: Application) -> None:
    add(application, "market", "page")
    jobs = make_jobs(application)
    jobs.start()
    try:
        ids = send_drills(make_driller(application), ["market"], actor="lin")
        deadline = time.monotonic() + PATIENCE
        while look(application, ids)[0].triaged_ms is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert look(application, ids)[0].triaged_ms is not None
    finally:
        jobs.stop()


def test_drill_hides_no_silence(application: Application) -> None:
    """That our side answers does not say that the device still posts."""
    add(application, "market", "page")
    office, last = office_of(application), datetime.now(UTC) - timedelta(days=3)
    office.change(Reporter, office.only(Reporter).id, last_post_at=last)
    send_drills(make_driller(application), actor="lin")
    assert office.only(Reporter).last_post_at > last
    triage(application)
    assert office.only(Reporter).last_post_at is None


def test_broken_path_is_told(application: Application) -> None:
    add(application, "market", "page")
    driller = make_driller(application)
    office = office_of(application)
    secret = intake.Secrets(signing=(new_secret(),)).to_json()
    place = intake.place_of("market")
    row = office.only(Reporter)
    real = driller.poster.post
    sealed = application.keys.vault.seal(place, secret)

    def change_then_post(wanted: object, now: datetime) -> int:
        office.change(Reporter, row.id, sealed_secrets=sealed)
        return real(wanted, now)  # type: ignore[arg-type]  # handed on as it came

    driller.poster.post = change_then_post  # type: ignore[method-assign]  # a fault in the path
    (line,) = look(application, send_drills(driller, actor="lin"))
    assert (line.status, line.problem, line.triaged_ms) == (401, "answered 401", None)


def test_unreachable_address_is_told(application: Application) -> None:
    add(application, "market", "page")
    with hold_port() as port:
        settings = application.settings.model_copy(
            update={"public_url": f"http://127.0.0.1:{port}"}
        )
        closed = replace(application, settings=settings)
        (line,) = look(application, send_drills(make_driller(closed), actor="lin"))
    assert line.status is None
    assert line.problem


def test_unknown_reporter_is_not_drilled(application: Application) -> None:
    with pytest.raises(NotFound):
        send_drills(make_driller(application), ["nobody"], actor="lin")
