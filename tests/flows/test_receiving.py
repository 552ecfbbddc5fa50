"""What the door answers, and that nothing is half stored whatever comes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests

from canary.storage.tables import InboxPost, Reporter, Sighting
from tests.flows.conftest import PATIENCE, House
from webhooks import signing


def is_plain(answer: requests.Response) -> bool:
    """Tell whether an answer gives nothing of the inside away."""
    return not any(word in answer.text for word in ("Traceback", 'File "', "Error(", "sqlite"))


def test_bad_signature_is_401(house: House) -> None:
    headers = house.sign(b"other bytes")
    answer = house.post("market", b"these bytes", headers)
    assert answer.status_code == 401
    assert is_plain(answer)
    assert house.office.count(InboxPost) == 0


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6), timedelta(days=900)])
def test_stale_timestamp_is_401(house: House, age: timedelta) -> None:
    at = datetime.now(UTC) - age
    headers = signing.headers([house.page_secret], "msg_1", at, b"page")
    assert house.post("market", b"page", headers).status_code == 401
    assert house.office.count(InboxPost) == 0


@pytest.mark.parametrize("name", ["nobody", "market/wrong-path-secret", "%00", "x" * 500])
def test_unknown_reporter_is_no_different(house: House, name: str) -> None:
    answer = house.post(name, b"page", house.sign(b"page"))
    assert (answer.status_code, answer.content) == (401, b"")
    assert house.office.count(InboxPost) == 0


def test_two_mebibytes_are_413(house: House) -> None:
    answer = house.post_signed(b"x" * (2 << 20))
    assert answer.status_code == 413
    assert is_plain(answer)
    assert house.office.count(InboxPost) == 0


def test_two_mebibytes_in_chunks_are_413(house: House) -> None:
    """Without a length the door must count while it reads."""
    body = b"x" * (2 << 20)
    chunks = (body[at : at + 65536] for at in range(0, len(body), 65536))
    try:
        answer = requests.post(
            f"{house.base_url}/hooks/market",
            data=chunks,
            headers=house.sign(body),
            timeout=PATIENCE,
        )
    except requests.ConnectionError:
        pass
    else:
        assert answer.status_code == 413
    assert house.office.count(InboxPost) == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "empty"), (b"  \r\n ", "empty")],
)
def test_empty_page_is_400(house: House, body: bytes, reason: str) -> None:
    answer = house.post_signed(body)
    assert answer.status_code == 400
    assert reason in house.office.only(InboxPost, state="dead").failure


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00{",
        b'{"kind": "sms", "text": "\xff\xff"}',
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"text": NaN}',
    ],
)
def test_unreadable_json_is_400(house: House, body: bytes) -> None:
    headers = {**house.sign(body), "Content-Type": "application/json"}
    answer = house.post("ours", body, headers)
    assert answer.status_code == 400
    assert is_plain(answer)
    assert {post.state for post in house.office.posts()} == {"dead"}
    assert house.office.triage() == 0


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [("image/png", ""), ("application/pdf", ""), ("text/html", "gzip"), ("multipart/x", "")],
)
def test_unknown_type_is_415(house: House, content_type: str, encoding: str) -> None:
    more = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
    assert house.post_signed(b"\x89PNG....", **more).status_code == 415


def test_invalid_utf8_page_is_still_kept(house: House) -> None:
    """A page in any charset, or none, is evidence: its bytes are kept as they came."""
    body = "单号 YT1234567890123 ".encode() + b"\xff\xfe\x80"
    assert house.post_signed(body, **{"Content-Type": "text/html; charset=utf-8"}).ok
    assert house.office.only(InboxPost).body_size == len(body)


def test_hit_miss_and_repeat_answer_alike(house: House) -> None:
    house.office.plant(phones=10)
    hit = (house.office.values_at("OUT-A1")[0].number or "").encode()
    answers = [
        house.post_signed(hit, "msg_hit"),
        house.post_signed(hit, "msg_hit"),
        house.post_signed(b"nothing of ours", "msg_miss"),
    ]
    assert {(one.status_code, one.content) for one in answers} == {(202, b"")}
    assert len({tuple(sorted(set(one.headers) - {"Date"})) for one in answers}) == 1
    assert house.office.count(InboxPost) == 2


def test_repeated_id_with_other_content_is_409(house: House) -> None:
    assert house.post_signed(b"first", "msg_1").status_code == 202
    assert house.post_signed(b"second", "msg_1").status_code == 409
    assert house.office.count(InboxPost) == 1


def test_answered_post_is_already_durable(house: House) -> None:
    assert house.post_signed(b"page").status_code == 202
    assert house.office.only(InboxPost).state == "waiting"
    assert house.office.triage() == 1
    assert house.office.count(Sighting) == 1


def test_switched_off_reporter_is_401(house: House) -> None:
    reporter = house.office.only(Reporter, name="market")
    house.office.change(Reporter, reporter.id, is_active=False)
    assert house.post_signed(b"page").status_code == 401


def test_health_pages_answer(house: House) -> None:
    for path in ("/healthz", "/readyz"):
        assert requests.get(house.base_url + path, timeout=PATIENCE).status_code == 200


def test_stranger_is_sent_to_sign_in(house: House) -> None:
    answer = requests.get(house.base_url + "/", timeout=PATIENCE, allow_redirects=False)
    assert answer.status_code in {302, 303}
    assert "/sign-in" in answer.headers["Location"]


def test_signed_json_is_taken(house: House) -> None:
    said = {"kind": "listing", "text": "单号 YT1234567890123", "venue": "x.example"}
    body = json.dumps({"type": "report", "data": said}).encode()
    answer = house.post("ours", body, {**house.sign(body), "Content-Type": "application/json"})
    assert answer.status_code == 202, answer.text
    assert house.office.only(InboxPost).state == "waiting"
