"""Mails: one, or a mailbox of many, by their parts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.errors import CloseBoundaryNotFoundDefect, InvalidBase64PaddingDefect
from email.parser import BytesParser
from typing import IO

_LINE = 1 << 20
_HEADERS = (b"\nfrom:", b"\nto:", b"\nsubject:", b"\ndate:", b"\nmime-version:", b"\nreceived:")
_FIRST = re.compile(rb"(?:from \S|[\w-]{2,40}:)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The subject of a mail, its parts by name, and whether it was cut short."""

    subject: str
    parts: tuple[tuple[str, bytes], ...]
    is_cut: bool


def looks_like_mail(head: bytes) -> bool:
    """Tell whether a text begins like a mail or a mailbox."""
    first = head[:4096].lower()
    return sum(name in b"\n" + first for name in _HEADERS) >= 3 and _FIRST.match(first) is not None


def mails_in(stream: IO[bytes], most: int) -> Iterator[tuple[int, Mail]]:
    """Yield the mails of a file, counted from 1, 0 for the only one; each of at most so many bytes.

    What a longer one holds beyond is cut.
    """
    first = stream.readline(_LINE)
    if not first.startswith(b"From "):
        raw = first + stream.read(most)
        yield 0, _read_mail(raw[:most], is_cut=len(raw) > most)
        return
    for number, (raw, is_cut) in enumerate(_split(stream, most), start=1):
        yield number, _read_mail(raw, is_cut=is_cut)


def _split(stream: IO[bytes], most: int) -> Iterator[tuple[bytes, bool]]:
    """Split a mailbox where a line begins with "From "."""
    lines: list[bytes] = []
    size, is_start = 0, True
    while line := stream.readline(_LINE):
        if is_start and line.startswith(b"From "):
            yield b"".join(lines), size > most
            lines, size = [], 0
            continue
        size += len(line)
        if size <= most:
            lines.append(line)
        is_start = line.endswith(b"\n")
    yield b"".join(lines), size > most


def _read_mail(raw: bytes, *, is_cut: bool) -> Mail:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    parts = []
    for number, part in enumerate(message.walk()):
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes) and payload:
                parts.append((part.get_filename() or f"part{number}", payload))
        is_cut |= any(
            isinstance(one, CloseBoundaryNotFoundDefect | InvalidBase64PaddingDefect)
            for one in part.defects
        )
    return Mail(subject=str(message.get("subject", "")), parts=tuple(parts), is_cut=is_cut)
