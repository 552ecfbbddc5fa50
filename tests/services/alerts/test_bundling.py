"""A burst reaches a chat robot as one message; nothing is lost and nobody is flooded."""

from collections.abc import Sequence
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from canary.domain.alerts import AlertType
from canary.jobs import Delivering
from canary.services.alerts import delivering
from canary.services.alerts.alerting import put_alert
from canary.services.alerts.bundling import PACES, bundle
from canary.services.alerts.delivering import deliver_line, list_due_by_endpoint
from canary.storage.tables import Alert, Delivery, Endpoint
from tests.factories import PUBLIC_URL, Office
from tests.fakes import NOW
from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.outbound.formats.wording import chat_text


def put(office: Office, count: int) -> None:
    with office.database.write() as session:
        for number in range(count):
            data = {"title": f"leak {number}", "lines": [], "severity": "warning"}
            put_alert(
                session,
                AlertType.INCIDENT_OPENED,
                incident_id=None,
                revision=number,
                data=data,
                now=office.clock(),
            )


@pytest.fixture
def robot(office: Office) -> Office:
    office.add_endpoint("chat")
    office.change(Endpoint, office.only(Endpoint).id, format="dingtalk")
    return office


def deliver(office: Office) -> int:
    """Deliver as the job does; return how many deliveries were tried."""
    with office.database.read() as session:
        due = list_due_by_endpoint(session, office.clock())
    return sum(
        deliver_line(office.outbox, line, "postman")
        for endpoint_id, ids in due.items()
        for line in delivering.cut_lines(office.database, endpoint_id, ids, 20)
    )


def test_burst_is_one_message(robot: Office) -> None:
    put(robot, 150)
    assert deliver(robot) == 150
    (sent,) = robot.sender.sent
    assert sent.data["title"] == "150 alerts in one message"
    rows = robot.rows(Delivery)
    assert {(row.state, row.attempts) for row in rows} == {("done", 1)}
    assert rows[0].last_answer.startswith("150 in one message")


def test_few_alerts_stay_their_own(robot: Office) -> None:
    put(robot, 3)
    deliver(robot)
    assert [one.id for one in robot.sender.sent] == [one.ref for one in robot.rows(Alert)]


def test_systems_get_each_alert(office: Office) -> None:
    office.add_endpoint("system")
    put(office, 45)
    assert deliver(office) == len(office.sender.sent) == 45


def test_robot_rests_after_what_it_took(robot: Office) -> None:
    """Twenty a minute: whoever sends more is refused, at DingTalk for ten minutes."""
    for _ in range(60):
        put(robot, 1)
        deliver(robot)
        robot.clock.move(timedelta(seconds=1))
    assert 15 <= len(robot.sender.sent) <= 20
    robot.clock.move(timedelta(minutes=1))
    deliver(robot)
    assert robot.count(Delivery, state="done") == 60


def test_refused_bundle_is_told_again(robot: Office) -> None:
    put(robot, 9)
    robot.sender.failures = [DeliveryError("errcode 130101", retry_after=30)]
    deliver(robot)
    assert {(row.state, row.attempts) for row in robot.rows(Delivery)} == {("waiting", 1)}
    assert robot.only(Endpoint).failures == 1
    robot.clock.move(timedelta(minutes=1))
    deliver(robot)
    assert robot.count(Delivery, state="done") == 9
    assert len({one.id for one in robot.sender.sent}) == 1


def test_job_hands_over_the_whole_line(robot: Office) -> None:
    put(robot, 60)
    begun = Event()
    robot.sender.while_sending = begun.set
    delivering = Delivering(robot.outbox, "postman")
    delivering()
    assert begun.wait(120)
    delivering.stop()
    assert len(robot.sender.sent) == 1
    assert robot.count(Delivery, state="done") == 60


def tell(number: int, **data: Any) -> Message:
    known = {"title": f"t{number}", "incident": number, "severity": "warning"}
    link = f"{PUBLIC_URL}/incidents/{number}"
    return Message(
        id=f"msg-{number}",
        type="incident.opened",
        occurred_at=NOW,
        data={**known, "link": link, **data},
        lang="en",
    )


def burst(*more: Message) -> Sequence[Message]:
    return [*(tell(n, verdict="weak") for n in range(40)), *more]


def test_gravest_stands_in_front() -> None:
    grave = tell(99, severity="critical", verdict="confirmed", named=["OUT-A1"])
    told = bundle(burst(grave))
    assert told.data["lines"][:4] == [
        "Alert msg-99 and others",
        "confirmed 1, weak, for triage only 40",
        "Sources named (1): OUT-A1",
        "#99 t99",
    ]
    assert told.data["lines"][-1].startswith("29 more are not listed")
    assert (told.data["severity"], told.data["link"]) == ("critical", f"{PUBLIC_URL}/incidents")


def test_same_alerts_make_the_same_id() -> None:
    assert bundle(burst()).id == bundle(list(reversed(burst()))).id


def test_what_counts_survives_a_short_message() -> None:
    """WeCom takes 2,048 bytes."""
    long = [tell(n, title="泄漏" * 90, verdict="probable", named=[f"S{n}"]) for n in range(50)]
    text = chat_text(bundle(long), 2048)
    assert len(text.encode()) <= 2048
    assert all(words in text for words in ("probable 50", "Sources named (50)", "/incidents"))


def test_every_chat_format_has_a_pace() -> None:
    from webhooks.outbound.registry import FORMATS

    assert set(PACES) < set(FORMATS)
    assert {"dingtalk", "wecom", "feishu"} <= set(PACES)
