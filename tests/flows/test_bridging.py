"""The bridge as modem daemons run it: a process of its own, against a real server."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from canary.services.detection.triage import open_reports
from canary.services.inbox.reporters import set_options
from canary.storage.tables import InboxPost
from tests.flows.conftest import House
from webhooks.reports import Report

TEXT = "您的包裹 YT1234567890123 已到【圆通】"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Copy the bridge away from its package, as an operator does."""
    printed = subprocess.run(
        [sys.executable, "-m", "canary", "bridge"], capture_output=True, check=True
    )
    path = tmp_path / "canary-bridge"
    path.write_bytes(printed.stdout)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def run(house: House, script: Path, *arguments: str, **more: str) -> int:
    environment = {
        "PATH": os.environ["PATH"],
        "CANARY_HOOK": f"{house.base_url}/hooks/ours",
        "CANARY_HOOK_SECRET": house.page_secret,
        "CANARY_HOOK_TRIES": "1",
        **more,
    }
    command = [sys.executable, "-I", str(script), *arguments]
    return subprocess.run(command, env=environment, check=False, cwd=script.parent).returncode


def only_report(house: House) -> Report:
    office = house.office
    with office.database.read() as session:
        post = session.get_one(InboxPost, office.only(InboxPost).id)
        (report,) = open_reports(office.vault, post)
    return report


def file_of(folder: Path, alphabet: str, body: bytes) -> str:
    head = (
        "From: 8613900000000\nSent: 26-11-20 09:30:00\nReceived: 26-11-20 09:30:05\n"
        f"Modem: GSM1\nIMSI: 460001234567890\nAlphabet: {alphabet}\n\n"
    )
    path = folder / "GSM1.abc"
    path.write_bytes(head.encode() + body)
    return str(path)


@pytest.mark.parametrize(("alphabet", "codec"), [("UCS2", "utf-16-be"), ("UTF-8", "utf-8")])
def test_message_of_sms_server_tools_arrives(
    house: House, script: Path, tmp_path: Path, alphabet: str, codec: str
) -> None:
    office = house.office
    with office.database.write() as session:
        receivers = {"receivers": {"460001234567890": "13900000001"}}
        set_options(session, office.vault, "ours", receivers, actor="t", now=office.clock())
    path = file_of(tmp_path, alphabet, TEXT.encode(codec))
    assert run(house, script, "RECEIVED", path) == 0
    assert run(house, script, "RECEIVED", path) == 0
    report = only_report(house)
    assert (report.text, report.sender) == (TEXT, "8613900000000")
    assert (report.device, report.receiver) == ("460001234567890", "13900000001")
    assert report.claimed_at is not None


@pytest.mark.parametrize(
    "environment",
    [
        {"SMS_MESSAGES": "2", "SMS_1_TEXT": TEXT[:9], "SMS_2_TEXT": TEXT[9:]},
        {
            "SMS_MESSAGES": "2",
            "SMS_1_TEXT": "x",
            "SMS_2_TEXT": "y",
            "DECODED_PARTS": "1",
            "DECODED_1_TEXT": TEXT,
        },
    ],
)
def test_message_of_gammu_arrives(house: House, script: Path, environment: dict[str, str]) -> None:
    more = {"SMS_1_NUMBER": "+8613900000000", "PHONE_ID": "modem-1", **environment}
    assert run(house, script, "42", **more) == 0
    report = only_report(house)
    assert (report.text, report.sender, report.device) == (TEXT, "+8613900000000", "modem-1")


@pytest.mark.parametrize("event", ["SENT", "REPORT", "FAILED"])
def test_other_events_are_left_alone(house: House, script: Path, event: str) -> None:
    assert run(house, script, event, "/nowhere") == 0
    assert house.office.count(InboxPost) == 0


def test_refusal_is_told_by_the_exit_code(house: House, script: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, "UTF-8", TEXT.encode())
    wrong = "whsec_" + "B" * 44
    assert run(house, script, "RECEIVED", path, CANARY_HOOK_SECRET=wrong) == 1
    assert run(house, script, "RECEIVED", path, CANARY_HOOK="http://127.0.0.1:9/") == 1
    assert house.office.count(InboxPost) == 0
