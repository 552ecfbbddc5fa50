import csv
import io
import json
import re
import zipfile
from dataclasses import replace

import pytest
from openpyxl import load_workbook

from seeds.errors import BadSheet
from seeds.sheets import defuse, render_sheet
from seeds.tables import read_json
from seeds.templates import TEMPLATES
from seeds.waybills import Waybill

WAYBILL = Waybill(
    number="431820394756610",
    carrier="YUNDA",
    name="邬瑶岚",
    phone="19340271865",
    province="浙江省",
    city="宁波市",
    district="北仑区",
    detail="大碶街道楚畔大道679号25号楼1101室",
    goods="保温杯",
    weight_g=1280,
    origin="330782",
    destination="330206",
    sender_name="沐云日用品",
)


def _read_csv(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.mark.parametrize("template", TEMPLATES)
def test_csv_is_what_spreadsheets_expect(template):
    data = render_sheet([WAYBILL], template, "csv")
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == data.count(b"\n") == 2
    headings, row = _read_csv(data)
    assert headings == [column.heading for column in TEMPLATES[template].printed]
    assert "'431820394756610" in row


def test_every_csv_cell_is_quoted():
    lines = render_sheet([WAYBILL], "generic", "csv").decode("utf-8-sig").split("\r\n")
    assert all(line.startswith('"') and line.endswith('"') for line in lines[:2])
    assert all(cell.count('"') == 0 for line in lines[:2] for cell in line[1:-1].split('","'))


@pytest.mark.parametrize("template", TEMPLATES)
def test_xlsx_cells_are_text(template):
    book = load_workbook(io.BytesIO(render_sheet([WAYBILL], template, "xlsx")))
    (sheet,) = book.worksheets
    headings, row = sheet.iter_rows()
    assert [cell.value for cell in headings] == [c.heading for c in TEMPLATES[template].printed]
    number = next(cell for cell in row if cell.value == WAYBILL.number)
    assert (number.data_type, number.number_format) == ("s", "@")


@pytest.mark.parametrize(
    ("template", "path", "value"),
    [
        ("generic", ("waybill_no",), "431820394756610"),
        ("generic", ("weight",), 1.28),
        ("kuaidi100", ("kuaidicom",), "yunda"),
        ("kuaidi100", ("recMan", "mobile"), "19340271865"),
        (
            "kuaidi100",
            ("recMan", "printAddr"),
            "浙江省宁波市北仑区大碶街道楚畔大道679号25号楼1101室",
        ),
        ("kdniao", ("ShipperCode",), "YD"),
        ("kdniao", ("Commodity", 0, "GoodsName"), "保温杯"),
        ("kdniao", ("Weight",), 1.28),
        ("cainiao", ("cp_code",), "YUNDA"),
        ("cainiao", ("trade_order_info_dtos", 0, "package_info", "weight"), 1280),
        ("cainiao", ("trade_order_info_dtos", 0, "recipient", "address", "city"), "宁波市"),
        ("sf", ("totalWeight",), 1.28),
        ("sf", ("contactInfoList", 0, "contactType"), 1),
        ("sf", ("contactInfoList", 1, "contact"), "邬瑶岚"),
        ("sf", ("contactInfoList", 1, "county"), "北仑区"),
        ("17track", ("phone_number_last_4",), "1865"),
    ],
)
def test_json_follows_the_partners_names(template, path, value):
    (place,) = json.loads(render_sheet([WAYBILL], template, "json"))
    for step in path:
        place = place[step]
    assert place == value


def test_missing_phone_leaves_the_field_out():
    (order,) = json.loads(render_sheet([replace(WAYBILL, phone=None)], "kuaidi100", "json"))
    assert "mobile" not in order["recMan"]


@pytest.mark.parametrize(
    ("template", "model"),
    [
        ("kuaidi100", "kuaidi100_label_order"),
        ("kdniao", "kdniao_1007_ewaybill"),
        ("cainiao", "cainiao_waybill_ii_get"),
        ("sf", "sf_create_order"),
        ("17track", "track17"),
    ],
)
def test_field_names_are_those_of_the_model(template, model):
    known = json.dumps(read_json("field_models.json")[model])
    for column in TEMPLATES[template].columns:
        assert re.sub(r"\[\d*\]", "", column.path).split(".")[-1] in known


def test_headings_are_those_partners_use():
    known = {
        name
        for names in read_json("field_models.json")["csv_headings_zh"].values()
        for name in names
    }
    generic = {column.heading for column in TEMPLATES["generic"].columns}
    assert generic - known == {"始发地编码", "目的地编码"}


@pytest.mark.parametrize(
    "payload",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "\r=1",
        "\n=1",
        "\x00=1",
        "\ufeff=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "\u3000=1",
        "\x0b=1",
        '=HYPERLINK("http://x","y")',
        "=cmd|' /C calc'!A0",
        "\tx",
        "\rx",
        "\nx",
        "\x00x",
    ],
)
def test_formulas_are_defused(payload):
    assert defuse(payload) == "'" + payload
    data = render_sheet([replace(WAYBILL, goods=payload)], "generic", "csv")
    assert b"'" in data.split(b"\r\n", 1)[1]
    book = render_sheet([replace(WAYBILL, goods=payload)], "generic", "xlsx")
    xml = zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml


@pytest.mark.parametrize(
    "text", ["保温杯", "1.28", "YT2047183659012", "'already", "12345678901", ""]
)
def test_harmless_cells_stay_as_they_are(text):
    assert defuse(text) == text


@pytest.mark.parametrize("text", ["431820394756610", "057486201947", "0574"])
def test_long_numbers_stay_text(text):
    assert defuse(text) == "'" + text


@pytest.mark.parametrize(
    ("change", "template", "message"),
    [
        ({"number": "1" * 33}, "kuaidi100", "33 characters, 32 are allowed"),
        ({"number": "1" * 31}, "kdniao", "31 characters, 30 are allowed"),
        ({"goods": "杯 & 碟"}, "kdniao", "the characters &"),
        ({"name": ""}, "generic", "is empty"),
        ({"carrier": "JT"}, "cainiao", "Cainiao has no code for carrier JT"),
        ({"number": "1" * 51}, "17track", "50 are allowed"),
    ],
)
def test_misfit_names_row_field_and_mend(change, template, message):
    with pytest.raises(BadSheet, match=message) as raised:
        render_sheet([WAYBILL, replace(WAYBILL, **change)], template, "csv")
    assert raised.value.row == 3
    assert raised.value.field
    assert raised.value.mend


@pytest.mark.parametrize(("template", "kind"), [("nobody", "csv"), ("generic", "pdf")])
def test_unknown_sheet_is_refused(template, kind):
    with pytest.raises(BadSheet, match="mend: use"):
        render_sheet([WAYBILL], template, kind)
