"""The three flows end to end: seed and deliver, webhook to alert, review."""

import csv
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from canary.storage.tables import Alert, AuditEntry, InboxPost, Incident
from tests.flows.conftest import PATIENCE, Browser, House, Receiver
from webhooks.digests import hmac_base64

SEEDS = (11, 29)
DEMO = (sys.executable, "-m", "canary", "demo", "--no-serve", "--json")


def post_sms(house: House, text: str, phone: str) -> int:
    """Post as SmsForwarder does: a form with its default display and its sign."""
    stamp = str(int(datetime.now(UTC).timestamp() * 1000))
    sign = hmac_base64(house.sms_secret, f"{stamp}\n{house.sms_secret}".encode())
    display = (
        f"+8617012345678\n{text}\nSIM1_中国移动_+86{phone}\nSubId：1\n2026-11-20 14:00:00\nRack"
    )
    form = {"from": "+8617012345678", "content": display, "timestamp": stamp}
    body = urlencode({**form, "sign": quote(sign, safe="")}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return int(house.post("rack", body, headers).status_code)


def leak_everything(house: House, code: str) -> None:
    """Post a GB18030 page with every bait of a source, numbers full-width and cut up."""
    rows = [
        f"<tr><td>{(one.number or '').translate(WIDE)}</td><td>{one.name[:1]}**</td></tr>"
        for one in house.office.values_at(code)
        if one.name
    ]
    page = f"<html><table>{''.join(rows)}</table>一手单号</html>".encode("gb18030")
    headers = {"Content-Type": "text/html; charset=gb2312", "X-Canary-Venue": "danhao.example"}
    assert house.post_signed(page, **headers).status_code == 202


WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


@pytest.fixture
def planted(house: House) -> House:
    house.office.plant(per_source=12)
    return house


def test_seeded_baits_reach_their_sheets(house: House, tmp_path: Path) -> None:
    office = house.office
    office.import_sources()
    office.import_phones()
    office.seed(per_source=3)
    sheets = office.hand_over(tmp_path / "sheets")
    office.confirm()
    written = [
        line["运单号"].lstrip("'")
        for sheet in sheets
        for line in csv.DictReader(Path(sheet.file).read_text("utf-8-sig").splitlines())
    ]
    known = {one.number for one in office.all_values(is_control=False)}
    assert set(written) == known
    assert len(written) == 21


@pytest.mark.usefixtures("jobs")
def test_leak_ends_in_a_signed_alert(planted: House, receiver: Receiver) -> None:
    leak_everything(planted, "OUT-B1")
    assert receiver.arrived.wait(PATIENCE)
    message_id, message = receiver.taken[0]
    assert message["type"] == "incident.opened"
    assert message["data"]["named"] == ["OUT-B1"]
    assert message_id == planted.office.only(Alert).ref
    assert receiver.forged == 0


@pytest.mark.usefixtures("jobs")
def test_spam_to_a_bait_phone_is_noticed(planted: House, receiver: Receiver) -> None:
    victim = next(one for one in planted.office.values_at("OUT-B1") if one.phone)
    assert post_sms(planted, "您的包裹破损可双倍理赔", victim.phone or "") == 200
    assert receiver.arrived.wait(PATIENCE)
    assert planted.office.only(Incident).sighting_count == 1


def test_noise_raises_no_alert(planted: House, receiver: Receiver) -> None:
    assert planted.post_signed("单号 YT9988776655443 张三 138****0000".encode()).ok
    assert post_sms(planted, "【菜鸟驿站】您的包裹已到站", "13900000000") == 200
    planted.office.work()
    assert {post.state for post in planted.office.posts()} == {"done"}
    assert planted.office.count(InboxPost) == 2
    assert planted.office.count(Incident) == planted.office.count(Alert) == 0


@pytest.mark.usefixtures("jobs")
def test_reviewed_incident_is_closed(planted: House, receiver: Receiver, browser: Browser) -> None:
    leak_everything(planted, "OUT-B1")
    receiver.wait_for("incident.opened")
    path = f"/incidents/{planted.office.only(Incident).id}"
    page = browser.get(path)
    assert "OUT-B1" in page or "鄞州网点" in page
    assert "OUT-B1" in browser.get("/sources")
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    answer = browser.post(
        f"{path}/decision", page, decision="confirm", reason="checked", version=version[1]
    )
    assert answer.status_code == 303, answer.text
    assert planted.office.only(Incident).state == "confirmed"
    assert planted.office.only(AuditEntry, action="incident.confirmed").actor == "lin"
    receiver.wait_for("incident.closed")
    receiver.wait_for("bait.burned")


@pytest.mark.parametrize("seed", SEEDS)
def test_demo_names_the_true_source(seed: int) -> None:
    """`canary demo` as people run it; which source leaks is drawn by the seed."""
    done = subprocess.run(
        [*DEMO, "--random-seed", str(seed)],
        capture_output=True,
        check=False,
        timeout=900,
    )
    told = json.loads(done.stdout)
    assert told["named"] == [told["truth"]] == [told["leaking_source"]]
    assert done.returncode == 0
    assert told["verdict"] in {"probable", "confirmed"}
    assert b"Traceback" not in done.stderr
