"""A partner takes orders over HTTP: taken ones are confirmed, read ones exposed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from canary.domain.errors import Invalid
from canary.doors import PartnerSender
from canary.services.baits.connectors import Connector, read_connector
from canary.services.baits.pushing import MOST_FAILURES, Pushed, push_batch
from canary.storage.tables import AuditEntry, Bait, Exposure, Placement
from tests.factories import Office

BODY = {
    "no": "{{number}}",
    "to": {"name": "{{name}}", "full": "{{province}}{{city}} {{detail}}"},
    "items": [{"goods": "{{goods}}", "grams": "{{weight_g}}"}],
    "fixed": 7,
}
FORM = {
    "method": "POST",
    "headers": {"Authorization": "Bearer ${PARTNER_KEY}"},
    "body": BODY,
    "success": {"status": [200], "path": "data.code", "equals": "0"},
}
TAKEN = {"data": {"code": 0}}


@pytest.fixture
def partner() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", port=0) as server:
        yield server


@pytest.fixture
def seeded(office: Office) -> Office:
    office.import_sources()
    office.seed(sources=("OUT-A1",), per_source=3)
    return office


def connect(partner: HTTPServer, **changes: Any) -> Connector:
    content = {**FORM, "url": partner.url_for("/orders"), **changes}
    return read_connector(json.dumps(content).encode(), {"PARTNER_KEY": "s3cret"})


def push(office: Office, partner: HTTPServer, **more: Any) -> Pushed:
    waits: list[float] = more.pop("waits", [])
    changes = more.pop("changes", {})
    return push_batch(
        office.gardener,
        "b1",
        connect(partner, **changes),
        PartnerSender((f"127.0.0.1:{partner.port}",)),
        pause=waits.append,
        **more,
    )


def test_taken_orders_are_confirmed(seeded: Office, partner: HTTPServer) -> None:
    partner.expect_request("/orders", method="POST").respond_with_json(TAKEN)
    result = push(seeded, partner)
    assert (result.orders, result.taken, result.failed) == (3, 3, 0)
    assert {one.state for one in seeded.rows(Bait, is_control=False)} == {"planted"}
    assert {one.confirmed_by for one in seeded.rows(Placement)} == {"partner's answer"}
    assert seeded.count(Exposure, origin="placement") == 3
    assert seeded.only(AuditEntry, action="batch.pushed").details == {"taken": 3, "failed": 0}


def test_order_is_written_as_the_template_says(seeded: Office, partner: HTTPServer) -> None:
    partner.expect_request("/orders").respond_with_json(TAKEN)
    push(seeded, partner)
    first = seeded.values_at("OUT-A1")[0]
    sent, _ = partner.log[0]
    body = json.loads(sent.data)
    assert (body["no"], body["to"]["name"], body["fixed"]) == (first.number, first.name, 7)
    assert body["to"]["full"] == f"{first.province}{first.city} {first.detail}"
    assert isinstance(body["items"][0]["grams"], int)
    assert sent.headers["Authorization"] == "Bearer s3cret"
    assert sent.headers["Idempotency-Key"].startswith("B-")


def test_second_push_sends_nothing(seeded: Office, partner: HTTPServer) -> None:
    partner.expect_request("/orders").respond_with_json(TAKEN)
    push(seeded, partner)
    again = push(seeded, partner)
    assert (again.orders, again.already, len(partner.log)) == (0, 3, 3)


def test_dry_run_sends_and_changes_nothing(seeded: Office, partner: HTTPServer) -> None:
    before = seeded.count_all()
    assert push(seeded, partner, dry_run=True).orders == 3
    assert (seeded.count_all(), len(partner.log)) == (before, 0)


def test_busy_partner_is_asked_again(seeded: Office, partner: HTTPServer) -> None:
    answers = [Response(status=503, headers={"Retry-After": "9"}), Response(status=429)]

    def answer(_: Request) -> Response:
        return answers.pop(0) if answers else Response(json.dumps(TAKEN))

    partner.expect_request("/orders").respond_with_handler(answer)
    waits: list[float] = []
    assert push(seeded, partner, waits=waits).taken == 3
    assert waits == [9.0, 5.0]


@pytest.mark.parametrize(
    ("status", "body", "requests"),
    [(400, "{}", 1), (200, '{"data": {"code": 7}}', 1), (200, "not JSON", 1), (500, "", 4)],
)
def test_refused_order_stays_a_gap(
    seeded: Office, partner: HTTPServer, status: int, body: str, requests: int
) -> None:
    """The partner has read it all the same: its exposure is open."""
    partner.expect_request("/orders").respond_with_data(body, status=status)
    result = push(seeded, partner)
    assert (result.taken, result.failed) == (0, 3)
    assert len(partner.log) == 3 * requests
    assert seeded.count(Placement, confirmed_at=None) == seeded.count(Exposure) == 3


def test_partner_who_is_down_ends_the_push(office: Office, partner: HTTPServer) -> None:
    office.import_sources()
    office.seed(sources=("OUT-A1",), per_source=20)
    partner.expect_request("/orders").respond_with_data("", status=400)
    result = push(office, partner)
    assert (result.failed, len(partner.log)) == (MOST_FAILURES, MOST_FAILURES)
    assert "in a row" in result.problems[-1]


def test_inside_address_must_be_opened(seeded: Office, partner: HTTPServer) -> None:
    with pytest.raises(Invalid, match="may not be called"):
        push_batch(seeded.gardener, "b1", connect(partner), PartnerSender(()), pause=lambda _: None)
    assert seeded.count(Exposure) == 0


def test_problems_and_audit_hold_no_secret(seeded: Office, partner: HTTPServer) -> None:
    partner.expect_request("/orders").respond_with_data("s3cret", status=400)
    result = push(seeded, partner)
    written = repr(result) + repr([one.details for one in seeded.rows(AuditEntry)])
    secrets = ["s3cret", *(str(value.number) for value in seeded.values_at("OUT-A1"))]
    assert not [secret for secret in secrets if secret in written]
    assert "s3cret" not in repr(connect(partner))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "GET"}, "method"),
        ({"url": "ftp://x.example/"}, "url"),
        ({"url": "https://x.example/{{token}}"}, "url"),
        ({"headers": {"X Y": "1"}}, "headers"),
        ({"headers": {"X-Key": "${MISSING_KEY}"}}, "headers.X-Key"),
        ({"headers": {"X-Key": "a\r\nB: c"}}, "headers.X-Key"),
        ({"body": {"a": [{"b": "{{nombre}}"}]}}, "body.a[0].b"),
        ({"success": {"status": [404]}}, "success.status"),
        ({"success": {"path": "data.code"}}, "success.equals"),
        ({"retries": 9}, "retries"),
    ],
)
def test_flawed_connector_names_field_and_mend(changes: dict[str, Any], field: str) -> None:
    content = {**FORM, "url": "https://partner.example/", **changes}
    with pytest.raises(Invalid) as refusal:
        read_connector(json.dumps(content).encode(), {"PARTNER_KEY": "x"})
    assert [flaw.field for flaw in refusal.value.flaws] == [field]
    assert refusal.value.flaws[0].mend


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"url": "https://x/"}'])
def test_broken_connector_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read_connector(content, {})


def test_deep_template_is_refused() -> None:
    body: Any = "x"
    for _ in range(30):
        body = [body]
    with pytest.raises(Invalid, match="nested too deep"):
        read_connector(json.dumps({"url": "https://x.example/", "body": body}).encode(), {})


def test_readme_connector_is_accepted() -> None:
    text = Path("README.md").read_text("utf-8")
    block = text.partition("```json\n")[2].partition("```")[0]
    assert read_connector(block.encode(), {"PARTNER_KEY": "x"}).method == "POST"


def test_local_baits_are_never_pushed(office: Office, partner: HTTPServer) -> None:
    """A partner's interface is a system others can query, which the exposure would not say."""
    office.import_sources()
    office.seed(sources=("OUT-A1",), per_source=3, local=1)
    partner.expect_request("/orders").respond_with_json(TAKEN)
    assert push(office, partner).orders == 2
    assert office.count(Placement, route="local", confirmed_at=None) == 1
