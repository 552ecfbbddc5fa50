"""The text of a file somebody brings: tables, archives, mail, codes in pictures."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from canary.domain.errors import Invalid
from canary.matching.blocks import Block, Unread
from canary.matching.files import IMAGES, blocks_of
from canary.matching.unfolding import Limits

MOST_CHARACTERS = 3_000_000
LIMITS = Limits(
    depth=3, members=500, expanded=64 << 20, ratio=200, held=64 << 20, pictures=20, pixels=30 << 20
)
FILE_NAME = "brought"
# What begins like this is no text, whatever its name says.
_MAGIC = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"%PDF-",
    b"\xd0\xcf\x11\xe0",
    *IMAGES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """What could be read of a file, and what could not, in one sentence each.

    `proposed` is what a machine read in its pictures: for somebody to check, no text yet.
    """

    text: str
    unread: tuple[str, ...]
    proposed: str


def is_container(body: bytes) -> bool:
    """Tell whether these bytes must be opened to be read."""
    return body.startswith(_MAGIC) and b"\x00" in body[:4096]


def is_picture(body: bytes) -> bool:
    """Tell whether these bytes are a picture."""
    return is_container(body) and body.startswith(IMAGES)


def read_pieces(body: bytes) -> Iterator[Block | Unread]:
    """Read a file by its content, whatever it is called; paths end in FILE_NAME and a member."""
    with tempfile.TemporaryDirectory(prefix="canary-brought-") as folder:
        path = Path(folder) / FILE_NAME
        path.write_bytes(body)
        for piece in blocks_of(path, LIMITS):
            if isinstance(piece, Block | Unread):
                yield piece


def read_container(body: bytes) -> FileText:
    """Read the text of a table, archive, document or picture. Raises Invalid for too much of it."""
    pieces: list[str] = []
    unread: list[str] = []
    proposed: list[str] = []
    place: tuple[str, str | None] | None = None
    size = 0
    for piece in read_pieces(body):
        if isinstance(piece, Unread):
            unread.append(piece.reason)
            continue
        if piece.places:
            proposed.append(piece.text)
            continue
        if place not in {None, (piece.path, piece.sheet)}:
            pieces.append("\n")
        place = piece.path, piece.sheet
        pieces.append(piece.text[piece.since : piece.until])
        size += len(pieces[-1])
        if size > MOST_CHARACTERS:
            raise Invalid(
                "there is too much text in this file for one report",
                mend="use canary scan --ingest",
            )
    return FileText(
        text="".join(pieces),
        unread=tuple(dict.fromkeys(unread)),
        proposed="\n".join(proposed)[:MOST_CHARACTERS],
    )
