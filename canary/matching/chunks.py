"""Plain text cut into chunks of whole lines, as bytes, for the sieve to look through undecoded."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from canary.matching import charsets
from canary.matching.sieve import CHARSETS, Sieve

CHUNK = 8 << 20
LINE_LIMIT = 1 << 20  # a longer line is read another way
FILLED = 1000  # so much of one character makes it worth counting
SHOWN = 800  # bytes shown again on either side, so that what crosses an edge is found


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some lines of a plain text; what begins in [since, until) belongs to it.

    The bytes are `raw`, or lie in `file` from `offset` for `length`.
    """

    path: str
    charset: str
    raw: bytes = b""
    file: Path | None = None
    offset: int = 0
    length: int = 0
    since: int = 0
    until: int = 0
    heading: str = ""

    @property
    def size(self) -> int:
        """How many bytes of the file are this chunk's own."""
        return self.until - self.since

    def load(self) -> bytes:
        """Return the bytes, with those shown again."""
        if self.file is None:
            return self.raw
        with self.file.open("rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.length)

    def carried(self) -> "Chunk":
        """Return the same chunk with its bytes, for a worker that cannot open the file."""
        return self if self.file is None else replace(self, raw=self.load(), file=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some lines of a chunk that may hold a bait, decoded; `line` counts from 0 in the chunk.

    What begins in [since, until) belongs to it.
    """

    text: str
    line: int
    since: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """What the sieve let pass of a chunk, its own line breaks, and bytes that are no text."""

    parts: list[Part]
    breaks: int
    lost: int


def can_be_cut(head: bytes, charset: charsets.Charset) -> bool:
    """Tell whether a text can be sifted as bytes: a charset the sieve reads, and line breaks."""
    return charset.name in CHARSETS and b"\n" in head


def is_filled(text: bytes | str) -> bool:
    """Tell whether this is one character again and again, as bombs are: nothing stands there."""
    first = text[:1]
    if text[:FILLED] != first * FILLED:
        return False
    return text.count(first) == len(text)  # type: ignore[arg-type]


def sift(chunk: Chunk, sieve: Sieve, *, crowd: int) -> Sifted:
    """Look a chunk through and decode what passes."""
    raw = chunk.load()
    if is_filled(raw):
        return Sifted(parts=[], breaks=chunk.size if raw[:1] == b"\n" else 0, lost=0)
    spans, breaks = sieve.passing(raw, charset=chunk.charset, crowd=crowd)
    until = min(chunk.until, len(raw))
    before = raw.count(b"\n", 0, chunk.since)
    parts, lost = [], 0
    for line, start, end in spans:
        if end <= chunk.since or start >= until:
            continue
        text, bad = charsets.decode_lines(raw[start:end], chunk.charset)
        lost += bad
        parts.append(
            Part(
                text=text,
                line=line - before,
                since=_characters(raw, start, chunk.since, chunk.charset),
                until=_characters(raw, start, until, chunk.charset) if end > until else len(text),
            )
        )
    return Sifted(parts=parts, breaks=breaks - before - raw.count(b"\n", until), lost=lost)


def _characters(raw: bytes, start: int, end: int, charset: str) -> int:
    return len(charsets.decode_lines(raw[start:end], charset)[0]) if end > start else 0


def chunks_of_file(
    file: Path, stream: IO[bytes], path: str, charset: charsets.Charset
) -> Iterator[Chunk | int]:
    """Yield the chunks of a file, to be loaded by whoever scans them.

    Yields an offset and stops where a line begins that is too long.
    """
    size = stream.seek(0, 2)
    start = charset.mark
    while start < size:
        end = _line_end(stream, min(size, start + CHUNK), size)
        if end is None:
            yield start
            return
        first = _line_start(stream, start, charset.mark)
        last = _line_end(stream, min(size, end + SHOWN), size) or end
        yield Chunk(
            path=path,
            charset=charset.name,
            file=file,
            offset=first,
            length=last - first,
            since=start - first,
            until=end - first,
        )
        start = end


def _line_start(stream: IO[bytes], at: int, least: int) -> int:
    """Return where a line begins not far before a position."""
    low = max(least, at - SHOWN)
    stream.seek(low)
    found = stream.read(at - low).find(b"\n")
    return low if low == least else at if found < 0 else low + found + 1


def _line_end(stream: IO[bytes], at: int, size: int) -> int | None:
    """Return the end of the line that a position stands in; None when it is very long."""
    if at >= size:
        return size
    stream.seek(at)
    found = stream.read(LINE_LIMIT).find(b"\n")
    if found >= 0:
        return at + found + 1
    return size if at + LINE_LIMIT >= size else None


def chunks_of_stream(
    stream: IO[bytes], head: bytes, path: str, charset: charsets.Charset
) -> Iterator[Chunk | bytes]:
    """Yield the chunks of a stream that cannot be read twice.

    Yields what is left over and stops where a line begins that is too long.
    """
    raw, since = head[charset.mark :], 0
    while True:
        more = stream.read(CHUNK)
        raw += more
        end = raw.rfind(b"\n") + 1 if more else len(raw)
        if end <= since:
            if more and len(raw) - since > LINE_LIMIT + CHUNK:
                yield raw[since:]
                return
            if not more:
                return
            continue
        until = _shown_again(raw, since, end) if more else end
        yield Chunk(
            path=path, charset=charset.name, raw=raw[:end] if more else raw,
            since=since, until=until,
        )  # fmt: skip
        if not more:
            return
        keep = raw.find(b"\n", max(0, until - SHOWN), until) + 1 or until
        raw, since = raw[keep:], until - keep


def _shown_again(raw: bytes, since: int, end: int) -> int:
    """Return the start of the last lines of a piece, which the next one shows again."""
    at = raw.rfind(b"\n", since, max(since, end - SHOWN)) + 1
    return at if at > since else end
