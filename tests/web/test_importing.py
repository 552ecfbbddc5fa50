"""A table is shown first; then its good rows come in, and the others go back with reasons."""

import io
from datetime import timedelta

import pytest

from canary.storage.tables import Phone, Source
from tests.web.building import NOW

TABLE = """code,name,kind,parent,colour
HQ,<b>总部</b>,system,,
HZ,杭州,hub,HQ,
BAD,没有类型,castle,HQ,
KID,孤儿,outlet,BAD,
SUM,=1+1,outlet,HQ,
"""


@pytest.fixture
def seeder(as_role):
    return as_role("seeder")


def send(browser, text, kind="sources", name="net.csv"):
    answer = browser.post(f"/import/{kind}", file=(io.BytesIO(text.encode()), name))
    return answer.headers["Location"]


def codes(build):
    with build.open() as session:
        return sorted(row.code for row in session.query(Source))


def test_preview_changes_nothing(seeder, build):
    page = seeder.get(send(seeder, TABLE)).get_data(as_text=True)
    assert codes(build) == []
    assert "&lt;b&gt;总部" in page
    assert "unknown kind" in page
    assert "<code>colour</code>" in page
    assert "Import the 2 good rows" in page


def test_good_rows_come_in(seeder, build):
    path = send(seeder, TABLE)
    assert seeder.post(path).status_code == 303
    assert codes(build) == ["HQ", "HZ"]
    assert seeder.get(path).get_data(as_text=True).count("imported already") == 1


def test_rejects_go_back_with_reasons(seeder, build):
    """Also the one whose parent was refused, and the one that cannot be read at all."""
    rejects = seeder.get(send(seeder, TABLE) + "/rejects.csv")
    lines = rejects.get_data().decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ['"code"', '"BAD"', '"KID"', '"SUM"']
    assert '"4","kind"' in lines[1]
    assert "'=1+1" in lines[3] or "=1+1" not in lines[3]


def test_second_import_is_refused(seeder):
    path = send(seeder, "code,name,kind\nHQ,总部,system\n")
    form = seeder.get(path).get_data(as_text=True)
    token = form.split('name="csrf_token" value="')[1].split('"')[0]
    answers = [seeder.client.post(path, data={"csrf_token": token}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 409]


@pytest.mark.parametrize("text", ["nothing,here\n1,2\n", "\x00\x01", "code,name,kind,code\n"])
def test_hopeless_table_is_told(seeder, build, text):
    page = seeder.get(send(seeder, text)).get_data(as_text=True)
    assert "This table cannot be imported" in page
    assert codes(build) == []


def test_circle_without_a_row_is_told(seeder, build):
    top = build.source("A")
    build.source("B", parent=top)
    page = seeder.get(send(seeder, "code,name,kind,parent\nA,甲,hub,B\n")).get_data(as_text=True)
    assert "circle" in page


def test_phones_come_in_masked(seeder, build):
    path = send(seeder, "number,label\n19340271865,卡一\n12,坏\n", kind="phones")
    seeder.post(path)
    page = seeder.get("/phones").get_data(as_text=True)
    assert "卡一" in page
    assert "19340271865" not in page
    with build.open() as session:
        assert session.query(Phone).count() == 1


def test_phone_tells_its_background(seeder, build):
    """Two messages in the ten days before a bait bore it, one after."""
    phone = build.phone()
    with build.database.write() as session:
        session.get_one(Phone, phone.id).created_at = NOW - timedelta(days=20)
    bait = build.bait(build.batch(), build.source("HZ-01"), phone_id=phone.id)
    with build.database.write() as session:
        session.get_one(type(bait), bait.id).issued_at = NOW - timedelta(days=10)
    reporter, incident = build.reporter(), build.incident()
    for days in (15, 12, 1):
        build.sighting(
            reporter, incident, "x", arrival=(bait, phone), at=NOW - timedelta(days=days)
        )
    page = seeder.get("/phones?use=given").get_data(as_text=True)
    assert ">0.20<" in page
    assert "1 bait<" in page
    assert "No phone here" in seeder.get("/phones?use=free").get_data(as_text=True)


def test_reader_of_another_kind_finds_no_upload(seeder, as_role):
    path = send(seeder, TABLE)
    assert seeder.get(path.replace("sources", "phones")).status_code == 404
    assert as_role("analyst").get(path).status_code == 403


def test_preview_says_what_to_know_first(seeder):
    table = "number\n13490000001\n+44 7700 900123\n19340271800\n19399991800\n"
    page = seeder.get(send(seeder, table, kind="phones")).get_data(as_text=True)
    assert "Row 2: satellite and emergency range" in page
    assert "Row 3: reserved for fiction" in page
    assert "rows 4, 5 look alike under a mask" in page
    zh = seeder.get(send(seeder, table, kind="phones") + "?lang=zh").get_data(as_text=True)
    assert "第 2 行：卫星及应急号段" in zh
    assert "look alike" not in zh
