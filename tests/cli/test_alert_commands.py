"""The alert commands as a stranger runs them, against receivers that answer as the real ones do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

Canary = Callable[..., Any]

REFUSED = {"errcode": 310000, "errmsg": "sign not match"}
OK = {"errcode": 0, "errmsg": "ok"}


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", port=0) as server:
        yield server


@pytest.fixture
def team(ready: Canary, receiver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Canary:
    """An installation that may call loopback, with one endpoint that takes what it is sent."""
    monkeypatch.setenv("CANARY_OUTBOUND_ALLOW", "127.0.0.1")
    receiver.expect_request("/team").respond_with_data(status=204)
    added = ready("endpoint", "add", "team", receiver.url_for("/team"), "--json")
    assert (added.code, added.json["test"]) == (0, "taken (status 204)")
    assert added.json["secret"].startswith("whsec_")
    return ready


def names(done: Any, field: str) -> list[str]:
    return [row[field] for row in done.json]


def test_inside_address_is_refused_at_save(ready: Canary, receiver: HTTPServer) -> None:
    done = ready("endpoint", "add", "team", receiver.url_for("/team"))
    assert done.code == 1
    assert "CANARY_OUTBOUND_ALLOW" in done.err
    assert ready("endpoint", "list", "--json").json == []
    assert receiver.log == []


def test_refusal_inside_a_200_is_told(team: Canary, receiver: HTTPServer) -> None:
    """A Chinese chat robot answers 200 to what it refuses."""
    receiver.expect_ordered_request("/robot").respond_with_json(REFUSED)
    receiver.expect_ordered_request("/robot").respond_with_json(OK)
    url = receiver.url_for("/robot?access_token=x")
    done = team("endpoint", "add", "robot", url, "--format", "dingtalk", "--secret", "SECx")
    assert done.code == 0
    assert "test message: not taken" in done.out
    assert "310000" in done.out
    assert "robot took the test message" in team("endpoint", "test", "robot").out


def test_endpoint_is_rotated_and_switched(team: Canary) -> None:
    assert "new secret whsec_" in team("endpoint", "rotate", "team").out
    assert "the old secret is dropped" in team("endpoint", "rotate", "team", "--finish").out
    assert team("endpoint", "switch", "team", "off").code == 0
    (line,) = team("endpoint", "list", "--json").json
    assert (line["name"], line["active"], line["waiting"]) == ("team", "", 1)
    assert "0 dead letters" in team("endpoint", "redeliver", "team").out


def test_rule_is_previewed_added_and_removed(team: Canary) -> None:
    wanted = ("route", "add", "team", "--verdict", "probable", "--after", "15")
    assert team(*wanted, "--dry-run", "--json").json == [{"endpoint": "team", "now": 0, "then": 0}]
    assert team("route", "list", "--json").json == []
    assert team(*wanted).code == 0
    (rule,) = team("route", "list", "--json").json
    assert (rule["least_verdict"], rule["after_minutes"]) == ("probable", 15)
    assert team("route", "remove", str(rule["rule_id"])).code == 0
    assert team("route", "list", "--json").json == []


def test_expected_sighting_is_previewed_added_and_ended(team: Canary) -> None:
    wanted = ("expected", "add", "carrier's notices", "--kind", "sms", "--sender", "95554")
    shown = team(*wanted, "--dry-run", "--json").json
    assert (shown["rule"], shown["covered"]) == (None, 0)
    assert "holds for 30 days" in team(*wanted).out
    (rule,) = team("expected", "list", "--json").json
    assert (rule["sender"], rule["swallowed"]) == ("95554", 0)
    assert "0 sightings were released" in team("expected", "end", str(rule["rule_id"])).out


WRONG = [
    (("route", "add", "nobody"), "field endpoint"),
    (("route", "add", "team", "--source", "NOWHERE"), "field source"),
    (("route", "add", "team", "--region", "浙江"), "field region"),
    (("route", "add", "team", "--after", "0"), "field after"),
    (("route", "remove", "9"), "there is no rule 9"),
    (("expected", "add", "x", "--kind", "sms", "--sender", "1", "--days", "0"), "field days"),
    (("expected", "end", "9"), "9"),
    (("endpoint", "redeliver", "nobody"), "nobody"),
    (("endpoint", "add", "e", "http://2130706433/x"), "field url"),
    (("endpoint", "add", "e", "http://169.254.169.254/x"), "field url"),
    (("endpoint", "add", "team", "http://127.0.0.1/x"), "already"),
    (("endpoint", "add", "e", "http://127.0.0.1/x", "--quiet", "22:00"), "field quiet"),
    (("endpoint", "add", "e", "http://127.0.0.1/x", "--option", "x"), "field option"),
]


def test_wrong_words_are_told_in_a_sentence(team: Canary) -> None:
    said = {words: team(*words) for words, _ in WRONG}
    assert [words for words, done in said.items() if done.code != 1] == []
    assert [words for words, told in WRONG if told not in said[words].err] == []
