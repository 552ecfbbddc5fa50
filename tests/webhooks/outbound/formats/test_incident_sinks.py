"""PagerDuty, Splunk, TheHive, MISP and STIX over real HTTP, refusals included."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from webhooks.errors import DeliveryError

Make = Callable[..., Any]
PAGERDUTY = {"status": "success", "message": "Event processed", "dedup_key": "INC-42"}


def test_pagerduty_groups_by_incident(deliver: Make, make_message: Make) -> None:
    opened = deliver("pagerduty", make_message(), PAGERDUTY, status=202, path="/v2/enqueue")
    closed = deliver("pagerduty", make_message(closed=True), PAGERDUTY, status=202, path="/v2")
    assert opened.get_json()["dedup_key"] == closed.get_json()["dedup_key"] == "INC-42"
    assert opened.get_json()["event_action"] == "trigger"
    assert closed.get_json()["event_action"] == "resolve"


@pytest.mark.parametrize(("status", "permanent"), [(400, True), (429, False), (500, False)])
def test_pagerduty_refusals_are_told_apart(
    deliver: Make, make_message: Make, status: int, permanent: bool
) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("pagerduty", make_message(), {"status": "invalid event"}, status=status, path="/v2")
    assert failure.value.permanent is permanent


def test_splunk_takes_event_in_seconds(deliver: Make, make_message: Make) -> None:
    answer = {"text": "Success", "code": 0}
    sent = deliver("splunk", make_message(), answer, path="", index="canary", channel="c-1")
    assert sent.path == "/services/collector/event"
    assert sent.headers["Authorization"] == "Splunk demo"
    assert sent.get_json()["time"] == 1773815400.0
    assert sent.get_json()["index"] == "canary"


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [(503, 9, False), (200, 9, False), (403, 4, True), (400, 6, True), (200, 5, False)],
)
def test_splunk_refusals_are_told_apart(
    deliver: Make, make_message: Make, status: int, code: int, permanent: bool
) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("splunk", make_message(), {"text": "x", "code": code}, status=status, path="")
    assert failure.value.permanent is permanent


def test_thehive_takes_alert(deliver: Make, make_message: Make) -> None:
    sent = deliver("thehive", make_message(), {"_id": "~1"}, status=201, path="/")
    assert sent.path == "/api/v1/alert"
    assert sent.get_json()["sourceRef"] == "INC-42"
    assert sent.get_json()["severity"] == 4
    assert sent.get_json()["date"] == 1773815400000


def test_thehive_repeat_counts_as_taken(deliver: Make, make_message: Make) -> None:
    answer = {"type": "CreateError", "message": "Alert incident.opened:x:INC-42 already exist"}
    assert deliver("thehive", make_message(), answer, status=400, path="")


def test_thehive_other_refusal_is_permanent(deliver: Make, make_message: Make) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("thehive", make_message(), {"type": "AuthenticationError"}, status=401, path="")
    assert failure.value.permanent


def test_misp_gets_paste_object(deliver: Make, make_message: Make) -> None:
    sent = deliver("misp", make_message(), {"Event": {"id": "1"}}, path="/")
    event = sent.get_json()["Event"]
    attributes = {one["object_relation"]: one for one in event["Object"][0]["Attribute"]}
    assert sent.path == "/events/add"
    assert sent.headers["Authorization"] == "demo"
    assert attributes["url"]["value"] == "http://resale.example/list?p=1"
    assert not any(one["to_ids"] for one in attributes.values())
    assert UUID(event["uuid"])


@pytest.mark.parametrize(("dismissed", "kind"), [(True, "1"), (False, "0")])
def test_misp_review_becomes_sighting(
    deliver: Make, make_message: Make, dismissed: bool, kind: str
) -> None:
    message = make_message(closed=True, dismissed=dismissed)
    sent = deliver("misp", message, {"message": "1 sighting added"}, path="")
    assert (sent.path, sent.get_json()["type"]) == ("/sightings/add", kind)


def test_stix_objects_refer_to_each_other(deliver: Make, make_message: Make) -> None:
    bundle = deliver("stix", make_message(), {"success_count": 5}, status=202, path="/").get_json()
    known = {one["id"] for one in bundle["objects"]}
    named = {
        value for one in bundle["objects"] for key, value in one.items() if key.endswith("_ref")
    }
    lists = [one[key] for one in bundle["objects"] for key in one if key.endswith("_refs")]
    assert bundle["type"] == "bundle"
    assert named | {entry for one in lists for entry in one} <= known


def test_stix_pattern_is_quoted(deliver: Make, make_message: Make) -> None:
    message = make_message(url="http://x.example/'] OR [file:name = '\\")
    bundle = deliver("stix", message, {}, path="/").get_json()
    (pattern,) = [one["pattern"] for one in bundle["objects"] if one["type"] == "indicator"]
    assert pattern == r"[url:value = 'http://x.example/\'] OR [file:name = \'\\']"


def test_stix_ids_stay_over_attempts(deliver: Make, make_message: Make) -> None:
    first = deliver("stix", make_message(), {}, path="/").get_json()
    again = deliver("stix", make_message(), {}, path="/").get_json()
    assert first == again


def test_taxii_failures_are_permanent(deliver: Make, make_message: Make) -> None:
    with pytest.raises(DeliveryError) as failure:
        deliver("stix", make_message(), {"failure_count": 2}, status=202, path="/", taxii=True)
    assert failure.value.permanent
