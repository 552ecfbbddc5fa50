"""Scan files and folders against a register, one result object per match."""

import os
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from canary.matching.files import Block, Limits, Piece, Unread, blocks_of
from canary.matching.register import Register
from canary.matching.scan import Match, scan_text

LARGE = 32 << 20  # bytes from which several processes pay
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
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Result]:
    """Yield one object per match, then {"summary": ...}.

    An object holds path, line (from 1), start, end (code points in that line), surface,
    kind, value, bait, source, form, disguises, level, chance (expected accidental matches
    of this strength in this input), rule and agreeing; cells of tables also sheet, row and
    column. The summary holds bytes, lines, matches, seconds and what was not read.
    `processes` None takes all cores for large input; `progress` is called with bytes done
    and bytes in all.
    """
    began = clock()
    files = files_under(paths)
    total = sum(_size(path) for path in files)
    tally = _Tally()
    corpus = max(1.0, total / _RECORD)
    pieces = (piece for path in files for piece in blocks_of(path, limits))
    blocks = _noting(pieces, tally)
    workers = processes if processes is not None else _workers(total)
    for block, matches in _scanned(blocks, register, corpus, workers):
        tally.bytes += block.size
        tally.lines += block.text.count("\n", 0, block.until)
        for result in _results(block, matches, register, corpus):
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


def _scanned(
    blocks: Iterator[Block], register: Register, corpus: float, workers: int
) -> Iterator[tuple[Block, Sequence[Match]]]:
    if workers < 2:
        for block in blocks:
            yield block, scan_text(block.text, register, corpus=corpus)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("fork"), initializer=_adopt, initargs=(register, corpus)
    ) as pool:
        waiting: deque[tuple[Block, Future[list[Match]]]] = deque()
        for block in blocks:
            waiting.append((block, pool.submit(_scan_adopted, block.text)))
            if len(waiting) >= workers * 3:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()


_adopted: list[tuple[Register, float]] = []


def _adopt(register: Register, corpus: float) -> None:
    _adopted.append((register, corpus))


def _scan_adopted(text: str) -> list[Match]:
    register, corpus = _adopted[-1]
    return scan_text(text, register, corpus=corpus)


def _results(
    block: Block, matches: Iterable[Match], register: LabelledRegister, corpus: float
) -> Iterator[Result]:
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
