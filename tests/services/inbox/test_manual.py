"""What a person brings: text, tables, a picture with what can be read in it."""

import io
import zipfile

import openpyxl
import pytest

from canary.domain.errors import Invalid
from canary.services.detection.triage import open_reports
from canary.services.inbox.manual import HandReport, report_by_hand
from canary.storage.tables import InboxPost, Match
from tests.factories import Office
from webhooks.reports import Report

PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
NUMBER = "YT1234567890123"


def bring(office: Office, body: bytes, transcription: str = "") -> str:
    given = HandReport(
        body=body, venue="群", basis="public group", actor="lin", transcription=transcription
    )
    return report_by_hand(office.database, office.vault, given, now=office.clock())


def only_report(office: Office) -> Report:
    with office.database.read() as session:
        post = session.get_one(InboxPost, office.only(InboxPost).id)
        (report,) = open_reports(office.vault, post)
    return report


def workbook(*rows: tuple[str, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030"])
def test_tsv_is_read_as_text(office: Office, codec: str) -> None:
    bring(office, f"单号\t收件人\r\n{NUMBER}\t王小明\r\n".encode(codec))
    assert f"{NUMBER}\t王小明" in only_report(office).text


def test_every_row_of_a_workbook_is_read_once(office: Office) -> None:
    bring(office, workbook(("单号", "收件人"), *((f"YT{n:013d}", "王") for n in range(3000))))
    text = only_report(office).text
    assert [text.count(f"YT{n:013d}") for n in (0, 1499, 2999)] == [1, 1, 1]


def test_bait_in_a_workbook_is_found(office: Office) -> None:
    office.plant(phones=20, per_source=2)
    number = office.values_at("OUT-A1")[0].number or ""
    bring(office, workbook(("单号",), (number,)))
    office.triage()
    assert office.only(Match).kind == "number"


def test_picture_needs_what_it_shows(office: Office) -> None:
    with pytest.raises(Invalid):
        bring(office, PICTURE)
    assert office.count(InboxPost) == 0
    bring(office, PICTURE, f"截图：{NUMBER} 王小明")
    report = only_report(office)
    assert NUMBER in report.text
    assert report.details["transcribed_by"] == "lin"
    assert office.only(InboxPost).body_size == len(PICTURE)


def test_same_file_is_taken_once(office: Office) -> None:
    assert bring(office, b"text") == bring(office, b"text")
    assert bring(office, b"text", "said") != bring(office, b"text")


def test_bomb_is_refused_in_bounds(office: Office) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.txt", b"0" * (80 << 20))
    with pytest.raises(Invalid):
        bring(office, out.getvalue())
