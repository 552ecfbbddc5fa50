"""The audit log is searched by words, person, thing, kind and day."""

from datetime import timedelta

import pytest

from canary.storage.tables import AuditEntry
from tests.web.building import NOW


@pytest.fixture
def log(build):
    rows = [
        ("lin", "incident.confirmed", "incident/7", "the outlet lent its account", NOW),
        ("wu", "incident.confirmed", "incident/77", "50%_sure", NOW - timedelta(days=1)),
        ("wu", "bait.revealed", "bait/B-1", "checking a tip", NOW - timedelta(days=9)),
    ]
    with build.database.write() as session:
        for actor, action, subject, reason, at in rows:
            session.add(
                AuditEntry(
                    at=at, actor=actor, action=action, subject=subject, reason=reason, details={}
                )
            )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3),
        ("q=LENT", 1),
        ("q=%25_", 1),
        ("q=nothing", 0),
        ("who=wu", 2),
        ("who=w", 0),
        ("subject=incident/7", 1),
        ("action=bait", 1),
        ("action=incident&who=wu", 1),
        ("since=2026-11-20", 1),
        ("until=2026-11-19", 2),
        ("since=2026-11-19&until=2026-11-19", 1),
        ("since=never&until=9999-12-32", 3),
    ],
)
def test_log_is_narrowed(as_role, log, query, found):
    page = as_role("auditor").get(f"/audit?{query}").get_data(as_text=True)
    assert page.count('<td data-label="Reason">') == found


def test_last_day_of_all_is_no_error(as_role, log):
    assert as_role("auditor").get("/audit?since=0001-01-01&until=9999-12-31").status_code == 200
