"""What a picture shows: barcodes and QR codes, and words as a machine reads them.

A code carries check digits of its own; words read by machine may be misread. So a bait that
stands alone in them is a candidate only, and counts when a second field of its row agrees.
"""

import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from canary.domain.identifiers import MatchForm, MatchLevel
from canary.matching.extras import CannotRead
from canary.matching.scan import Match

if TYPE_CHECKING:
    from PIL.Image import Image

MARK = "ocr"  # among a match's disguises: it was read by machine
TILE = 1400  # pixels of height read at a time, so that a long screenshot is not shrunk
_SHOWN_AGAIN = 100
_INSTALL = "pip install waybill-canary[{}]"
_reading = threading.Lock()  # one picture at a time: it takes a core for seconds

Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels
Place = tuple[int, int, Box]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of a picture by rows, pieces far apart joined by tabs, and where each stands."""

    text: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a picture shows, and what could not be read of it, empty when all was."""

    codes: tuple[str, ...]
    words: Words | None
    unread: str


def look_at(raw: bytes, most: int) -> Seen:
    """Read the codes and the words of a picture of at most so many pixels. Raises CannotRead."""
    missing = [name for name, has in (("barcode", _has_codes()), ("ocr", has_words())) if not has]
    if len(missing) == 2:
        raise CannotRead(f"pictures are not read: {_INSTALL.format('ocr,barcode')}")
    picture, frames = _open(raw, most)
    codes = tuple(_codes_in(picture)) if "barcode" not in missing else ()
    words = words_in(picture) if "ocr" not in missing else None
    unread = ""
    if missing:
        unread = {"barcode": "codes", "ocr": "words"}[missing[0]]
        unread = f"{unread} in pictures are not read: {_INSTALL.format(missing[0])}"
    elif not codes and words is None:
        unread = "a picture in which no words and no codes were found"
    elif frames > 1:
        unread = f"a picture of {frames} frames: only the first was read"
    return Seen(codes=codes, words=words, unread=unread)


def has_words() -> bool:
    """Tell whether words in pictures can be read."""
    try:
        import onnxruntime  # noqa: F401
        import PIL  # noqa: F401
        import rapidocr  # noqa: F401
    except ImportError:
        return False
    return True


def _has_codes() -> bool:
    try:
        import PIL  # noqa: F401
        import zxingcpp  # noqa: F401
    except ImportError:
        return False
    return True


def _open(raw: bytes, most: int) -> "tuple[Image, int]":
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(raw)) as picture:
            if picture.width * picture.height > most:
                raise CannotRead("a picture of too many pixels")
            return picture.convert("RGB"), int(getattr(picture, "n_frames", 1))
    except (
        UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError
    ) as error:  # fmt: skip
        raise CannotRead("a damaged picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise CannotRead("a picture of too many pixels") from error


def _codes_in(picture: "Image") -> Iterator[str]:
    import zxingcpp

    for found in zxingcpp.read_barcodes(picture.convert("L")):
        if found.text:
            yield found.text


def words_in(picture: "Image") -> Words | None:
    """Read the words of a picture; None when there are none."""
    pieces: list[tuple[Box, str]] = []
    for since in range(0, picture.height, TILE):
        until = min(since + TILE, picture.height)
        low = max(0, since - _SHOWN_AGAIN)
        high = min(until + _SHOWN_AGAIN, picture.height)
        tile = picture.crop((0, low, picture.width, high))
        for (left, top, right, bottom), text in _read(np.asarray(tile)):
            if since <= low + (top + bottom) // 2 < until:
                pieces.append(((left, low + top, right, low + bottom), text))
    return _joined(_rows(pieces)) if pieces else None


def _read(pixels: Any) -> Iterator[tuple[Box, str]]:
    with _reading:
        found = _engine()(pixels[:, :, ::-1])
    if found.boxes is None:
        return
    for corners, text in zip(found.boxes, found.txts, strict=True):
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        if text.strip():
            yield (int(left), int(top), int(right), int(bottom)), " ".join(text.split())


@cache
def _engine() -> Any:
    """Load the reader with the models that came with it; it is never left to fetch others."""
    import rapidocr

    folder = Path(rapidocr.__file__).parent / "models"
    params: dict[str, Any] = {
        "Global.log_level": "critical",
        "Det.limit_side_len": 480,  # smaller pictures are enlarged to this
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    for step in ("det", "cls", "rec"):
        model = next(iter(sorted(folder.glob(f"*_{step}_*.onnx"))), None)
        if model is None:
            raise CannotRead("words in pictures are not read: rapidocr came without its models")
        params[f"{step.title()}.model_path"] = str(model)
    return rapidocr.RapidOCR(params=params)


def _rows(pieces: list[tuple[Box, str]]) -> list[list[tuple[Box, str]]]:
    """Put pieces side by side into rows from top to bottom, each from left to right."""
    rows: list[list[tuple[Box, str]]] = []
    for piece in sorted(pieces, key=lambda one: (one[0][1] + one[0][3], one[0][0])):
        middle = (piece[0][1] + piece[0][3]) / 2
        if rows and middle < rows[-1][-1][0][3] - (rows[-1][-1][0][3] - rows[-1][-1][0][1]) * 0.3:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda one: one[0][0]) for row in rows]


def _joined(rows: list[list[tuple[Box, str]]]) -> Words:
    text, places = "", []
    for row in rows:
        for box, piece in row:
            places.append((len(text), len(text) + len(piece), box))
            text += piece + "\t"
        text = text[:-1] + "\n"
    return Words(text=text[:-1], places=tuple(places))


def box_at(places: Sequence[Place], start: int, end: int) -> Box | None:
    """Return where in the picture the words of a span stand."""
    boxes = [box for first, last, box in places if first < end and start < last]
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def doubted(match: Match) -> Match:
    """Return a match in words read by machine, for what it is worth."""
    is_alone = len(match.agreeing) < 2
    return replace(
        match,
        form=MatchForm.DISGUISED if match.form is MatchForm.EXACT else match.form,
        level=MatchLevel.CANDIDATE if is_alone else match.level,
        disguises=(*match.disguises, MARK),
        rule=f"{match.rule}; read by machine",
    )
