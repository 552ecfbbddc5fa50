"""Monitors for programs: added, looked at, listed; nothing of the address is told."""

from flask.testing import FlaskClient

from tests.fakes import FakeFetcher

URL = "https://danhao.example/list?sid=1"
WANTED = {
    "name": "market",
    "url": URL,
    "basis": "a public page",
    "selector": "table.list > tr",
    "headers": ["Cookie: sid=2"],
    "from_tip": True,
}


def test_monitor_is_added_looked_at_and_listed(
    client: FlaskClient, headers: dict[str, str], site: FakeFetcher
) -> None:
    added = client.post("/api/v1/monitors", headers=headers, json=WANTED)
    assert (added.status_code, added.json["channel_class"]) == (201, "own_tip")
    site.put(URL, "<table class=list><tr><td>78901234567801</td></tr></table>" + " " * 2000)
    looked = client.post("/api/v1/monitors/market/check", headers=headers)
    assert (looked.json["state"], looked.json["added"]) == ("changed", 1)
    assert site.asked == [(URL, {"Cookie": "sid=2"})]
    told = client.get("/api/v1/monitors", headers=headers)
    assert told.json["items"][0]["state"] == "changed"
    assert b"sid" not in told.data


def test_second_of_a_name_is_a_conflict(client: FlaskClient, headers: dict[str, str]) -> None:
    answers = [client.post("/api/v1/monitors", headers=headers, json=WANTED) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 409]


def test_unknown_monitor_is_404(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/api/v1/monitors/none/check", headers=headers).status_code == 404
