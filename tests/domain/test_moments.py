"""Moments are read with their offset, not with a name two zones share."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from canary.domain.moments import write_moment

AT = datetime(2026, 11, 20, 6, 30, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Asia/Shanghai", "2026-11-20 14:30 UTC+8"),
        ("America/Chicago", "2026-11-20 00:30 UTC-6"),
        ("Asia/Kolkata", "2026-11-20 12:00 UTC+5:30"),
        ("UTC", "2026-11-20 06:30 UTC+0"),
    ],
)
def test_moment_bears_its_offset(zone: str, written: str) -> None:
    assert write_moment(AT, ZoneInfo(zone)) == written
