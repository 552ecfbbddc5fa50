"""A text of any charset and length to blocks, in bounded memory."""

import codecs
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from canary.matching import charsets
from canary.matching.blocks import Block, Piece, Unread, moved
from canary.matching.chunks import Chunk, can_be_cut, chunks_of_file, chunks_of_stream
from canary.matching.headings import LONGEST
from canary.matching.markup import is_page
from canary.matching.unfolding import Budget

BLOCK = 1 << 20  # bytes read at a time
PAGE = 16 << 20
OVERLAP = 400  # characters shown again, so that what crosses a block edge is found
_LINE_LIMIT = 1 << 20


def read_text(stream: IO[bytes], head: bytes, path: str, budget: Budget) -> Iterator[Piece]:
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
    stream: IO[bytes], head: bytes, charset: charsets.Charset, path: str, budget: Budget
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


def _lost(path: str, budget: Budget) -> Iterator[Unread]:
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
    stream: IO[bytes], head: bytes, charset: charsets.Charset, path: str, budget: Budget
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
