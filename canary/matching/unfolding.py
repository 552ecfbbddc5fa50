"""What unfolds: how much is allowed, and streams that keep what could be read before trouble."""

import bz2
import io
import lzma
import re
import struct
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, cast

from canary.matching.extras import CannotRead

_LEAST = 64 << 20  # bytes that any one stream may unfold to
_PIECE = 1 << 16
_WINDOW = 256 << 20  # bytes of memory that unpacking one stream may take
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
# What has no bytes of its own in a tar archive.
_BARE = frozenset({
    tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE,
    tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE,
})  # fmt: skip
BZIP2 = tuple(b"BZh%d1AY&" % level for level in range(1, 10))
XZ = b"\xfd7zXZ\x00"


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


@dataclass(slots=True, kw_only=True)
class Budget:
    """What was used of the limits so far."""

    limits: Limits
    in_chunks: bool = False
    expanded: int = 0
    members: int = 0
    pictures: int = 0
    lost: dict[str, int] = field(default_factory=dict)

    def count_member(self) -> None:
        """Count a member of an archive. Raises TooMuch."""
        self.members += 1
        if self.members > self.limits.members:
            raise TooMuch("holds too many members; the rest is left unread")

    def count_picture(self) -> None:
        """Count a picture whose words are read. Raises TooMuch."""
        self.pictures += 1
        if self.pictures > self.limits.pictures:
            raise TooMuch("too many pictures: this one is left unread")

    def hold(self, stream: IO[bytes]) -> bytes:
        """Read a container that must be held as a whole. Raises TooMuch."""
        raw = stream.read(self.limits.held + 1)
        if len(raw) > self.limits.held:
            raise TooMuch(f"larger than {self.limits.held >> 20} MiB for its kind")
        return raw


class TooMuch(CannotRead):
    """A container unfolds to more than is allowed."""


class Rewound(io.RawIOBase):
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


class Tapped:
    """A packed stream that counts what was taken from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does."""
        piece = self._stream.read(size)
        self.taken += len(piece)
        return piece


class Unfolded(io.RawIOBase):
    """A packed stream being unfolded. At trouble it ends; `trouble` then says what it was.

    It ends, too, when it grows beyond the limits: by its ratio to `packed`, what is known of the
    packed bytes, or in all. `packed` None says that nothing is packed.
    """

    def __init__(self, stream: IO[bytes], budget: Budget, packed: "int | Tapped | None") -> None:
        super().__init__()
        self._stream, self._budget, self._packed = stream, budget, packed
        self._size = 0
        self.trouble: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        if self.trouble is not None:
            return 0
        try:
            # One piece only: what was unfolded before the trouble is kept.
            piece = cast(io.BufferedReader, self._stream).read1(len(buffer))
            self._count(len(piece))
        except Exception as error:  # noqa: BLE001 - each way of packing has errors of its own
            self.trouble = error
            return 0
        buffer[: len(piece)] = piece
        return len(piece)

    def _count(self, size: int) -> None:
        if self._packed is None:
            return
        self._size += size
        self._budget.expanded += size
        packed = self._packed if isinstance(self._packed, int) else self._packed.taken
        most = max(_LEAST, packed * self._budget.limits.ratio)
        if self._size > most or self._budget.expanded > self._budget.limits.expanded:
            raise TooMuch("unfolds to more than is allowed; the rest is left unread")

    def buffered(self) -> IO[bytes]:
        """Return a stream over it."""
        return cast(IO[bytes], io.BufferedReader(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """A member of a ZIP archive whose index is lost; `packed` is its size, 0 where not known."""

    name: str
    stream: IO[bytes]
    packed: int


def loose_members(stream: IO[bytes]) -> Iterator[Loose]:
    """Yield what can be unfolded of a cut ZIP archive, member by member, until it is cut."""
    source = _Source(stream)
    while True:
        raw = source.read(_LOCAL.size)
        if len(raw) < _LOCAL.size or raw[:4] != b"PK\x03\x04":
            return
        _, _, flags, method, _, _, _, packed, _, name, extra = _LOCAL.unpack(raw)
        called = source.read(name).decode("utf-8" if flags & 0x800 else "gb18030", "replace")
        source.read(extra)
        if flags & 0x1 or method not in {_STORED, _DEFLATED} or (flags & 0x8 and not method):
            return
        member = _Member(source, is_packed=method == _DEFLATED, left=packed or None)
        if not called.endswith("/"):
            yield Loose(name=called, stream=cast(IO[bytes], member), packed=packed)
        try:
            while member.read1(_PIECE):
                pass
        except (EOFError, zlib.error):
            return
        if flags & 0x8:
            source.skip_descriptor()


class Squeezed:
    """What bzip2 or xz packed, stream after stream; raises EOFError where it is cut."""

    def __init__(self, stream: "IO[bytes] | Tapped", *, is_xz: bool) -> None:
        self._stream, self._is_xz = stream, is_xz
        self._inner = self._fresh()

    def _fresh(self) -> "bz2.BZ2Decompressor | lzma.LZMADecompressor":
        return lzma.LZMADecompressor(memlimit=_WINDOW) if self._is_xz else bz2.BZ2Decompressor()

    def read1(self, size: int) -> bytes:
        """Return some bytes, none at the end."""
        piece = b""
        while not piece:
            raw = b""
            if self._inner.eof:
                raw = self._inner.unused_data.lstrip(b"\0") or self._stream.read(_PIECE)
                if not raw.strip(b"\0"):
                    return b""
                self._inner = self._fresh()
            elif self._inner.needs_input:
                raw = self._stream.read(_PIECE)
                if not raw:
                    raise EOFError("cut short")
            piece = self._inner.decompress(raw, size)
        return piece


def is_tar(head: bytes) -> bool:
    """Tell whether these first bytes are the heading of a tar member."""
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "replace")
    except tarfile.HeaderError:
        return False
    return True


def tar_members(stream: IO[bytes]) -> Iterator[Loose]:
    """Yield the files of a tar archive as they come. Raises EOFError, HeaderError, CannotRead."""
    source, named, is_sparse = _Source(stream), "", False
    while (raw := source.read(tarfile.BLOCKSIZE)).strip(b"\0"):
        member = tarfile.TarInfo.frombuf(raw, "utf-8", "replace")
        size = 0 if member.type in _BARE else member.size
        if size < 0:
            raise tarfile.HeaderError("a negative size")
        part = _Member(source, is_packed=False, left=size)
        if member.type in {tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE}:
            named = _long_name(part.read1(_PIECE), member.type) or named
        elif member.type == tarfile.GNUTYPE_SPARSE:
            is_sparse, named = True, ""
        elif member.isreg():
            yield Loose(name=named or member.name, stream=cast(IO[bytes], part), packed=size)
            named = ""
        while part.read1(_PIECE):
            pass
        source.read(-size % tarfile.BLOCKSIZE)
    if is_sparse:
        raise CannotRead("a file with holes in a tar archive is left unread")


def _long_name(raw: bytes, kind: bytes) -> str:
    """Return a name too long for the heading, as GNU or POSIX write it."""
    if kind == tarfile.XHDTYPE:
        found = re.search(rb"(?:\A|\n)[0-9]+ path=([^\n]+)\n", raw)
        raw = found[1] if found else b""
    return raw.rstrip(b"\0").decode("utf-8", "replace")


class _Source:
    """Bytes of which some can be given back."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._back = stream, b""

    def read(self, size: int) -> bytes:
        piece, self._back = self._back[:size], self._back[size:]
        return piece if len(piece) == size else piece + self._stream.read(size - len(piece))

    def give_back(self, piece: bytes) -> None:
        self._back = piece + self._back

    def skip_descriptor(self) -> None:
        """Go to the next member, past the sizes that follow one whose sizes were not known."""
        after = self.read(64)
        at = after.find(b"PK\x03\x04")
        self.give_back(after[at:] if at >= 0 else b"")


class _Member:
    """The bytes of one member; ends where it does, raises EOFError where the archive is cut."""

    def __init__(self, source: _Source, *, is_packed: bool, left: int | None) -> None:
        self._source, self._left = source, left
        self._inflater = zlib.decompressobj(-15) if is_packed else None

    def read1(self, size: int) -> bytes:
        if self._inflater is None:
            return self._take(min(size, self._left or 0))
        while not self._inflater.eof:
            raw = self._inflater.unconsumed_tail or self._take(_PIECE)
            piece = self._inflater.decompress(raw, size)
            self._source.give_back(self._inflater.unused_data)
            if piece:
                return piece
        return b""

    def _take(self, size: int) -> bytes:
        size = size if self._left is None else min(size, self._left)
        raw = self._source.read(size)
        if size and not raw:
            raise EOFError("cut short")
        if self._left is not None:
            self._left -= len(raw)
        return raw
