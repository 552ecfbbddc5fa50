import pytest

from seeds.errors import MissingExtra
from seeds.labels import find_font, mask_detail, mask_phone, render_labels
from seeds.recipes import Recipe

CARRIERS = ("SF", "YTO", "EMS", "JD", "UPS", "DPD")


@pytest.fixture(scope="module")
def font():
    """A Chinese font of this system."""
    try:
        return find_font()
    except MissingExtra as error:
        pytest.skip(str(error))


def test_label_codes_are_readable(make, font):
    pytest.importorskip("fpdf", reason="label PDFs need fpdf2")
    pdfium = pytest.importorskip("pypdfium2", reason="reading labels back needs pypdfium2")
    zxingcpp = pytest.importorskip("zxingcpp", reason="reading labels back needs zxing-cpp")
    waybills = make(*(Recipe(source="A", carrier=code, region="3302") for code in CARRIERS))
    pages = pdfium.PdfDocument(render_labels(waybills, font=font))
    assert len(pages) == len(waybills)
    for page, waybill in zip(pages, waybills, strict=True):
        assert page.get_size() == pytest.approx((283.46, 425.2), abs=0.1)
        image = page.render(scale=203.2 / 72, grayscale=True).to_numpy()
        codes = sorted((str(code.format), code.text) for code in zxingcpp.read_barcodes(image))
        assert codes == [("Code 128", waybill.number)] * 2 + [("QR Code", waybill.number)]


@pytest.mark.parametrize("masked", [True, False])
def test_label_shows_only_what_law_allows(make, font, masked):
    pdfium = pytest.importorskip("pypdfium2", reason="reading labels back needs pypdfium2")
    pytest.importorskip("fpdf", reason="label PDFs need fpdf2")
    (waybill,) = make(Recipe(source="A", carrier="YTO", region="3302"), phones=("19340271865",))
    page = pdfium.PdfDocument(render_labels([waybill], masked=masked, font=font))[0]
    text = page.get_textpage().get_text_range()
    shown = [waybill.name in text, waybill.phone in text]
    assert shown == [not masked] * 2
    assert waybill.goods in text


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("19340271865", "193******65"),
        ("19340271865-8462", "193******65"),
        ("057486201947", "057*******47"),
        ("95338", "953******38"),
    ],
)
def test_six_digits_of_a_phone_are_hidden(phone, masked):
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("detail", "masked"),
    [
        ("大碶街道楚畔大道679号25号楼1101室", "大碶街道楚畔大道679号***"),
        ("大碶街道楚畔大道679号濂浦花园3幢2单元501室", "大碶街道楚畔大道679号***"),
        ("大碶街道楚畔大道679号", "大碶街道楚畔大道***"),
        ("漫江乡沐屏村3组12号", "漫江乡沐屏村3组***"),
    ],
)
def test_building_and_room_are_hidden(detail, masked):
    assert mask_detail(detail) == masked
