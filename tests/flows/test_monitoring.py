"""A watched page, from its bytes on a real server to the named source."""

import time
from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer

from canary.bootstrap import make_lookout
from canary.services.monitors.keeping import MonitorWishes, add_monitor
from canary.storage.tables import Incident, Monitor, Sighting
from tests.flows.conftest import House, Receiver


@pytest.fixture
def site() -> Iterator[HTTPServer]:
    with HTTPServer("127.0.0.1", 0) as server:
        server.expect_request("/robots.txt").respond_with_data("User-agent: *\nDisallow: /x")
        yield server


def show(house: House, site: HTTPServer) -> None:
    """Put a seller's list there: GB18030 and said to be gb2312, with the baits of one outlet."""
    rows = "".join(
        f"<tr><td>{value.number}</td><td>{value.name}</td></tr>"
        for value in house.office.values_at("OUT-A1")
    )
    page = f"<html><meta charset=gb2312><p>一手单号 喆玥</p><table class=list>{rows}</table></html>"
    site.expect_request("/list").respond_with_data(page.encode("gb18030"), content_type="text/html")


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that within a minute")


def test_watched_listing_names_the_source(
    house: House, site: HTTPServer, jobs: None, receiver: Receiver
) -> None:
    house.office.plant(phones=20, per_source=10)
    show(house, site)
    application = house.application
    wishes = MonitorWishes(
        kind="page",
        url=site.url_for("/list"),
        rhythm_minutes=10,
        basis="a public page",
        selector="table.list",
    )
    with application.database.write() as session:
        add_monitor(
            session,
            application.keys.vault,
            make_lookout(application).fetcher,
            "danhao",
            wishes,
            actor="test",
            now=application.clock(),
        )
    receiver.wait_for("incident.opened")
    wait_until(lambda: house.office.only(Incident).named == ["OUT-A1"])
    assert house.office.only(Sighting).basis == "a public page"
    assert house.office.only(Monitor).state == "changed"
