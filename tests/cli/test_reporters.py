"""Reporters on the command line: added, changed, switched, given another secret."""

import pytest

from tests.cli.conftest import Canary


@pytest.fixture
def ready(canary: Canary) -> Canary:
    canary("init")
    canary("reporter", "add", "flow", "--format", "mapped", "--class", "own")
    return canary


def test_reporter_is_expected_each_day(ready: Canary) -> None:
    """One that was given no rhythm is missed after a day, not never."""
    assert [row["name"] for row in ready("reporter", "list", "--json").json] == ["flow"]
    assert ready("reporter", "set", "flow", "--rhythm", "0").code == 0
    assert ready("reporter", "set", "flow", "--rhythm", "5").code == 1


def test_reading_is_changed(ready: Canary) -> None:
    told = ready(
        *("reporter", "set", "flow", "--field", "text=data.0.body", "--option", "kind=sms"),
        *("--allow", "203.0.113.0/24", "--receiver", "pixel/1=13900000000"),
    )
    assert told.code == 0, told.err


@pytest.mark.parametrize(
    "wrong", [("--allow", "nowhere"), ("--field", "text"), ("--receiver", "x"), ("--option", "=")]
)
def test_unreadable_option_is_told(ready: Canary, wrong: tuple[str, str]) -> None:
    assert ready("reporter", "set", "flow", *wrong).code == 1


def test_secret_is_rotated(ready: Canary) -> None:
    assert "whsec_" in ready("reporter", "rotate", "flow").out
    assert ready("reporter", "rotate", "flow").code == 1
    assert ready("reporter", "rotate", "flow", "--finish").code == 0


def test_reporter_is_switched(ready: Canary) -> None:
    assert ready("reporter", "switch", "flow", "off").code == 0
    assert ready("reporter", "list", "--json").json[0]["active"] == ""
    assert ready("reporter", "switch", "nobody", "off").code == 1
