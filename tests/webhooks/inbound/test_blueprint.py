"""The receiving routes: order of checks, answers, keys."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webhooks.errors import InboxBusy
from webhooks.inbound.proofs import path_secret_digest
from webhooks.inbound.registry import READERS

REPORT = json.dumps({"type": "report", "data": {"kind": "listing", "text": "78901234567890"}})
Sign = Callable[..., dict[str, str]]


def test_signed_report_is_taken(client: FlaskClient, inbox: Any, sign_headers: Sign) -> None:
    answer = client.post("/hooks/ours", data=REPORT, headers=sign_headers(REPORT.encode()))
    assert (answer.status_code, answer.data) == (202, b"")
    (arrival,) = inbox.arrivals.values()
    assert arrival.key == "id:msg_1"
    assert arrival.grade == "signed"
    assert arrival.post.body == REPORT.encode()


def test_repeat_gets_the_same_answer(client: FlaskClient, inbox: Any, sign_headers: Sign) -> None:
    answers = [
        client.post("/hooks/ours", data=REPORT, headers=sign_headers(REPORT.encode()))
        for _ in range(2)
    ]
    assert answers[0].status_code == answers[1].status_code == 202
    assert dict(answers[0].headers) == dict(answers[1].headers)
    assert len(inbox.arrivals) == 1


def test_reused_id_with_other_body_conflicts(client: FlaskClient, sign_headers: Sign) -> None:
    other = REPORT.replace("78901234567890", "78901234567891")
    client.post("/hooks/ours", data=REPORT, headers=sign_headers(REPORT.encode()))
    answer = client.post("/hooks/ours", data=other, headers=sign_headers(other.encode()))
    assert answer.status_code == 409


def test_strangers_learn_nothing_from_refusals(
    client: FlaskClient, inbox: Any, sign_headers: Sign
) -> None:
    inbox.add("off", format="standard", secrets=inbox.reporters["ours"].secrets, active=False)
    inbox.add("odd", format="nonsense", secrets=inbox.reporters["ours"].secrets)
    good = sign_headers(REPORT.encode())
    answers = [
        client.post("/hooks/nobody", data=REPORT, headers=good),
        client.post("/hooks/nobody/path", data=REPORT, headers=good),
        client.post("/hooks/off", data=REPORT, headers=good),
        client.post("/hooks/odd", data=REPORT, headers=good),
        client.post("/hooks/ours", data=REPORT),
        client.post("/hooks/ours", data="no json"),
        client.post("/hooks/ours/wrong", data=REPORT, headers=good),
        client.get("/hooks/ours"),
    ]
    assert {(one.status_code, one.data) for one in answers} == {(401, b"")}
    assert len({str(one.headers) for one in answers}) == 1
    assert not inbox.arrivals
    assert not inbox.dead


def test_new_secret_counts_at_once(client: FlaskClient, inbox: Any, sign_headers: Sign) -> None:
    """What is remembered of a reporter refuses no post and lets none in."""
    known = inbox.reporters["ours"]
    inbox.changed["ours"] = known
    inbox.reporters["ours"] = replace(known, secrets=("whsec_" + "B" * 44,))
    answer = client.post("/hooks/ours", data=REPORT, headers=sign_headers(REPORT.encode()))
    assert answer.status_code == 202


def test_dropped_secret_ends_at_once(client: FlaskClient, inbox: Any, sign_headers: Sign) -> None:
    inbox.changed["ours"] = replace(inbox.reporters["ours"], secrets=("whsec_" + "B" * 44,))
    answer = client.post("/hooks/ours", data=REPORT, headers=sign_headers(REPORT.encode()))
    assert answer.status_code == 401
    assert not inbox.arrivals


def test_proven_but_unreadable_post_is_kept_dead(
    client: FlaskClient, inbox: Any, sign_headers: Sign
) -> None:
    body = b'{"type":"report","data":{"kind":"listing","text":"\xff"}}'
    answer = client.post("/hooks/ours", data=body, headers=sign_headers(body))
    assert answer.status_code == 400
    ((reporter, post, reason),) = inbox.dead
    assert (reporter.name, post.body, reason) == ("ours", body, "not UTF-8")


def test_empty_body_is_kept_dead(client: FlaskClient, inbox: Any, sign_headers: Sign) -> None:
    answer = client.post("/hooks/ours", data=b"", headers=sign_headers(b""))
    assert answer.status_code == 400
    assert len(inbox.dead) == 1


@pytest.mark.parametrize("size", [20_001, 3_000_000])
def test_declared_size_beyond_cap_is_refused(client: FlaskClient, size: int) -> None:
    assert client.post("/hooks/ours", data=b"x" * size).status_code == 413


def test_undeclared_size_is_read_to_cap_only(client: FlaskClient) -> None:
    stream = io.BytesIO(b"x" * 3_000_000)
    answer = client.post(
        "/hooks/ours",
        input_stream=stream,
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == 413
    assert stream.tell() <= 20_001


def test_body_at_cap_is_read(client: FlaskClient, inbox: Any, sign_headers: Sign) -> None:
    body = REPORT.encode() + b" " * (20_000 - len(REPORT))
    answer = client.post("/hooks/ours", data=body, headers=sign_headers(body))
    assert answer.status_code == 202


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_packed_body_is_refused(client: FlaskClient, encoding: str) -> None:
    answer = client.post("/hooks/ours", data=b"x", headers={"Content-Encoding": encoding})
    assert answer.status_code == 415


def test_body_that_breaks_off_is_refused(client: FlaskClient) -> None:
    answer = client.post(
        "/hooks/ours", input_stream=io.BytesIO(b"abc"), environ_overrides={"CONTENT_LENGTH": "500"}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "TRACE"])
def test_other_methods_do_not_exist(client: FlaskClient, method: str) -> None:
    assert client.open("/hooks/ours", method=method).status_code in (401, 405)


def test_proven_post_with_wrong_method_is_refused(client: FlaskClient, sign_headers: Sign) -> None:
    answer = client.open("/hooks/ours", method="PATCH", data=b"{}", headers=sign_headers(b"{}"))
    assert answer.status_code == 405


def test_busy_inbox_answers_retry_after(
    client: FlaskClient, inbox: Any, sign_headers: Sign
) -> None:
    for status in (429, 503):
        inbox.refusal = InboxBusy("full", retry_after=7, status=status)
        answer = client.post("/hooks/ours", data=REPORT, headers=sign_headers(REPORT.encode()))
        assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")


def test_path_secret_opens_and_is_not_kept(client: FlaskClient, inbox: Any) -> None:
    inbox.add("crawler", format="page", path_secret_digest=path_secret_digest("s3cret"))
    answer = client.post("/hooks/crawler/s3cret?venue=qq", data="单号 78901".encode("gb18030"))
    assert answer.status_code == 202
    (arrival,) = inbox.arrivals.values()
    assert arrival.grade == "weak"
    assert "s3cret" not in repr(arrival)
    assert arrival.reports[0].text == "单号 78901"


@pytest.mark.parametrize("path", ["", "/", "/wrong", "/s3cre", "/%73", "/é"])
def test_wrong_path_secret_is_refused(client: FlaskClient, inbox: Any, path: str) -> None:
    inbox.add("crawler", format="page", path_secret_digest=path_secret_digest("s3cret"))
    assert client.post(f"/hooks/crawler{path}", data="x").status_code in (401, 404)


def test_reporter_without_any_proof_is_refused(client: FlaskClient, inbox: Any) -> None:
    for format_name in ("page", "smsforwarder", "standard"):
        inbox.add("bare", format=format_name)
        answers = [client.post(path, data="from=1&content=x") for path in ("/hooks/bare",)]
        assert [one.status_code for one in answers] == [401]


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        ("198.51.100.7", "", 202),
        ("198.51.100.8", "", 401),
        ("198.51.100.8", "198.51.100.7", 401),
        ("10.1.1.1", "198.51.100.7", 202),
        ("10.1.1.1", "198.51.100.7, 203.0.113.5", 401),
        ("10.1.1.1", "203.0.113.5, 198.51.100.7", 202),
        ("10.1.1.1", "198.51.100.7, 10.2.2.2", 202),
        ("10.1.1.1", "nonsense", 401),
        ("::ffff:198.51.100.7", "", 202),
    ],
)
def test_address_list_looks_behind_trusted_proxies(
    client: FlaskClient, inbox: Any, peer: str, forwarded: str, status: int
) -> None:
    inbox.add(
        "crawler",
        format="page",
        path_secret_digest=path_secret_digest("s3cret"),
        allowed_addresses=("198.51.100.7/32",),
    )
    answer = client.post(
        "/hooks/crawler/s3cret",
        data="x",
        headers={"X-Forwarded-For": forwarded},
        environ_overrides={"REMOTE_ADDR": peer},
    )
    assert answer.status_code == status


@pytest.mark.parametrize("name", READERS)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=25,
)
@given(
    body=st.binary(max_size=80) | st.sampled_from([b'{"id":[],"text":"x"}', b"content=x&id=%00"]),
    kind=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded", "text/x"]),
    key=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH"]),
)
def test_no_stranger_chooses_a_500(  # one name for each part of a request
    client: FlaskClient, inbox: Any, name: str, body: bytes, kind: str, key: str, method: str
) -> None:
    inbox.add("any", format=name, secrets=("k3y",), path_secret_digest=path_secret_digest("p"))
    for path in ("/hooks/any/p", "/hooks/any", "/hooks/any/q"):
        headers = {"Content-Type": kind, "Idempotency-Key": key, "Authorization": "Bearer k3y"}
        answer = client.open(path, method=method, data=body, headers=headers)
        assert answer.status_code in (200, 202, 400, 401, 405, 409, 415)


def test_idempotency_key_folds_repeats(client: FlaskClient, inbox: Any) -> None:
    inbox.add("crawler", format="page", path_secret_digest=path_secret_digest("s3cret"))
    statuses = [
        client.post(
            "/hooks/crawler/s3cret", data=body, headers={"Idempotency-Key": "k1"}
        ).status_code
        for body in (b"one", b"one", b"two")
    ]
    assert statuses == [202, 202, 409]


def test_equal_bodies_without_ids_fold(client: FlaskClient, inbox: Any) -> None:
    inbox.add("crawler", format="page", path_secret_digest=path_secret_digest("s3cret"))
    for body in (b"one", b"one", b"two"):
        client.post("/hooks/crawler/s3cret", data=body)
    assert len(inbox.arrivals) == 2


def test_queries_of_gets_are_told_apart(client: FlaskClient, inbox: Any) -> None:
    inbox.add("phone", format="smsforwarder", path_secret_digest=path_secret_digest("s3cret"))
    for text in ("one", "one", "two"):
        client.get(f"/hooks/phone/s3cret?from=10690000&content={text}&timestamp=1773815400000")
    assert len(inbox.arrivals) == 2


@pytest.mark.parametrize("key", ["x" * 5000, "\x7f\x01", "é" * 300])
def test_hostile_keys_stay_short_and_plain(client: FlaskClient, inbox: Any, key: str) -> None:
    inbox.add("crawler", format="page", path_secret_digest=path_secret_digest("s3cret"))
    client.post("/hooks/crawler/s3cret", data=b"x", headers={"Idempotency-Key": key})
    (stored,) = inbox.arrivals
    assert len(stored) <= 200
    assert stored.isprintable()
