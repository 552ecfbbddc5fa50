"""Readers of kinds of files that need an extra: PDF text, 7z archives."""

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

_IN_MEMORY = 8 << 20
_DRAWN = 4000  # pixels of the longer side of a drawn page, at most


class CannotRead(Exception):
    """A file, or a part of it, was not read; the message says why in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a PDF; `picture` is what it looks like where it has pictures and no text."""

    text: str
    has_pictures: bool
    picture: "Image | None" = None


def pages_of(raw: bytes, *, drawn: bool) -> Iterator[Page]:
    """Yield the pages of a PDF, `drawn` where nothing else can be read. Raises CannotRead."""
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
            yield _page(document, number, drawn)
    except pypdfium2.PdfiumError as error:
        raise CannotRead("a damaged PDF: pages from here on are left unread") from error
    finally:
        document.close()


def _page(document: Any, number: int, drawn: bool) -> Page:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    page = document[number]
    shown = page.get_textpage()
    try:
        text = str(shown.get_text_range()).replace("\r\n", "\n").replace("\ufffe", "")
        has_pictures = next(iter(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE])), None) is not None
        if not (drawn and has_pictures) or text.strip():
            return Page(text=text, has_pictures=has_pictures)
        scale = min(2.0, _DRAWN / max(1.0, *page.get_size()))
        picture = page.render(scale=scale).to_pil().convert("RGB")
        return Page(text="", has_pictures=True, picture=picture)
    finally:
        shown.close()
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
