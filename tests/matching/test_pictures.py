"""Pictures: codes and words read by machine, where they stand, and what they carry."""

import io
from pathlib import Path

import pytest
import segno
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont

from canary.domain.identifiers import BaitValues
from canary.matching import pictures
from canary.matching.extras import CannotRead
from canary.matching.paths import Result, scan_paths
from canary.matching.register import MemoryRegister
from canary.matching.unfolding import Limits

CAN_SEE = pytest.mark.skipif(not pictures.has_words(), reason="needs the ocr extra")
FONTS = sorted(Path("/usr/share/fonts").rglob("*CJK*Regular*"))
CHINESE = pytest.mark.skipif(not FONTS, reason="no Chinese font is installed")


@pytest.fixture
def labelled(first: BaitValues) -> MemoryRegister:
    register = MemoryRegister()
    register.add(1, first, code="B1", source="S1")
    return register


def _scan(path: Path, register: MemoryRegister) -> tuple[list[Result], list[str]]:
    *results, last = scan_paths([path], register, processes=1)
    summary = last["summary"]
    assert isinstance(summary, dict)
    return results, [one["reason"] for one in summary["unread"]]


def _drawn(lines: dict[int, str], height: int) -> Image.Image:
    picture = Image.new("RGB", (420, height), "white")
    font = ImageFont.truetype(str(FONTS[0]), 26)
    for top, line in lines.items():
        ImageDraw.Draw(picture).text((20, top), line, font=font, fill="black")
    return picture


@CAN_SEE
@CHINESE
def test_long_screenshot_is_read_and_located(
    tmp_path: Path, labelled: MemoryRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row with name and phone counts; a number alone, read by machine, does not."""
    monkeypatch.setattr(pictures, "TILE", 120)
    monkeypatch.setattr(pictures, "_SHOWN_AGAIN", 40)
    lines = {20: "收件人：单怡涵 19340271865", 160: "圆通 YT2047183659012"}
    path = tmp_path / "shot.png"
    _drawn(lines, 220).save(path)
    results, unread = _scan(path, labelled)
    told = {one["kind"]: (one["line"], one["level"], one["form"]) for one in results}
    assert told == {
        "name": (1, "exact", "disguised"),
        "phone": (1, "exact", "disguised"),
        "number": (2, "candidate", "disguised"),
    }
    left, top, right, bottom = results[-1]["box"]  # type: ignore[misc]
    assert 0 < left < right < 420
    assert 150 < top < 180 < bottom < 210
    assert (results[-1]["disguises"], unread) == (["ocr"], [])


@CAN_SEE
@CHINESE
def test_scanned_pdf_page_is_read(tmp_path: Path, labelled: MemoryRegister) -> None:
    pytest.importorskip("pypdfium2", reason="needs the files extra")
    stored = io.BytesIO()
    _drawn({40: "YT2047183659012"}, 120).save(stored, "PNG")
    pdf = FPDF(format=(120, 40))
    pdf.add_page()
    pdf.image(stored, x=0, y=0, w=110)
    path = tmp_path / "scan.pdf"
    path.write_bytes(bytes(pdf.output()))
    (result,), unread = _scan(path, labelled)
    assert (str(result["path"]).partition("!")[2], result["level"]) == ("page1", "candidate")
    assert unread == []


@CAN_SEE
def test_code_in_a_picture_is_read(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "label.png"
    segno.make("YT2047183659012").save(str(path), scale=4)
    results, unread = _scan(path, labelled)
    assert [(one["surface"], one["level"]) for one in results] == [("YT2047183659012", "exact")]
    assert unread == []


@CAN_SEE
def test_picture_without_words_is_told(tmp_path: Path, labelled: MemoryRegister) -> None:
    path = tmp_path / "grey.png"
    Image.new("RGB", (60, 60), "grey").save(path)
    assert _scan(path, labelled) == ([], ["a picture in which no words and no codes were found"])


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (("has_words",), "words in pictures are not read: pip install waybill-canary[ocr]"),
        (("_has_codes",), "codes in pictures are not read: pip install waybill-canary[barcode]"),
    ],
)
def test_missing_extra_is_named(
    missing: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.setattr(pictures, name, lambda: False)
    monkeypatch.setattr(pictures, "words_in", lambda _: None)
    stored = io.BytesIO()
    Image.new("L", (9, 9)).save(stored, "PNG")
    assert pictures.look_at(stored.getvalue(), 100).unread == told


@pytest.mark.parametrize("most", [100, 10**9])
def test_damaged_or_huge_picture_is_refused(most: int) -> None:
    stored = io.BytesIO()
    Image.new("RGB", (99, 99), "red").save(stored, "PNG")
    with pytest.raises(CannotRead, match="too many pixels" if most == 100 else "damaged"):
        pictures.look_at(stored.getvalue()[: 10**6 if most == 100 else -60], most)


def test_pieces_side_by_side_make_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = (300, 12, 400, 32), (10, 10, 90, 30), (10, 50, 90, 70)
    seen = list(zip(boxes, ("13900000000", "王某", "x"), strict=True))
    monkeypatch.setattr(pictures, "_read", lambda _: iter(seen))
    words = pictures.words_in(Image.new("RGB", (500, 100)))
    assert words is not None
    assert words.text == "王某\t13900000000\nx"
    assert pictures.box_at(words.places, 3, 14) == (300, 12, 400, 32)


def test_too_many_pictures_are_left(
    tmp_path: Path, labelled: MemoryRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_read", lambda _: iter(()))
    path = tmp_path / "a.png"
    Image.new("L", (9, 9)).save(path)
    *_, last = scan_paths([path], labelled, limits=Limits(pictures=0))
    assert "too many pictures" in str(last)
