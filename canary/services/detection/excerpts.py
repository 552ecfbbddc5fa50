"""The text of a sighting cut into what a page shows: excerpts, marks, markup.

Everything here is plain text going out; nothing is ever trusted as markup.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WHOLE_CHARACTERS = 1200
WHOLE_LINES = 15
EXCERPTS = 30
AROUND = 160
OPENING = 600

# A run of tags is one segment.
_MARKUP = re.compile(r"(?:</?[a-zA-Z][^<>]{0,300}>\s?){1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Why a stretch of text counts: which bait, how it was written, how likely by chance."""

    bait_ref: str
    kind: str
    form: str
    level: str
    rule: str
    chance: float
    disguises: tuple[str, ...] = ()
    agreeing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a mark stands and the record around it, in code points of the text."""

    start: int
    end: int
    record_start: int
    record_end: int
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of text: plain, marked, or markup that a reader may pass over."""

    text: str
    marks: tuple[Mark, ...] = ()
    is_markup: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A piece of the text. `line` counts from 1."""

    line: int
    segments: tuple[Segment, ...]
    is_cut_before: bool
    is_cut_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is shown of a text, and how many of its lines are not."""

    excerpts: tuple[Excerpt, ...]
    more_lines: int


def build_evidence(text: str, spans: Sequence[Span], *, masked: bool = False) -> Evidence:
    """Cut `text` into excerpts around `spans`; with `masked`, nothing but masks is readable."""
    usable = sorted(
        (span for span in spans if 0 <= span.start < span.end <= len(text)),
        key=lambda span: (span.start, -span.end),
    )
    windows = _choose_windows(text, usable)
    excerpts = tuple(_cut(text, window, usable, masked) for window in windows[:EXCERPTS])
    shown = sum(_count_lines(text[start:end]) for start, end in windows[:EXCERPTS])
    return Evidence(excerpts=excerpts, more_lines=max(0, _count_lines(text) - shown))


def mask_surface(surface: str, kind: str) -> str:
    """Hide most of a matched value whatever way it was written."""
    if kind == "name":
        return surface[:1] + "**"
    if len(surface) < 8:
        return surface[:1] + "****"
    return f"{surface[:3]}****{surface[-2:]}"


def _choose_windows(text: str, spans: Sequence[Span]) -> list[tuple[int, int]]:
    if len(text) <= WHOLE_CHARACTERS and text.count("\n") < WHOLE_LINES:
        return [(0, len(text))] if text else []
    if not spans:
        return [(0, min(OPENING, len(text)))]
    return _join(sorted(_window(text, span) for span in spans))


def _window(text: str, span: Span) -> tuple[int, int]:
    start = max(min(span.record_start, span.start), span.start - AROUND, 0)
    end = min(max(span.record_end, span.end), span.end + AROUND, len(text))
    return start, end


def _join(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined = [windows[0]]
    for start, end in windows[1:]:
        last_start, last_end = joined[-1]
        if start <= last_end:
            joined[-1] = (last_start, max(last_end, end))
        else:
            joined.append((start, end))
    return joined


def _cut(text: str, window: tuple[int, int], spans: Sequence[Span], masked: bool) -> Excerpt:
    start, end = window
    inside = [span for span in spans if span.start < end and span.end > start]
    segments = _segment(text, start, end, inside)
    return Excerpt(
        line=text.count("\n", 0, start) + 1,
        segments=tuple(_hide(segments) if masked else segments),
        is_cut_before=start > 0 and text[start - 1] != "\n",
        is_cut_after=end < len(text) and text[end] != "\n",
    )


def _segment(text: str, start: int, end: int, spans: Sequence[Span]) -> Iterator[Segment]:
    at = start
    groups: dict[tuple[int, int], list[Mark]] = {}
    for span in spans:
        groups.setdefault((span.start, span.end), []).append(span.mark)
    for (left, right), marks in groups.items():
        left, right = max(left, at), min(right, end)
        if left >= right:
            continue
        yield from _split_markup(text[at:left])
        yield Segment(text=text[left:right], marks=tuple(marks))
        at = right
    yield from _split_markup(text[at:end])


def _split_markup(text: str) -> Iterator[Segment]:
    at = 0
    for found in _MARKUP.finditer(text):
        if found.start() > at:
            yield Segment(text=text[at : found.start()])
        yield Segment(text=found[0], is_markup=True)
        at = found.end()
    if at < len(text):
        yield Segment(text=text[at:])


def _hide(segments: Iterator[Segment]) -> Iterator[Segment]:
    hidden = False
    for segment in segments:
        if segment.marks:
            surface = mask_surface(segment.text, segment.marks[0].kind)
            yield Segment(text=surface, marks=segment.marks)
            hidden = False
        elif not hidden and not segment.is_markup:
            yield Segment(text=" … ")
            hidden = True


def _count_lines(text: str) -> int:
    return sum(1 for line in text.split("\n") if line.strip())
