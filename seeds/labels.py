"""Label PDFs of 100 x 150 mm with Code 128 and QR; needs the extras fpdf2 and segno and a font.

What is printed for handling hides personal data as GB/T 41833 asks, unless told otherwise: at
least one character of the name, six digits of the phone, and building and room.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeds.carriers import get_carrier
from seeds.code128 import encode_code128
from seeds.errors import MissingExtra
from seeds.people import mask_name
from seeds.places import join_address
from seeds.waybills import Waybill

if TYPE_CHECKING:
    from fpdf import FPDF

_FONT_NAMES = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "simhei.ttf",
)
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "C:/Windows/Fonts")
# Noto's collection holds JP, KR, SC, TC, HK in this order.
_SIMPLIFIED = {"NotoSansCJK-Regular.ttc": 2}
_BUILDING = re.compile(r"(?<=号)[^号]*?\d+(?:幢|栋|座|单元|号楼|室).*$|(?<=[组路街道巷])\d+号$")
_WIDTH, _HEIGHT, _EDGE = 100, 150, 4
# Label printers have 203 dots an inch, eight a millimetre.
_DOT = 0.125
# Bars come out wider than drawn, by ink or by rounding to dots.
_SPREAD = 0.03


def render_labels(
    waybills: Iterable[Waybill], *, masked: bool = True, font: Path | None = None
) -> bytes:
    """Render one label a page. Raises MissingExtra without the libraries or a Chinese font."""
    pdf = _open_pdf(font or find_font())
    for waybill in waybills:
        pdf.add_page()
        _draw_label(pdf, waybill, masked)
    return bytes(pdf.output())


def find_font() -> Path:
    """Return a Chinese font of this system. Raises MissingExtra."""
    for folder in map(Path, _FONT_FOLDERS):
        found = {path.name: path for path in folder.rglob("*.[to]t[cf]")} if folder.is_dir() else {}
        for name in _FONT_NAMES:
            if name in found:
                return found[name]
    raise MissingExtra(
        "no Chinese font was found for labels",
        mend="install Noto Sans CJK, or name a TTF, OTF or TTC file as `font`",
    )


def mask_phone(phone: str) -> str:
    """Hide six digits of a mobile: 193******65; others keep their first three and last two."""
    host = phone.partition("-")[0]
    return f"{host[:3]}{'*' * max(6, len(host) - 5)}{host[-2:]}"


def mask_detail(detail: str) -> str:
    """Hide building and room; where there are none, the house number."""
    return _BUILDING.sub("***", detail)


def _open_pdf(font: Path) -> "FPDF":
    try:
        from fpdf import FPDF
    except ImportError:
        raise MissingExtra(
            "label PDFs need the packages fpdf2 and segno",
            mend="pip install 'waybill-canary[pdf]'",
        ) from None
    pdf = FPDF(unit="mm", format=(_WIDTH, _HEIGHT))
    pdf.set_auto_page_break(False)
    number = _SIMPLIFIED.get(font.name, 0)
    pdf.add_font("label", fname=font, collection_font_number=number)
    return pdf


def _draw_label(pdf: "FPDF", waybill: Waybill, masked: bool) -> None:
    name = mask_name(waybill.name, keep_last=True) if masked else waybill.name
    phone = waybill.phone or ""
    detail = mask_detail(waybill.detail) if masked else waybill.detail
    _draw_frame(pdf)
    _write(pdf, 6, 13, 20, get_carrier(waybill.carrier).name_zh)
    _draw_bars(pdf, waybill.number, x=10, y=20, width=80, height=16)
    _write(pdf, 25, 41, 10, waybill.number)
    _write(pdf, 6, 54, 22, " ".join(dict.fromkeys((waybill.city, waybill.district))))
    _write(pdf, 6, 68, 14, f"收  {name}  {mask_phone(phone) if masked and phone else phone}")
    _write_block(pdf, 6, 72, 11, _join(waybill, detail))
    _write(pdf, 6, 98, 10, f"寄  {waybill.sender_name}")
    _write(pdf, 6, 114, 10, f"品名  {waybill.goods}")
    _write(pdf, 6, 122, 10, f"重量  {waybill.weight_g / 1000:.2f} kg")
    _draw_qr(pdf, waybill.number, x=66, y=108, size=28)
    _draw_bars(pdf, waybill.number, x=8, y=132, width=56, height=10)


def _join(waybill: Waybill, detail: str) -> str:
    return join_address(waybill.province, waybill.city, waybill.district, detail)


def _draw_frame(pdf: "FPDF") -> None:
    pdf.set_line_width(0.3)
    pdf.rect(_EDGE, _EDGE, _WIDTH - 2 * _EDGE, _HEIGHT - 2 * _EDGE)
    for y in (16, 44, 58, 90, 104):
        pdf.line(_EDGE, y, _WIDTH - _EDGE, y)


def _write(pdf: "FPDF", x: float, y: float, size: int, text: str) -> None:
    pdf.set_font("label", size=size)
    pdf.text(x, y, text)


def _write_block(pdf: "FPDF", x: float, y: float, size: int, text: str) -> None:
    from fpdf.enums import WrapMode

    pdf.set_font("label", size=size)
    pdf.set_xy(x, y)
    pdf.multi_cell(_WIDTH - 2 * x, 6, text, wrapmode=WrapMode.CHAR)


def _snap(module: float) -> float:
    """Round a module down to whole printer dots, so that no bar is drawn wider than its like."""
    return max(1, int(module / _DOT)) * _DOT


def _draw_bars(pdf: "FPDF", text: str, *, x: float, y: float, width: float, height: float) -> None:
    widths = encode_code128(text)
    module = _snap(width / sum(widths))
    x += (width - module * sum(widths)) // (2 * _DOT) * _DOT
    for place, wide in enumerate(widths):
        if place % 2 == 0:
            pdf.rect(x + _SPREAD / 2, y, wide * module - _SPREAD, height, style="F")
        x += wide * module


def _draw_qr(pdf: "FPDF", text: str, *, x: float, y: float, size: float) -> None:
    matrix = _make_qr(text)
    module = _snap(size / len(matrix))
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                pdf.rect(x + column * module, y + row * module, module, module, style="F")


def _make_qr(text: str) -> tuple[Any, ...]:
    try:
        import segno
    except ImportError:
        raise MissingExtra(
            "label PDFs need the packages fpdf2 and segno",
            mend="pip install 'waybill-canary[pdf]'",
        ) from None
    return tuple(segno.make_qr(text, error="m").matrix)
