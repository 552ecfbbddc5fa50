"""Any file to a stream of text blocks, in bounded memory, saying what could not be read."""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from email.errors import MessageError
from pathlib import Path
from typing import IO, cast

from canary.matching import charsets, documents
from canary.matching.blocks import Block, Piece, Unread
from canary.matching.extras import CannotRead, members_of, pages_of
from canary.matching.headings import LONGEST
from canary.matching.mails import looks_like_mail, mails_in
from canary.matching.pictures import Words, has_words, look_at, words_in
from canary.matching.texts import read_text
from canary.matching.unfolding import (
    BZIP2,
    XZ,
    Budget,
    Limits,
    Rewound,
    Squeezed,
    Tapped,
    TooMuch,
    Unfolded,
    is_tar,
    loose_members,
    tar_members,
)
from canary.matching.workbooks import sheets_of

IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")


def blocks_of(
    path: Path,
    limits: Limits | None = None,
    *,
    in_chunks: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Piece]:
    """Yield the text of a file, whatever it is; never raises on what the file holds.

    With `in_chunks`, plain text comes undecoded in chunks, for the sieve. `tell` is called with
    the place in the file, in bytes, before each piece.
    """
    budget = Budget(limits=limits or Limits(), in_chunks=in_chunks)
    try:
        with path.open("rb") as stream:
            for piece in _read(stream, str(path), budget, depth=0):
                tell(stream.tell())
                yield piece
    except OSError as error:
        yield Unread(path=str(path), reason=f"cannot be opened: {error.strerror or error}")


def _read(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    """Look at the first bytes, not at the name, and read accordingly."""
    head = stream.read(65536)
    if not head:
        return
    reader = _container_of(head)
    if reader is None:
        yield from read_text(stream, head, path, budget)
    elif isinstance(reader, str):
        yield Unread(path=path, reason=reader)
    elif depth > budget.limits.depth:
        yield Unread(path=path, reason="nested too deep")
    else:
        if stream.seekable():
            stream.seek(0)
            yield from _contained(reader, stream, path, budget, depth)
        else:
            rewound = cast(IO[bytes], io.BufferedReader(Rewound(head, stream)))
            yield from _contained(reader, rewound, path, budget, depth)


def _container_of(head: bytes) -> "_Reader | str | None":
    """Return what opens this kind of file, a sentence when nothing does, None for text."""
    for magic, reader in _READERS:
        if head.startswith(magic):
            return reader
    if is_tar(head):
        return _tar
    if head.startswith(IMAGES) and b"\0" in head[:64]:
        return _picture
    if looks_like_mail(head):
        return _mail
    if _is_binary(head):
        return "binary: no text in it that could be read"
    return None


def is_packed_kind(head: bytes) -> bool:
    """Tell whether these first bytes are those of an archive."""
    reader = next((one for magic, one in _READERS if head.startswith(magic)), None)
    return reader in _PACKED


def _is_binary(head: bytes) -> bool:
    """Tell what is no text: full of zeros, or in no charset and full of control characters."""
    charset = charsets.charset_of(head)
    if charset.name in charsets.WIDE:
        return False
    controls = sum(head.count(bytes((code,))) for code in (*range(9), *range(14, 27)))
    return head.count(b"\0") * 10 > len(head) or (
        charset.said == "guess" and controls * 50 > len(head)
    )


def _contained(
    reader: "_Reader", stream: IO[bytes], path: str, budget: Budget, depth: int
) -> Iterator[Piece]:
    try:
        yield from reader(stream, path, budget, depth)
    except CannotRead as error:
        yield Unread(path=path, reason=str(error))
    except (
        OSError, EOFError, ValueError, RuntimeError, KeyError, NotImplementedError,
        zipfile.BadZipFile, zlib.error, MessageError, LookupError, MemoryError,
    ) as error:  # fmt: skip
        yield Unread(path=path, reason=f"damaged or locked: {type(error).__name__}: {error}"[:200])


def _gzip(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    tapped = Tapped(stream)
    with gzip.GzipFile(fileobj=cast(IO[bytes], tapped)) as inner:
        yield from _unfold(inner, path.removesuffix(".gz"), budget, depth, tapped)


def _bzip2(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    tapped = Tapped(stream)
    inner = Squeezed(tapped, is_xz=False)
    yield from _unfold(inner, path.removesuffix(".bz2"), budget, depth, tapped)


def _xz(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    tapped = Tapped(stream)
    inner = Squeezed(tapped, is_xz=True)
    yield from _unfold(inner, path.removesuffix(".xz"), budget, depth, tapped)


def _tar(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    try:
        for member in tar_members(stream):
            budget.count_member()
            yield from _unfold(member.stream, f"{path}!{member.name}", budget, depth, None)
    except (EOFError, tarfile.HeaderError):
        yield Unread(path=path, reason="a cut or damaged tar archive: read as far as it goes")


def _unfold(
    stream: object, path: str, budget: Budget, depth: int, packed: int | Tapped | None
) -> Iterator[Piece]:
    """Read what is being unfolded; say where that ended in trouble."""
    unfolded = Unfolded(cast(IO[bytes], stream), budget, packed)
    yield from _read(unfolded.buffered(), path, budget, depth + 1)
    if unfolded.trouble is not None:
        yield Unread(path=path, reason=_say(unfolded.trouble))


def _say(trouble: Exception) -> str:
    if isinstance(trouble, CannotRead):
        return str(trouble)
    if isinstance(trouble, EOFError):
        return "cut short: read as far as it goes"
    return f"damaged: read as far as it goes ({type(trouble).__name__})"


def _zip(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    held = stream if stream.seekable() else io.BytesIO(budget.hold(stream))
    try:
        archive = zipfile.ZipFile(held)
    except zipfile.BadZipFile:
        held.seek(0)
        yield from _loose(held, path, budget, depth)
        return
    with archive:
        names = archive.namelist()
        is_workbook = "xl/workbook.xml" in names or "xl/workbook.bin" in names
        if is_workbook:
            _check_unfolded(archive, budget)
            held.seek(0)
            yield from _workbook(budget.hold(held), path)
        inside = "xl/media/" if is_workbook else ""
        texts = frozenset() if is_workbook else frozenset(documents.parts_of(names))
        for member in archive.infolist():
            if member.is_dir() or not member.filename.startswith(inside):
                continue
            budget.count_member()
            where = f"{path}!{member.filename}"
            is_text = member.filename in texts
            yield from _member(archive, member, where, budget, depth, is_text=is_text)


def _document(inner: IO[bytes], packed: int, path: str, budget: Budget) -> Iterator[Piece]:
    """Read a part of a document or of slides as a reader sees it."""
    unfolded = Unfolded(inner, budget, packed)
    xml = charsets.decode(budget.hold(unfolded.buffered()))
    text = documents.text_of(xml, is_open=path.endswith("!content.xml"))
    yield Block(path=path, text=text, until=len(text), size=len(text))
    if unfolded.trouble is not None:
        yield Unread(path=path, reason=_say(unfolded.trouble))


def _loose(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    """Read an archive from its start where its index, at its end, is lost."""
    for member in loose_members(stream):
        budget.count_member()
        where = f"{path}!{member.name}"
        yield from _unfold(member.stream, where, budget, depth, member.packed)
    yield Unread(path=path, reason="a cut or damaged ZIP archive: read as far as it goes")


def _seven(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    held = stream if stream.seekable() else io.BytesIO(budget.hold(stream))
    most = min(budget.limits.held * 4, budget.limits.expanded - budget.expanded)
    for name, member in members_of(held, most):
        budget.count_member()
        budget.expanded += member.seek(0, io.SEEK_END)
        member.seek(0)
        yield from _read(member, f"{path}!{name}", budget, depth + 1)


def _pdf(stream: IO[bytes], path: str, budget: Budget, _depth: int) -> Iterator[Piece]:
    pictured = []
    for number, page in enumerate(pages_of(budget.hold(stream), drawn=has_words()), start=1):
        where, words = f"{path}!page{number}", None
        if page.picture is not None:
            budget.count_picture()
            words = words_in(page.picture)
        if page.text.strip():
            yield Block(path=where, text=page.text, until=len(page.text), size=len(page.text))
        elif words is not None:
            yield _worded(words, where)
        if page.has_pictures and words is None:
            pictured.append(str(number))
    if pictured:
        pages = ", ".join(pictured[:20]) + (" and more" if len(pictured) > 20 else "")
        yield Unread(path=path, reason=f"pictures in a PDF are not read: page {pages}")


def _picture(stream: IO[bytes], path: str, budget: Budget, _depth: int) -> Iterator[Piece]:
    budget.count_picture()
    seen = look_at(budget.hold(stream), budget.limits.pixels)
    for number, text in enumerate(seen.codes, start=1):
        yield Block(path=f"{path}!code{number}", text=text, until=len(text), size=len(text))
    if seen.words is not None:
        yield _worded(seen.words, f"{path}!words")
    if seen.unread:
        yield Unread(path=path, reason=seen.unread)


def _worded(words: Words, path: str) -> Block:
    size = len(words.text)
    return Block(path=path, text=words.text, until=size, size=size, places=words.places)


def _check_unfolded(archive: zipfile.ZipFile, budget: Budget) -> None:
    """Refuse a workbook that says of itself that it unfolds too far."""
    total = sum(member.file_size for member in archive.infolist())
    packed = sum(member.compress_size for member in archive.infolist())
    if total > max(64 << 20, packed * budget.limits.ratio) or total > budget.limits.held * 4:
        raise TooMuch("unfolds to more than is allowed")


def _member(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    path: str,
    budget: Budget,
    depth: int,
    *,
    is_text: bool,
) -> Iterator[Piece]:
    if member.flag_bits & 0x1:
        yield Unread(path=path, reason="locked with a password")
        return
    try:
        inner = archive.open(member)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        yield Unread(path=path, reason=_say(error))
        return
    with inner:
        if is_text:
            yield from _document(inner, member.compress_size, path, budget)
        else:
            yield from _unfold(inner, path, budget, depth, member.compress_size)


def _xls(stream: IO[bytes], path: str, budget: Budget, _depth: int) -> Iterator[Piece]:
    yield from _workbook(budget.hold(stream), path)


def _workbook(raw: bytes, path: str) -> Iterator[Piece]:
    """Yield each sheet by runs of rows; a cell keeps its own place between tabs."""
    for sheet, rows in sheets_of(raw):
        try:
            yield from _sheet(rows, path, sheet)
        except CannotRead as error:
            yield Unread(path=path, reason=f"sheet {sheet}: {error}")


def _sheet(rows: Iterable[Sequence[object]], path: str, sheet: str) -> Iterator[Piece]:
    lines: list[str] = []
    first, heading = 1, ""
    for number, row in enumerate(rows, start=1):
        lines.append("\t".join(_cell(value) for value in row))
        heading = heading or lines[-1][:LONGEST]
        if len(lines) == 5000:
            yield _table_block(lines, path, sheet, first, heading)
            lines, first = [], number + 1
    if lines:
        yield _table_block(lines, path, sheet, first, heading)


def _table_block(lines: list[str], path: str, sheet: str, first: int, heading: str) -> Block:
    text = "\n".join(lines)
    return Block(
        path=path, text=text, line=first, until=len(text), sheet=sheet, size=len(text),
        heading=heading,
    )  # fmt: skip


def _cell(value: object) -> str:
    """Write a cell on one line; long numbers in full, as the sheet holds them."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e22:
        return str(int(value))
    return str(value).replace("\n", " ").replace("\t", " ").replace("\r", " ")


def _mail(stream: IO[bytes], path: str, budget: Budget, depth: int) -> Iterator[Piece]:
    for number, mail in mails_in(stream, budget.limits.held):
        where = f"{path}!{number}" if number else path
        size = len(mail.subject)
        yield Block(path=f"{where}!subject", text=mail.subject, until=size, size=size)
        for name, payload in mail.parts:
            yield from _read(io.BytesIO(payload), f"{where}!{name}", budget, depth + 1)
        if mail.is_cut:
            yield Unread(path=where, reason="a mail cut short: read as far as it goes")


_Reader = Callable[[IO[bytes], str, Budget, int], Iterator[Piece]]
_READERS: tuple[tuple[bytes, "_Reader | str"], ...] = (
    (b"PK\x03\x04", _zip),
    (b"PK\x05\x06", _zip),
    (b"\x1f\x8b", _gzip),
    (XZ, _xz),
    *((magic, _bzip2) for magic in BZIP2),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _xls),
    (b"%PDF-", _pdf),
    (b"7z\xbc\xaf\x27\x1c", _seven),
    (b"Rar!", "a RAR archive: unpack it first"),
)
_PACKED = (_zip, _gzip, _xz, _bzip2, _seven)
