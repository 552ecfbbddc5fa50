"""Scan files and folders against a register, one result object per match."""

import os
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from canary.matching.files import Block, Limits, Piece, Unread, blocks_of
from canary.matching.markup import is_page
from canary.matching.register import Register
from canary.matching.scan import Match, scan_text
from canary.matching.sieve import Sieve

LARGE = 32 << 20  # bytes from which several processes pay
SIEVED = 20_000  # characters from which a block goes through the sieve
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
    unread: list[Unread] = field(default_factory=list)


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
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Result]:
    """Yield one object per match, then {"summary": ...}.

    An object holds path, line (from 1), start, end (code points in that line), surface,
    kind, value, bait, source, form, disguises, level, chance (expected accidental matches
    of this strength in this input), rule and agreeing; cells of tables also sheet, row and
    column. The summary holds bytes, lines, matches, seconds and what was not read.
    `processes` None takes all cores for large input; a `sieve` of the same register spares
    the exact engine the lines that hold nothing; `progress` is called with bytes done and
    bytes in all.
    """
    began = clock()
    files = files_under(paths)
    total = sum(_size(path) for path in files)
    tally = _Tally()
    corpus = max(1.0, total / _RECORD)
    pieces = (piece for path in files for piece in blocks_of(path, limits))
    blocks = _noting(pieces, tally)
    workers = processes if processes is not None else _workers(total)
    work = _Work(register=register, corpus=corpus, sieve=sieve)
    for block, found in _scanned(blocks, work, workers):
        tally.bytes += block.size
        tally.lines += block.text.count("\n", 0, block.until)
        for result in _results(found, register, corpus):
            tally.matches += 1
            yield result
        if progress is not None:
            progress(tally.bytes, total)
    yield {"summary": _summary(tally, clock() - began)}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _workers(total: int) -> int:
    return 1 if total < LARGE else len(os.sched_getaffinity(0))


def _noting(pieces: Iterable[Piece], tally: _Tally) -> Iterator[Block]:
    for piece in pieces:
        if isinstance(piece, Unread):
            tally.unread.append(piece)
        else:
            yield piece


_Found = list[tuple[Block, Sequence[Match]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a worker needs to scan a block."""

    register: Register
    corpus: float
    sieve: Sieve | None

    def scan(self, block: Block) -> _Found:
        """Scan a block, or the lines of it that the sieve lets pass."""
        if self.sieve is None or len(block.text) < SIEVED or is_page(block.text[:65536]):
            return [(block, self._matches(block, is_whole=block.until == len(block.text)))]
        return [
            (part, matches)
            for part in _parts(block, self.sieve)
            if (matches := self._matches(part, is_whole=False))
        ]

    def _matches(self, block: Block, *, is_whole: bool) -> Sequence[Match]:
        return scan_text(block.text, self.register, corpus=self.corpus, is_whole=is_whole)


def _parts(block: Block, sieve: Sieve) -> Iterator[Block]:
    """Yield the runs of lines of a block that may hold something, each at its place."""
    raw = block.text.encode("utf-8", "surrogatepass")
    until = len(block.text[: block.until].encode("utf-8", "surrogatepass"))
    for line, start, end in sieve.passing(raw):
        text = raw[start:end].decode("utf-8", "surrogatepass")
        own = len(raw[start : max(start, min(end, until))].decode("utf-8", "surrogatepass"))
        yield replace(
            block,
            text=text,
            line=block.line + line,
            column=block.column if line == 0 else 0,
            until=own,
        )


def _scanned(blocks: Iterator[Block], work: _Work, workers: int) -> Iterator[tuple[Block, _Found]]:
    if workers < 2:
        for block in blocks:
            yield block, work.scan(block)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("fork"), initializer=_adopt, initargs=(work,)
    ) as pool:
        waiting: deque[tuple[Block, Future[_Found]]] = deque()
        for block in blocks:
            waiting.append((block, pool.submit(_scan_adopted, block)))
            if len(waiting) >= workers * 3:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()


_adopted: list[_Work] = []


def _adopt(work: _Work) -> None:
    _adopted.append(work)


def _scan_adopted(block: Block) -> _Found:
    return _adopted[-1].scan(block)


def _results(found: _Found, register: LabelledRegister, corpus: float) -> Iterator[Result]:
    for block, matches in found:
        lines = _line_starts(block.text)
        for match in matches:
            if match.start < block.until:
                yield _result(block, match, lines, register, corpus)


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
    return result


def _summary(tally: _Tally, seconds: float) -> Result:
    return {
        "bytes": tally.bytes,
        "lines": tally.lines,
        "matches": tally.matches,
        "seconds": round(seconds, 3),
        "unread": [{"path": one.path, "reason": one.reason} for one in tally.unread],
    }
