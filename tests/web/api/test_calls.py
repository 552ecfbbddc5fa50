"""What programs get: keys and scopes, pages by cursor, what became of a post."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from canary.services.inbox.intake import find_reporter
from canary.services.people.keys import revoke_key
from canary.web.api.app import OPERATIONS
from canary.web.parts import WebParts
from tests.web.building import Builder

BASE = "/api/v1"
Key = Callable[..., str]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def fill(path: str) -> str:
    return BASE + path.format(name="market", ref="I-AAAAAAAAAA")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_operation_needs_its_scope(client: FlaskClient, make_key: Key, operation: Any) -> None:
    others = [one.scope for one in OPERATIONS if one.scope != operation.scope]
    path, method = fill(operation.path), operation.method
    assert client.open(path, method=method).status_code == 401
    answer = client.open(path, method=method, headers=bearer(make_key(*others)))
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert operation.scope in answer.json["detail"]


@pytest.mark.parametrize(
    "shown",
    ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer wck_K-AAAAAAAAAA_x", "Bearer " + "x" * 999],
)
def test_no_good_key_is_401(client: FlaskClient, shown: str) -> None:
    answer = client.get(f"{BASE}/reporters", headers={"Authorization": shown})
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_revoked_key_is_401_at_once(client: FlaskClient, make_key: Key, parts: WebParts) -> None:
    key = make_key()
    assert client.get(f"{BASE}/reporters", headers=bearer(key)).status_code == 200
    with parts.database.write() as session:
        revoke_key(session, key.split("_")[1], actor="admin", now=parts.clock())
    assert client.get(f"{BASE}/reporters", headers=bearer(key)).status_code == 401


def test_report_is_taken_and_followed(client: FlaskClient, headers: dict[str, str]) -> None:
    said = {"text": "出售单号 78901234567890", "venue": "群", "basis": "public group"}
    taken = client.post(f"{BASE}/reports", json=said, headers=headers)
    assert taken.status_code == 202
    again = client.post(f"{BASE}/reports", json=said, headers=headers)
    assert again.json == taken.json
    post = client.get(taken.json["url"].removeprefix("http://localhost"), headers=headers).json
    assert (post["state"], post["grade"], post["reporter"]) == ("waiting", "manual", "manual")


def test_pages_follow_their_cursor(client: FlaskClient, headers: dict[str, str]) -> None:
    for number in range(5):
        said = {"text": f"text {number}", "venue": "v", "basis": "b"}
        client.post(f"{BASE}/reports", json=said, headers=headers)
    refs, cursor = [], ""
    while True:
        page = client.get(f"{BASE}/inbox?limit=2{cursor}", headers=headers).json
        refs += [post["ref"] for post in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(refs) == len(set(refs)) == 5


def test_reporter_is_added_and_changed(
    client: FlaskClient, headers: dict[str, str], parts: WebParts
) -> None:
    wanted = {"name": "rack", "format": "smsforwarder", "channel_class": "arrival"}
    added = client.post(f"{BASE}/reporters", json=wanted, headers=headers)
    assert added.status_code == 201
    assert client.post(f"{BASE}/reporters", json=wanted, headers=headers).status_code == 409
    changed = client.patch(
        f"{BASE}/reporters/rack",
        json={"is_active": False, "rhythm_seconds": 600},
        headers=headers,
    )
    assert (changed.json["is_active"], changed.json["rhythm_seconds"]) == (False, 600)
    second = client.post(f"{BASE}/reporters/rack/secrets", headers=headers).json["secret"]
    with parts.database.read() as session:
        known = find_reporter(session, parts.vault, "rack")
    assert known
    assert known.secrets.signing == (second, added.json["secret"])


def test_secret_path_is_drawn(client: FlaskClient, headers: dict[str, str]) -> None:
    wanted = {
        "name": "phone",
        "format": "smstourl",
        "channel_class": "arrival",
        "secret_path": True,
    }
    added = client.post(f"{BASE}/reporters", json=wanted, headers=headers).json
    assert added["secret"] is None
    assert len(added["url"].rpartition("/")[2]) == 32


def test_sighting_tells_baits_by_reference(
    client: FlaskClient, headers: dict[str, str], build: Builder
) -> None:
    source = build.source("HZ-01")
    bait = build.bait(build.batch(), source)
    text = "出售 YT9012345678901"
    build.sighting(
        build.reporter(),
        build.incident(source),
        text,
        [(bait, "YT9012345678901", "number")],
        venue="群",
    )
    page = client.get(f"{BASE}/sightings?matched=true", headers=headers)
    (sighting,) = page.json["items"]
    assert [match["bait"] for match in sighting["matches"]] == [bait.ref]
    assert "YT9012345678901" not in page.text
    assert client.get(f"{BASE}/sightings?matched=false", headers=headers).json["items"] == []
    one = client.get(f"{BASE}/sightings/{sighting['ref']}", headers=headers)
    assert one.json == sighting


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"text": NaN}', "application/json", 400),
        (b'{"text":"a","text":"b","venue":"v","basis":"b"}', "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b'{"text":"\\ud800","venue":"v","basis":"b"}', "application/json", 422),
        (b'{"text":"secret-text","venue":"v"}', "application/json", 422),
        (b'{"text":" ","venue":"v","basis":"b"}', "application/json", 422),
        (b"text=a", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"x" * (9 << 20), "application/json", 413),
    ],
)
def test_bad_body_is_a_problem(
    client: FlaskClient, headers: dict[str, str], body: bytes, kind: str, status: int
) -> None:
    answer = client.post(f"{BASE}/reports", data=body, content_type=kind, headers=headers)
    assert answer.status_code == status
    assert answer.json["status"] == status
    assert "secret-text" not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=-1",
        "cursor=" + "9" * 30,
        "who=me",
        "limit=1&limit=2",
    ],
)
def test_bad_query_is_a_problem(client: FlaskClient, headers: dict[str, str], query: str) -> None:
    assert client.get(f"{BASE}/inbox?{query}", headers=headers).status_code == 422


@pytest.mark.parametrize("path", ["/nothing", "/inbox/I-1", "/inbox/%00", "/reporters/a%2Fb", "/"])
def test_unknown_address_is_a_problem(
    client: FlaskClient, headers: dict[str, str], path: str
) -> None:
    answer = client.get(BASE + path, headers=headers)
    assert answer.status_code == 404
    assert json.loads(answer.data)["title"]


def test_docs_page_names_every_operation(client: FlaskClient) -> None:
    page = client.get("/docs").text
    assert all(one.summary in page.replace("&#39;", "'") for one in OPERATIONS)
