"""Paste or upload, see what is in it, file it: each step in the page."""

import io
import zipfile

import pytest

from canary.domain.identifiers import BaitValues
from canary.matching import files, pictures
from canary.services.baits.register import kind_of, list_keys
from canary.services.uploads import KEPT
from canary.storage.tables import AuditEntry, Identifier, InboxPost, Upload

NUMBER = "YT9012345678901"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)
VALUES = BaitValues(
    number=NUMBER,
    carrier="yunda",
    name="林晚舟",
    phone="19340271865",
    province="浙江省",
    city="杭州市",
    district="西湖区",
    detail="文三路 90 号",
)


@pytest.fixture
def bait(build):
    row = build.bait(build.batch(), build.source("HZ-01", "杭州网点"), values=VALUES)
    with build.database.write() as session:
        session.add_all(
            Identifier(value_key=build.vault.digest(key), bait_id=row.id, kind=kind_of(key))
            for key in list_keys(VALUES)
        )
    return row


def scan(browser, **fields):
    answer = browser.post("/scan", **fields)
    return answer.headers["Location"], browser.get(answer.headers["Location"])


def test_pasted_text_shows_its_baits(analyst, bait):
    _, answer = scan(analyst, text=f"出售 <i>{NUMBER}</i> 等")
    page = answer.get_data(as_text=True)
    assert f">{NUMBER}</mark>" in page
    assert "1 bait is in it." in page
    assert bait.ref in page
    assert "杭州网点" in page


def test_archive_tells_which_member(analyst, bait):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("clean.txt", "nothing")
        archive.writestr("deep/list.csv", f"a,b\n1,{NUMBER}\n")
    _, answer = scan(analyst, file=(io.BytesIO(packed.getvalue()), "../../x.zip"))
    page = answer.get_data(as_text=True)
    assert "deep/list.csv" in page
    assert "canary-scan" not in page


def test_unreadable_file_says_why(analyst):
    _, answer = scan(analyst, file=(io.BytesIO(b"Rar!\x1a\x07 x"), "x.rar"))
    assert "RAR" in answer.get_data(as_text=True)


def test_scan_is_filed_once(analyst, build, bait):
    path, _ = scan(analyst, text=f"x {NUMBER}")
    fields = {"venue": "面单群", "basis": "public group"}
    assert analyst.post(f"{path}/report", form=path, **fields).status_code == 303
    with build.open() as session:
        assert session.query(InboxPost).count() == 1
        assert session.query(Upload).one().done_as
    assert "Reported as I-" in analyst.get(path).get_data(as_text=True)


def test_report_needs_venue_and_basis(analyst, build):
    path, _ = scan(analyst, text="x")
    assert analyst.post(f"{path}/report", form=path, venue="x").status_code == 400
    with build.open() as session:
        assert session.query(InboxPost).count() == 0


def test_empty_scan_is_refused(analyst):
    assert analyst.post("/scan", text="  \n").status_code == 400


def test_scan_goes_after_a_week(analyst, build, clock):
    path, _ = scan(analyst, text="x")
    with build.database.write() as session:
        session.query(Upload).update({"created_at": clock() - KEPT * 2})
    scan(analyst, text="y")
    assert analyst.get(path).status_code == 404


def test_what_was_scanned_is_sealed(analyst, build):
    scan(analyst, text="a very secret text")
    with build.open() as session:
        row = session.query(Upload).one()
        entry = session.query(AuditEntry).filter_by(action="upload.scan").one()
    assert b"secret" not in row.sealed_body
    assert entry.subject == f"upload/{row.ref}"


class TestReadByMachine:
    """A picture's words are proposed, and count only as what somebody says."""

    @pytest.fixture(autouse=True)
    def seen(self, monkeypatch):
        words = pictures.Words(text=f"圆通 {NUMBER}", places=((0, 18, (1, 2, 30, 40)),))
        monkeypatch.setattr(
            files, "look_at", lambda *_: pictures.Seen(codes=(), words=words, unread="")
        )

    def test_scan_proposes_and_files_what_is_said(self, analyst, build, bait):
        path, answer = scan(analyst, file=(io.BytesIO(PICTURE), "shot.png"))
        page = answer.get_data(as_text=True)
        assert f">圆通 {NUMBER}</textarea>" in page
        assert "points at a bait, needs support" in page
        fields = {"venue": "群", "basis": "seen", "text": "圆通 没有"}
        assert analyst.post(f"{path}/report", form=path, **fields).status_code == 303
        with build.open() as session:
            assert session.query(InboxPost).one().body_size == len(PICTURE)

    def test_report_hands_the_words_back(self, analyst, build):
        fields = {"venue": "群", "basis": "seen", "file": (io.BytesIO(PICTURE), "shot.png")}
        answer = analyst.post("/report", **fields)
        assert answer.status_code == 400
        assert f">圆通 {NUMBER}</textarea>" in answer.get_data(as_text=True)
        with build.open() as session:
            assert session.query(InboxPost).count() == 0
