"""Scan files and folders against a register, one result object per match."""

import os
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from canary.matching.agreement import crowd_of
from canary.matching.blocks import Block, Unread, moved
from canary.matching.chunks import Chunk, is_filled, sift
from canary.matching.crew import cluster_hands, local_hands
from canary.matching.files import blocks_of
from canary.matching.markup import is_page
from canary.matching.pictures import box_at, doubted
from canary.matching.register import Register
from canary.matching.scan import Match, scan_closely
from canary.matching.sieve import Sieve
from canary.matching.texts import OVERLAP
from canary.matching.unfolding import Limits

LARGE = 32 << 20  # bytes from which several processes pay
SIEVED = 20_000  # characters from which a block goes through the sieve
WINDOW = 4000  # characters of an endless line that are looked at together
_RECORD = 80.0  # bytes of a record, until the first block tells better

Result = dict[str, object]
Progress = Callable[[int, int], None]


class LabelledRegister(Register, Protocol):
    """A register that also knows what people call its baits."""

    def label(self, bait_id: int) -> tuple[str, str]:
        """Return the bait's code and its source's code."""


@dataclass(slots=True, kw_only=True)
class _Tally:
    bytes: int = 0
    lines: int = 0
    matches: int = 0
    done: int = 0
    killed: int = 0
    unread: list[Unread] = field(default_factory=list)
    _path: str = ""
    _first: int = 0

    def note_kill(self) -> None:
        """Note that a scanning process was killed and its pieces are scanned again."""
        self.killed += 1

    def base(self, block: "Block | Chunk") -> int:
        """Return how many lines of its file stand before a block that does not know it."""
        if block.path != self._path:
            self._path, self._first = block.path, self.lines
        is_following = isinstance(block, Chunk) or block.follows
        return self.lines - self._first if is_following else 0


def files_under(paths: Iterable[Path]) -> list[Path]:
    """Return the files meant by paths, folders unfolded, in a stable order."""
    found: list[Path] = []
    for path in paths:
        inside = (
            sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        )
        found.extend(inside)
    return list(dict.fromkeys(found))


def scan_paths(
    paths: Iterable[Path],
    register: LabelledRegister,
    *,
    processes: int | None = None,
    limits: Limits | None = None,
    sieve: Sieve | None = None,
    progress: Progress | None = None,
    cluster: str = "",
    with_records: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Result]:
    """Yield one object per match, then {"summary": ...}.

    An object holds path, line (from 1), start, end (code points in that line), surface,
    kind, value, bait, source, form, disguises, level, chance (expected accidental matches
    of this strength in this input), rule and agreeing; cells of tables also sheet, row and
    column, words in pictures box (left, top, right, bottom in pixels). The summary holds
    bytes, lines, matches, seconds, how often processes were killed, and what was not read.
    `processes` None takes all cores for large input; a `sieve` of the same register spares
    the exact engine the lines that hold nothing; `progress` is called with bytes done and
    bytes in all; `cluster` is the address of a Dask scheduler whose workers scan instead;
    `with_records` adds the text of each match's record.
    """
    began = clock()
    files = files_under(paths)
    total = sum(_size(path) for path in files)
    tally = _Tally()
    corpus = max(1.0, total / _RECORD)
    blocks = _noting(files, limits, tally, in_chunks=sieve is not None)
    workers = processes if processes is not None else _workers(total)
    work = _Work(register=register, corpus=corpus, sieve=sieve)
    for block, found in _scanned(blocks, work, workers, cluster, tally):
        base = tally.base(block)
        tally.bytes += block.size
        tally.lines += found.breaks
        if found.lost:
            reason = f"{found.lost} bytes are no text in any charset tried"
            tally.unread.append(Unread(path=block.path, reason=reason))
        for result in _results(found, base, register, corpus, with_records=with_records):
            tally.matches += 1
            yield result
        if progress is not None:
            progress(tally.done, total)
    if progress is not None:
        progress(total, total)
    yield {"summary": _summary(tally, clock() - began, crowd_of(register.size * corpus) > 0)}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _workers(total: int) -> int:
    return 1 if total < LARGE else len(os.sched_getaffinity(0))


def _noting(
    files: Iterable[Path], limits: Limits | None, tally: _Tally, *, in_chunks: bool
) -> Iterator[Block | Chunk]:
    """Yield what is to be scanned, note what is not read, and how far the files were read."""
    before = 0

    def tell(at: int) -> None:
        tally.done = before + at

    for path in files:
        for piece in blocks_of(path, limits, in_chunks=in_chunks, tell=tell):
            if isinstance(piece, Unread):
                tally.unread.append(piece)
            else:
                yield piece
        before += _size(path)
        tell(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The matches of a block, by the parts that were looked at."""

    parts: list[tuple[Block, Sequence[Match]]]
    breaks: int
    lost: int = 0


def _edge(text: str, at: int, step: int) -> int:
    """Return a place nearby that cuts no word or number."""
    for place in range(at, at + step * 60, step):
        if not 0 < place < len(text) or not text[place - 1 : place + 1].isalnum():
            return max(0, place)
    return at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a worker needs to scan a block."""

    register: Register
    corpus: float
    sieve: Sieve | None

    @property
    def crowd(self) -> int:
        return crowd_of(self.register.size * self.corpus)

    def scan(self, block: Block | Chunk) -> _Found:
        """Scan a block, or the lines of it that the sieve lets pass."""
        if isinstance(block, Chunk):
            return self._scan_chunk(block)
        breaks = block.text.count("\n", 0, block.until)
        if is_filled(block.text):
            return _Found(parts=[], breaks=breaks)
        if self._is_read_whole(block):
            is_whole = block.until == len(block.text)
            return _Found(parts=[(block, self._matches(block, is_whole))], breaks=breaks)
        if "\n" not in block.text[:SIEVED]:
            return _Found(parts=list(self._windows(block)), breaks=breaks)
        raw = block.text.encode("utf-8", "surrogatepass")
        until = len(block.text[: block.until].encode("utf-8", "surrogatepass"))
        chunk = Chunk(path=block.path, charset="utf-8", raw=raw, until=until, heading=block.heading)
        return replace(self._scan_chunk(chunk, block), breaks=breaks)

    def _is_read_whole(self, block: Block) -> bool:
        if self.sieve is None or block.places:
            return True
        return len(block.text) < SIEVED or is_page(block.text[:65536])

    def _windows(self, block: Block) -> Iterator[tuple[Block, Sequence[Match]]]:
        """Look through a line without end by windows that show a little of their neighbours."""
        assert self.sieve is not None
        for at in range(0, block.until, WINDOW):
            low = _edge(block.text, max(0, at - OVERLAP), -1)
            text = block.text[low : _edge(block.text, at + WINDOW + OVERLAP, 1)]
            if not self.sieve.may_hold(text, crowd=self.crowd):
                continue
            line, column = moved(block.text, low, block.line, block.column)
            piece = replace(
                block,
                text=text,
                line=line,
                column=column,
                since=at - low,
                until=min(at + WINDOW, block.until) - low,
            )
            if matches := self._matches(piece, is_whole=False):
                yield piece, matches

    def _scan_chunk(self, chunk: Chunk, block: Block | None = None) -> _Found:
        assert self.sieve is not None
        whole = block or Block(path=chunk.path, text="", until=0, heading=chunk.heading)
        sifted = sift(chunk, self.sieve, crowd=self.crowd)
        parts = []
        for part in sifted.parts:
            piece = replace(
                whole,
                text=part.text,
                line=whole.line + part.line,
                column=whole.column if part.line == 0 else 0,
                since=part.since,
                until=part.until,
            )
            if matches := self._matches(piece, is_whole=False):
                parts.append((piece, matches))
        return _Found(parts=parts, breaks=sifted.breaks, lost=sifted.lost)

    def _matches(self, block: Block, is_whole: bool) -> Sequence[Match]:
        found = scan_closely(
            block.text,
            self.register,
            corpus=self.corpus,
            is_whole=is_whole,
            heading=block.heading,
        )
        return [doubted(one) for one in found] if block.places else found


def _scanned(
    blocks: Iterator[Block | Chunk], work: _Work, workers: int, cluster: str, tally: _Tally
) -> Iterator[tuple[Block | Chunk, _Found]]:
    if cluster:
        # Its workers may be other machines, where the files are not.
        carried = (one.carried() if isinstance(one, Chunk) else one for one in blocks)
        with cluster_hands(work, cluster) as hands:
            yield from hands.run(carried)
    elif workers > 1:
        with local_hands(work, workers, tally.note_kill) as hands:
            yield from hands.run(blocks)
    else:
        for block in blocks:
            yield block, work.scan(block)


def _results(
    found: _Found, base: int, register: LabelledRegister, corpus: float, *, with_records: bool
) -> Iterator[Result]:
    for part, matches in found.parts:
        lines = _line_starts(part.text)
        block = replace(part, line=part.line + base)
        for match in matches:
            if block.since <= match.start < block.until:
                result = _result(block, match, lines, register, corpus)
                if with_records:
                    result["record"] = block.text[slice(*match.record)]
                yield result


def _line_starts(text: str) -> list[int]:
    starts, at = [0], text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return starts


def _result(
    block: Block, match: Match, lines: list[int], register: LabelledRegister, corpus: float
) -> Result:
    index = bisect_right(lines, match.start) - 1
    shift = lines[index] - (block.column if index == 0 else 0)
    bait, source = register.label(match.bait_id)
    result: Result = {
        "path": block.path,
        "line": block.line + index,
        "start": match.start - shift,
        "end": match.end - shift,
        "surface": match.surface,
        "kind": match.kind.value,
        "value": match.value,
        "bait": bait,
        "source": source,
        "form": match.form.value,
        "disguises": list(match.disguises),
        "level": match.level.value,
        "chance": match.chance * register.size * corpus,
        "rule": match.rule,
        "agreeing": [kind.value for kind in match.agreeing],
    }
    if block.sheet is not None:
        column = block.text.count("\t", lines[index], match.start) + 1
        result |= {"sheet": block.sheet, "row": block.line + index, "column": column}
    if block.places:
        result["box"] = box_at(block.places, match.start, match.end)
    return result


def _summary(tally: _Tally, seconds: float, is_crowded: bool) -> Result:
    return {
        "bytes": tally.bytes,
        "lines": tally.lines,
        "matches": tally.matches,
        "seconds": round(seconds, 3),
        "crowded": is_crowded,
        "killed": tally.killed,
        "unread": [{"path": one.path, "reason": one.reason} for one in tally.unread],
    }
