"""The number of queries of a page does not grow with its rows."""

import pytest
from sqlalchemy import event, select

from canary.storage.tables import Incident, Source
from tests.web.crowd import add_one, list_pages

MOST = 30


@pytest.fixture
def admin(as_role):
    return as_role("admin")


def grow(build, first):
    """Add nine of everything, and nine more sightings and baits to what is there already."""
    with build.open() as session:
        incident = session.get_one(Incident, first["incidents.show"]["incident_id"])
        source = session.scalar(select(Source).where(Source.code == first["sources.show"]["code"]))
    for number in range(1, 10):
        add_one(build, number, f"text {number}")
        build.source(f"BELOW-{number}", parent=source)
        bait = build.bait(build.batch(f"more {number}"), source)
        reporter = build.reporter(f"more {number}")
        build.sighting(reporter, incident, "text found", [(bait, "found", "number")])


def count(browser, build, path):
    statements = []

    def note(connection, cursor, statement, *rest):
        statements.append(statement)

    event.listen(build.database.engine, "before_cursor_execute", note)
    assert browser.get(path).status_code == 200, path
    event.remove(build.database.engine, "before_cursor_execute", note)
    return len(statements)


def test_query_count_does_not_grow(app, admin, build):
    first = add_one(build, 0, "text 0")
    pages = list_pages(app, first)
    before = {path: count(admin, build, path) for path in pages.values()}
    grow(build, first)
    after = {path: count(admin, build, path) for path in pages.values()}
    assert {path: (before[path], after[path]) for path in after if after[path] > before[path]} == {}
    assert {path: number for path, number in after.items() if number > MOST} == {}
