"""The pieces that files are read in, and where each begins."""

from dataclasses import dataclass

from canary.matching.chunks import Chunk
from canary.matching.pictures import Place


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


def moved(text: str, until: int, line: int, column: int) -> tuple[int, int]:
    """Return line and column of a place in a text that begins at this line and column."""
    breaks = text.count("\n", 0, until)
    if not breaks:
        return line, column + until
    return line + breaks, until - text.rfind("\n", 0, until) - 1
