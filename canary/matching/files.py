"""Any file to a stream of text blocks, in bounded memory, saying what could not be read."""

import codecs
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import IO, cast

from canary.matching import charsets
from canary.matching.chunks import Chunk, can_be_cut, chunks_of_file, chunks_of_stream
from canary.matching.extras import CannotRead, members_of, pages_of
from canary.matching.headings import LONGEST
from canary.matching.markup import is_page
from canary.matching.pictures import Place, Words, has_words, look_at, words_in

BLOCK = 1 << 20  # bytes read at a time
PAGE = 16 << 20
OVERLAP = 400  # characters shown again, so that what crosses a block edge is found
_LINE_LIMIT = 1 << 20
_MAILS = re.compile(rb"^From \S+ .*\r?\n", re.MULTILINE)
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one file may unfold to before the rest is left unread."""

    depth: int = 4
    members: int = 10_000
    expanded: int = 8 << 30
    ratio: int = 400
    held: int = 256 << 20  # bytes of one container that may be held in memory
    pictures: int = 100_000
    pixels: int = 120_000_000  # of one picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of text of a file; `line` and `column` tell where it begins.

    What begins in [since, until) belongs to it; the rest is shown for its neighbours' sake.
    `sheet` is set for tables, whose lines are rows with cells joined by tabs; `follows` says
    that lines are counted from the end of the chunks before. `heading` is the first line of all.
    `places` tells where in a picture the words stand that a machine read there.
    """

    path: str
    text: str
    line: int = 1
    column: int = 0
    since: int = 0
    until: int
    sheet: str | None = None
    size: int = 0
    follows: bool = False
    heading: str = ""
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something that was not read, and why, in one sentence."""

    path: str
    reason: str


Piece = Block | Chunk | Unread


@dataclass(slots=True, kw_only=True)
class _Budget:
    limits: Limits
    in_chunks: bool = False
    expanded: int = 0
    members: int = 0
    pictures: int = 0
    lost: dict[str, int] = field(default_factory=dict)


class _TooMuch(Exception):
    """A container unfolds to more than is allowed."""


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
    budget = _Budget(limits=limits or Limits(), in_chunks=in_chunks)
    try:
        with path.open("rb") as stream:
            for piece in _read(stream, str(path), budget, depth=0):
                tell(stream.tell())
                yield piece
    except OSError as error:
        yield Unread(path=str(path), reason=f"cannot be opened: {error.strerror or error}")


def _read(stream: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Piece]:
    """Look at the first bytes, not at the name, and read accordingly."""
    head = stream.read(65536)
    if not head:
        return
    reader = _container_of(head)
    if reader is None:
        yield from _text(stream, head, path, budget)
    elif isinstance(reader, str):
        yield Unread(path=path, reason=reader)
    elif depth > budget.limits.depth:
        yield Unread(path=path, reason="nested too deep")
    else:
        if stream.seekable():
            stream.seek(0)
            yield from _contained(reader, stream, path, budget, depth)
        else:
            rewound = cast(IO[bytes], io.BufferedReader(_Rewound(head, stream)))
            yield from _contained(reader, rewound, path, budget, depth)


def _container_of(head: bytes) -> "_Reader | str | None":
    """Return what opens this kind of file, a sentence when nothing does, None for text."""
    for magic, reader in _READERS:
        if head.startswith(magic):
            return reader
    if head.startswith(IMAGES) and b"\0" in head[:64]:
        return _picture
    if _looks_like_mail(head):
        return _mail
    if charsets.charset_of(head).name not in charsets.WIDE and head.count(b"\0") * 100 > len(head):
        return "binary: no text in it that could be read"
    return None


def _looks_like_mail(head: bytes) -> bool:
    first = head[:4096].lower()
    headers = (b"\nfrom:", b"\nto:", b"\nsubject:", b"\ndate:", b"\nmime-version:", b"\nreceived:")
    return (
        sum(name in b"\n" + first for name in headers) >= 3
        and re.match(rb"(?:from \S|[\w-]{2,40}:)", first) is not None
    )


def _contained(
    reader: "_Reader", stream: IO[bytes], path: str, budget: _Budget, depth: int
) -> Iterator[Piece]:
    try:
        yield from reader(stream, path, budget, depth)
    except (_TooMuch, CannotRead) as error:
        yield Unread(path=path, reason=str(error))
    except (
        OSError, EOFError, ValueError, RuntimeError, KeyError, NotImplementedError,
        zipfile.BadZipFile, zlib.error, MessageError, LookupError, MemoryError,
    ) as error:  # fmt: skip
        yield Unread(path=path, reason=f"damaged or locked: {type(error).__name__}: {error}"[:200])


class _Rewound(io.RawIOBase):
    """A stream whose first bytes were already looked at."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        super().__init__()
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        piece = self._head[: len(buffer)] if self._head else self._rest.read(len(buffer))
        self._head = self._head[len(piece) :] if self._head else b""
        buffer[: len(piece)] = piece
        return len(piece)


def _held(stream: IO[bytes], budget: _Budget) -> bytes:
    """Read a container that must be held as a whole."""
    raw = stream.read(budget.limits.held + 1)
    if len(raw) > budget.limits.held:
        raise _TooMuch(f"larger than {budget.limits.held >> 20} MiB for its kind")
    return raw


class _Counted(io.RawIOBase):
    """A member being unfolded; stops when it grows beyond the limits."""

    def __init__(self, stream: IO[bytes], budget: _Budget, packed: int) -> None:
        super().__init__()
        self._stream, self._budget = stream, budget
        self._most = max(64 << 20, packed * budget.limits.ratio)
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        piece = self._stream.read(len(buffer))
        self._size += len(piece)
        self._budget.expanded += len(piece)
        if self._size > self._most or self._budget.expanded > self._budget.limits.expanded:
            raise _TooMuch("unfolds to more than is allowed; the rest is left unread")
        buffer[: len(piece)] = piece
        return len(piece)


def _gzip(stream: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Piece]:
    with gzip.GzipFile(fileobj=stream) as inner:
        counted = io.BufferedReader(_Counted(cast(IO[bytes], inner), budget, 1 << 30))
        yield from _read(cast(IO[bytes], counted), path.removesuffix(".gz"), budget, depth + 1)


def _zip(stream: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Piece]:
    held = stream if stream.seekable() else io.BytesIO(_held(stream, budget))
    with zipfile.ZipFile(held) as archive:
        names = archive.namelist()
        is_workbook = "xl/workbook.xml" in names or "xl/workbook.bin" in names
        if is_workbook:
            _check_unfolded(archive, budget)
            held.seek(0)
            yield from _workbook(_held(held, budget), path)
        inside = "xl/media/" if is_workbook else ""
        for member in archive.infolist():
            if not member.filename.startswith(inside):
                continue
            budget.members += 1
            if budget.members > budget.limits.members:
                raise _TooMuch("holds too many members; the rest is left unread")
            if not member.is_dir():
                yield from _member(archive, member, f"{path}!{member.filename}", budget, depth)


def _seven(stream: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Piece]:
    held = stream if stream.seekable() else io.BytesIO(_held(stream, budget))
    most = min(budget.limits.held * 4, budget.limits.expanded - budget.expanded)
    for name, member in members_of(held, most):
        budget.members += 1
        if budget.members > budget.limits.members:
            raise _TooMuch("holds too many members; the rest is left unread")
        budget.expanded += member.seek(0, io.SEEK_END)
        member.seek(0)
        yield from _read(member, f"{path}!{name}", budget, depth + 1)


def _pdf(stream: IO[bytes], path: str, budget: _Budget, _depth: int) -> Iterator[Piece]:
    pictured = []
    for number, page in enumerate(pages_of(_held(stream, budget), drawn=has_words()), start=1):
        where, words = f"{path}!page{number}", None
        if page.picture is not None:
            _count_picture(budget)
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


def _picture(stream: IO[bytes], path: str, budget: _Budget, _depth: int) -> Iterator[Piece]:
    _count_picture(budget)
    seen = look_at(_held(stream, budget), budget.limits.pixels)
    for number, text in enumerate(seen.codes, start=1):
        yield Block(path=f"{path}!code{number}", text=text, until=len(text), size=len(text))
    if seen.words is not None:
        yield _worded(seen.words, f"{path}!words")
    if seen.unread:
        yield Unread(path=path, reason=seen.unread)


def _count_picture(budget: _Budget) -> None:
    budget.pictures += 1
    if budget.pictures > budget.limits.pictures:
        raise _TooMuch("too many pictures: this one is left unread")


def _worded(words: Words, path: str) -> Block:
    size = len(words.text)
    return Block(path=path, text=words.text, until=size, size=size, places=words.places)


def _check_unfolded(archive: zipfile.ZipFile, budget: _Budget) -> None:
    """Refuse a workbook that says of itself that it unfolds too far."""
    total = sum(member.file_size for member in archive.infolist())
    packed = sum(member.compress_size for member in archive.infolist())
    if total > max(64 << 20, packed * budget.limits.ratio) or total > budget.limits.held * 4:
        raise _TooMuch("unfolds to more than is allowed")


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str, budget: _Budget, depth: int
) -> Iterator[Piece]:
    if member.flag_bits & 0x1:
        yield Unread(path=path, reason="locked with a password")
        return
    try:
        with archive.open(member) as inner:
            counted = io.BufferedReader(_Counted(inner, budget, member.compress_size))
            yield from _read(cast(IO[bytes], counted), path, budget, depth + 1)
    except (_TooMuch, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as e:
        yield Unread(path=path, reason=str(e)[:200] or type(e).__name__)


def _xls(stream: IO[bytes], path: str, budget: _Budget, _depth: int) -> Iterator[Piece]:
    yield from _workbook(_held(stream, budget), path)


def _workbook(raw: bytes, path: str) -> Iterator[Piece]:
    """Yield each sheet by runs of rows; a cell keeps its own place between tabs."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        for sheet in book.sheet_names:
            yield from _sheet(book.get_sheet_by_name(sheet).iter_rows(), path, sheet)
    except CalamineError as error:
        yield Unread(path=path, reason=f"damaged or locked workbook: {error}"[:200])


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


def _mail(stream: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Piece]:
    raw = _held(stream, budget)
    mails = [part for part in _MAILS.split(raw) if part.strip()] if raw[:5] == b"From " else [raw]
    for number, mail in enumerate(mails, start=1):
        message = BytesParser(policy=policy.default).parsebytes(mail)
        where = path if len(mails) == 1 else f"{path}!{number}"
        yield from _mail_parts(message, where, budget, depth)


def _mail_parts(message: EmailMessage, path: str, budget: _Budget, depth: int) -> Iterator[Piece]:
    subject = str(message.get("subject", ""))
    if subject:
        yield Block(path=f"{path}!subject", text=subject, until=len(subject), size=len(subject))
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        name = part.get_filename() or f"part{number}"
        if isinstance(payload, bytes) and payload:
            yield from _read(io.BytesIO(payload), f"{path}!{name}", budget, depth + 1)


def _text(stream: IO[bytes], head: bytes, path: str, budget: _Budget) -> Iterator[Piece]:
    """Yield a text by blocks that end with a line, or somewhere in an endless one."""
    charset = charsets.charset_of(head)
    start = _decoded(head, charset)
    heading = start[:LONGEST].partition("\n")[0]
    if budget.in_chunks and can_be_cut(head, charset) and not is_page(start):
        for piece in _chunked(stream, head, charset, path, budget):
            yield piece if isinstance(piece, Unread) else replace(piece, heading=heading)
        return
    chunks = (
        _wide(stream, head, charset)
        if charset.name in charsets.WIDE
        else _narrow(stream, head, charset, path, budget)
    )
    for block in _overlapping(chunks, path):
        yield replace(block, heading=heading)
    yield from _lost(path, budget)


def _decoded(head: bytes, charset: charsets.Charset) -> str:
    return head[charset.mark :].decode(charset.name, "replace")


def _chunked(
    stream: IO[bytes], head: bytes, charset: charsets.Charset, path: str, budget: _Budget
) -> Iterator[Piece]:
    """Yield chunks, and blocks from where a line is too long to be held."""
    is_file = isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO)
    pieces: Iterator[Chunk | int | bytes] = (
        chunks_of_file(Path(path), stream, path, charset)
        if is_file
        else chunks_of_stream(stream, head, path, charset)
    )
    for piece in pieces:
        if isinstance(piece, Chunk):
            yield piece
            continue
        if isinstance(piece, int):
            stream.seek(piece)
            piece = stream.read(BLOCK)
        plain = charsets.Charset(charset.name)
        for block in _overlapping(_narrow(stream, piece, plain, path, budget), path):
            yield replace(block, follows=True)
    yield from _lost(path, budget)


def _lost(path: str, budget: _Budget) -> Iterator[Unread]:
    lost = budget.lost.pop(path, 0)
    if lost:
        yield Unread(path=path, reason=f"{lost} bytes are no text in any charset tried")


def _wide(stream: IO[bytes], head: bytes, charset: charsets.Charset) -> Iterator[tuple[str, int]]:
    decoder = codecs.getincrementaldecoder(charset.name)("replace")
    raw = head[charset.mark :]
    while raw:
        yield decoder.decode(raw), len(raw)
        raw = stream.read(BLOCK)


def _narrow(
    stream: IO[bytes], head: bytes, charset: charsets.Charset, path: str, budget: _Budget
) -> Iterator[tuple[str, int]]:
    rest, raw = b"", head[charset.mark :]
    while raw:
        raw = rest + raw
        cut = raw.rfind(b"\n") + 1
        if not cut and len(raw) > _LINE_LIMIT:
            cut = _safe_cut(raw, charset.name)
        text, lost = charsets.decode_lines(raw[:cut], charset.name)
        budget.lost[path] = budget.lost.get(path, 0) + lost
        yield text, cut
        rest, raw = raw[cut:], stream.read(BLOCK)
    text, lost = charsets.decode_lines(rest, charset.name)
    budget.lost[path] = budget.lost.get(path, 0) + lost
    yield text, len(rest)


def _safe_cut(raw: bytes, charset: str) -> int:
    """Return where an endless line may be cut without cutting a character."""
    decoder = codecs.getincrementaldecoder(charset)("replace")
    decoder.decode(raw)
    pending = decoder.getstate()[0]
    return len(raw) - len(pending)


def _overlapping(chunks: Iterator[tuple[str, int]], path: str) -> Iterator[Block]:
    """Turn chunks into blocks that begin with the last lines of the one before."""
    line, column = 1, 0
    text, size = "", 0
    for chunk, length in chunks:
        if size and length and size + length > _block_size(text):
            until = _overlap_start(text)
            yield Block(path=path, text=text, line=line, column=column, until=until, size=size)
            line, column = moved(text, until, line, column)
            text, size = text[until:], 0
        text += chunk
        size += length
    if size:
        yield Block(path=path, text=text, line=line, column=column, until=len(text), size=size)


def _block_size(text: str) -> int:
    """Return how much to hold: pages are kept whole, as their styles hide what follows."""
    return PAGE if is_page(text[:65536]) else BLOCK


def _overlap_start(text: str) -> int:
    """Return where the shared end of a block begins: at a line if one begins there."""
    earliest = max(0, len(text) - OVERLAP)
    at = text.find("\n", earliest, len(text) - 1)
    return earliest if at < 0 else at + 1


def moved(text: str, until: int, line: int, column: int) -> tuple[int, int]:
    """Return line and column of a place in a text that begins at this line and column."""
    breaks = text.count("\n", 0, until)
    if not breaks:
        return line, column + until
    return line + breaks, until - text.rfind("\n", 0, until) - 1


_Reader = Callable[[IO[bytes], str, _Budget, int], Iterator[Piece]]
_READERS: tuple[tuple[bytes, "_Reader | str"], ...] = (
    (b"PK\x03\x04", _zip),
    (b"PK\x05\x06", _zip),
    (b"\x1f\x8b", _gzip),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _xls),
    (b"%PDF-", _pdf),
    (b"7z\xbc\xaf\x27\x1c", _seven),
    (b"Rar!", "a RAR archive: unpack it first"),
)
