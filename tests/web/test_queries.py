"""The number of queries of a page does not grow with its rows."""

import pytest
from sqlalchemy import event

PAGES = [
    "/",
    "/incidents",
    "/incidents/1",
    "/sources",
    "/sources/S-0",
    "/baits",
    "/baits/B-000002",
    "/reporters",
    "/inbox",
    "/deliveries",
]


def grow(build, start, many, batch, reporter):
    for number in range(start, start + many):
        source = build.source(f"S-{number}")
        bait = build.bait(batch, source)
        incident = build.incident(
            source,
            result={"posteriors": {f"S-{other}": 0.5 for other in range(number + 1)}},
        )
        for where in (incident.id, 1):
            row = incident if where == incident.id else build.first
            build.sighting(reporter, row, f"text {number} found", [(bait, "found", "number")])


def count(browser, build, path):
    statements = []

    def note(connection, cursor, statement, *rest):
        statements.append(statement)

    event.listen(build.database.engine, "before_cursor_execute", note)
    assert browser.get(path).status_code == 200
    event.remove(build.database.engine, "before_cursor_execute", note)
    return len(statements)


@pytest.fixture
def small(build):
    batch, reporter = build.batch(), build.reporter()
    build.first = build.incident()
    grow(build, 0, 1, batch, reporter)
    return batch, reporter


def test_query_count_does_not_grow(analyst, build, small):
    before = {path: count(analyst, build, path) for path in PAGES}
    grow(build, 1, 9, *small)
    after = {path: count(analyst, build, path) for path in PAGES}
    assert after == before
    assert max(after.values()) < 30
