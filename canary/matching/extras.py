"""Readers of kinds of files that need an extra: PDF text, 7z archives, codes in pictures."""

import io
import tempfile
from collections.abc import Iterator
from typing import IO, Any

_PIXELS = 120_000_000
_IN_MEMORY = 8 << 20


class CannotRead(Exception):
    """A file, or a part of it, was not read; the message says why in one sentence."""


def pages_of(raw: bytes) -> Iterator[tuple[int, str, bool]]:
    """Yield number, text and whether there are pictures of each page of a PDF.

    Raises CannotRead, also midway.
    """
    try:
        import pypdfium2
    except ImportError as error:
        raise CannotRead("a PDF: needs the files extra") from error
    try:
        document = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        reason = "a PDF locked with a password" if locked else "a damaged PDF"
        raise CannotRead(reason) from error
    try:
        for number in range(len(document)):
            yield number + 1, *_page(document, number)
    except pypdfium2.PdfiumError as error:
        raise CannotRead("a damaged PDF: pages from here on are left unread") from error
    finally:
        document.close()


def _page(document: Any, number: int) -> tuple[str, bool]:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    page = document[number]
    text = page.get_textpage()
    try:
        shown = str(text.get_text_range()).replace("\r\n", "\n").replace("\ufffe", "")
        return shown, next(iter(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE])), None) is not None
    finally:
        text.close()
        page.close()


def members_of(stream: IO[bytes], most: int) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the members of a 7z archive; raises CannotRead, also midway, beyond `most` bytes."""
    try:
        import py7zr
        from py7zr.exceptions import ArchiveError, PasswordRequired
    except ImportError as error:
        raise CannotRead("a 7z archive: needs the files extra") from error
    shelf = _Shelf(most)
    trouble = ""
    try:
        with py7zr.SevenZipFile(stream) as archive:
            if archive.needs_password():
                raise CannotRead("a 7z archive locked with a password")
            archive.extractall(factory=shelf.factory())
    except CannotRead as error:
        trouble = str(error)
    except PasswordRequired:
        trouble = "a 7z archive locked with a password"
    except (ArchiveError, OSError, EOFError, ValueError, LookupError, TypeError) as error:
        trouble = f"a damaged 7z archive: {type(error).__name__}"
    except Exception as error:  # noqa: BLE001 - each of its decoders has errors of its own
        trouble = f"a damaged 7z archive: {type(error).__name__}"
    for name, file in shelf.files:
        file.seek(0)
        yield name, file
        file.close()
    if trouble:
        raise CannotRead(trouble)


class _Shelf:
    """Where unfolded members are kept, on disk when large."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.files: list[tuple[str, IO[bytes]]] = []

    def factory(self) -> Any:
        from py7zr.io import Py7zIO, WriterFactory

        shelf = self

        class Member(Py7zIO):
            def __init__(self, file: IO[bytes]) -> None:
                self._file = file

            def write(self, piece: bytes | bytearray) -> int:
                shelf.left -= len(piece)
                if shelf.left < 0:
                    raise CannotRead("unfolds to more than is allowed; the rest is left unread")
                return self._file.write(piece)

            def read(self, size: int | None = None) -> bytes:
                return self._file.read(-1 if size is None else size)

            def seek(self, offset: int, whence: int = 0) -> int:
                return self._file.seek(offset, whence)

            def flush(self) -> None:
                self._file.flush()

            def size(self) -> int:
                at = self._file.tell()
                end = self._file.seek(0, io.SEEK_END)
                self._file.seek(at)
                return end

        class Members(WriterFactory):
            def create(self, filename: str) -> Py7zIO:
                file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
                shelf.files.append((filename, file))
                return Member(file)

        return Members()


def codes_of(raw: bytes) -> list[str]:
    """Return the texts of the barcodes and QR codes of a picture. Raises CannotRead."""
    try:
        import zxingcpp
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise CannotRead("a picture: needs the barcode extra") from error
    try:
        with Image.open(io.BytesIO(raw)) as picture:
            if picture.width * picture.height > _PIXELS:
                raise CannotRead("a picture of too many pixels")
            grey = picture.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise CannotRead("a damaged picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise CannotRead("a picture of too many pixels") from error
    return [found.text for found in zxingcpp.read_barcodes(grey) if found.text]
