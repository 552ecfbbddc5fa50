"""A register of millions of baits in a few flat arrays, saved to a file that loads by mmap.

About 35 bytes an identifier: values packed in one blob, an index of key hashes in buckets
(three bytes an entry for the bait, two to tell entries apart; what that lets through wrongly,
confirmation refuses), and the sieve's table. New baits go to a small overlay, and into the
sieve in place, so that readers never wait. The file holds bait values in clear: keep it as
closed as a key. Needs numba, the `scan` extra.
"""

import io
import json
import os
import threading
import zlib
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from canary.domain.errors import Invalid
from canary.domain.identifiers import BaitValues
from canary.matching.keys import FANOUT, Key, keys_of
from canary.matching.register import MemoryRegister, Register
from canary.matching.sieve import Sieve, empty_sieve

MAGIC = b"CANARY-REGISTER-4\n"
_USUAL = 4  # entries of a key for which there is room at once
_BUCKET = 32  # entries of the index per bucket, on average
_ROOM = 1.05  # how much larger than needed the sieve is made, for baits to come
_PLAIN = 255
_MOST = 1 << 24  # baits, as three bytes count them
_ALIGN = 64

Arrays = dict[str, NDArray[Any]]
Shared = tuple[str, str, str, str, str]


class Listed(NamedTuple):
    """A bait as a register takes it."""

    bait_id: int
    values: BaitValues
    code: str = ""
    source: str = ""


class PackedRegister(Register):
    """A register held in arrays, with a small one in dictionaries over it."""

    def __init__(self, arrays: Arrays, shared: Sequence[Shared], sieve: Sieve, *, mark: str):
        self._arrays, self._shared, self._sieve, self.mark = arrays, shared, sieve, mark
        self._blob, self._count = arrays["blob"], len(arrays["offsets"]) - 1
        self._newest = MemoryRegister()
        self._lock = threading.Lock()
        self._bits = int(len(arrays["buckets"]) - 1).bit_length() - 1

    def __reduce__(self) -> tuple[Callable[[bytes], "PackedRegister"], tuple[bytes]]:
        buffer = io.BytesIO()
        self.dump(buffer)
        return read_packed, (buffer.getvalue(),)

    @property
    def size(self) -> int:
        return self._count + self._newest.size

    @property
    def nbytes(self) -> int:
        """Memory of all arrays, in bytes."""
        return sum(one.nbytes for one in self._arrays.values()) + self._sieve.nbytes

    @property
    def sieve(self) -> Sieve:
        """The sieve of all these baits, the newest included."""
        return self._sieve

    def add(self, bait_id: int, values: BaitValues, *, code: str = "", source: str = "") -> None:
        """Add a bait; the next text that is read finds it."""
        with self._lock:
            self._newest.add(bait_id, values, code=code, source=source)
            self._sieve.add([values])

    def has(self, bait_id: int) -> bool:
        """Tell whether a bait is here."""
        return self._newest.has(bait_id) or self._index(bait_id) is not None

    def label(self, bait_id: int) -> tuple[str, str]:
        """Return the bait's code and its source's code, as given when it was added."""
        index = self._index(bait_id)
        if index is None:
            return self._newest.label(bait_id)
        shared = self._shared[int(self._arrays["shared"][index])]
        return _texts(self._record(index))[4] or str(bait_id), shared[0]

    def find(self, keys: Collection[Key]) -> Mapping[Key, Sequence[int]]:
        wanted = list(keys)
        found = {key: list(ids) for key, ids in self._newest.find(wanted).items()}
        if not wanted or not len(self._arrays["ids"]):
            return found
        hashes = np.array([zlib.crc32(key.encode()) for key in wanted], dtype=np.uint32)
        for key, index in self._entries(hashes, _USUAL * len(wanted)):
            ids = found.setdefault(wanted[key], [])
            ids.append(self._bait_id(index))
        return {key: ids for key, ids in found.items() if len(ids) <= FANOUT}

    def _entries(self, hashes: NDArray[np.uint32], room: int) -> Iterator[tuple[int, int]]:
        """Yield which key, by its index, stands with which bait, by its index."""
        from canary.matching.lookup import entries_of

        keys, owners = np.empty((2, room), dtype=np.uint32)
        arrays = (self._arrays[name] for name in ("buckets", "prints", "ids"))
        count = entries_of(hashes, self._bits, *arrays, keys, owners)
        if count > room:
            return self._entries(hashes, count)
        return zip(keys[:count].tolist(), owners[:count].tolist(), strict=True)

    def values(self, bait_ids: Collection[int]) -> Mapping[int, BaitValues]:
        opened = dict(self._newest.values(bait_ids))
        for bait_id in bait_ids:
            index = None if bait_id in opened else self._index(bait_id)
            if index is not None:
                opened[bait_id] = self._values(index)
        return opened

    def everything(self) -> Iterator[Listed]:
        """Yield all baits, with what people call them."""
        for index in range(self._count):
            bait_id = self._bait_id(index)
            yield Listed(bait_id, self._values(index), *self.label(bait_id))
        for bait_id, values in sorted(self._newest.items()):
            yield Listed(bait_id, values, *self._newest.label(bait_id))

    def save(self, path: Path) -> None:
        """Write to a file that only its owner may read; the newest baits are taken in."""
        beside = path.with_name(path.name + ".part")
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            self.dump(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def dump(self, file: IO[bytes]) -> None:
        """Write the register, the newest baits taken in."""
        whole = self if not self._newest.size else pack(self.everything(), mark=self.mark)
        sieve = whole._sieve
        arrays: Arrays = whole._arrays | {
            "table": sieve.table, "sieve_bits": sieve.bits, "starts": sieve.starts,
        }  # fmt: skip
        facts = {
            "mark": self.mark, "shared": whole._shared, "has_names": sieve.has_names,
            "has_ten": sieve.has_ten, "has_short": sieve.has_short,
        }  # fmt: skip
        _write(file, facts, arrays)

    def _bait_id(self, index: int) -> int:
        ids = self._arrays["bait_ids"]
        return int(ids[index]) if len(ids) > 1 else int(ids[0]) + index

    def _index(self, bait_id: int) -> int | None:
        ids = self._arrays["bait_ids"]
        if len(ids) > 1:
            at = int(np.searchsorted(ids, bait_id))
            return at if at < len(ids) and ids[at] == bait_id else None
        at = bait_id - int(ids[0]) if len(ids) else -1
        return at if 0 <= at < self._count else None

    def _record(self, index: int) -> bytes:
        start, end = self._arrays["offsets"][index : index + 2].tolist()
        return self._blob[start:end].tobytes()

    def _values(self, index: int) -> BaitValues:
        number, phone, name, detail, _ = _texts(self._record(index))
        _, carrier, *places = self._shared[int(self._arrays["shared"][index])]
        return BaitValues(
            number=number or None,
            carrier=carrier or None,
            name=name or None,
            phone=phone or None,
            province=places[0],
            city=places[1],
            district=places[2],
            detail=detail,
        )


def _print_of(hashes: NDArray[np.uint32]) -> NDArray[np.uint16]:
    return (hashes & np.uint32(0xFFFF)).astype(np.uint16)


def pack(baits: Iterable[Listed], *, mark: str = "") -> PackedRegister:
    """Build a register of baits whose ids rise; `mark` is kept in the file."""
    packer = _Packer()
    for bait in baits:
        packer.add(bait)
    return packer.register(mark)


class _Packer:
    """Gathers baits in flat arrays."""

    def __init__(self) -> None:
        self.blob, self.offsets, self.bait_ids = bytearray(), array("I", [0]), array("I")
        self.shared: dict[Shared, int] = {}
        self.shared_of, self.hashes, self.owners = array("I"), array("I"), array("I")
        self.entries = 0

    def add(self, bait: Listed) -> None:
        values = bait.values
        if len(self.bait_ids) == _MOST:
            raise Invalid("more baits than one register holds", mend="use several")
        if self.bait_ids and bait.bait_id <= self.bait_ids[-1]:
            raise Invalid("the baits' ids do not rise", mend="sort them")
        for key in keys_of(values):
            self.hashes.append(zlib.crc32(key.encode()))
            self.owners.append(len(self.bait_ids))
        shared = (
            bait.source, values.carrier or "", values.province, values.city, values.district
        )  # fmt: skip
        self.shared_of.append(self.shared.setdefault(shared, len(self.shared)))
        self.blob += _digits(values.number or "") + _digits(values.phone or "")
        code = "" if bait.code == str(bait.bait_id) else bait.code
        for text in (values.name or "", values.detail, code):
            raw = text.encode()[:255]
            self.blob += bytes((len(raw),)) + raw
        self.bait_ids.append(bait.bait_id)
        self.offsets.append(len(self.blob))
        self.entries += 2 + 3 * bool(values.name) + 2 * bool(values.detail)

    def register(self, mark: str) -> PackedRegister:
        ids, prints, buckets = self._indexed()
        shared = np.frombuffer(self.shared_of, dtype=np.uint32)
        narrow = np.uint8 if len(self.shared) < 256 else np.uint32
        arrays: Arrays = {
            "ids": ids.view(np.uint8).reshape(-1, 4)[:, :3].reshape(-1).copy(),
            "prints": prints,
            "buckets": buckets,
            "shared": shared.astype(narrow),
            "offsets": np.frombuffer(self.offsets, dtype=np.uint32),
            "bait_ids": np.array(self._spared(), dtype=np.uint32),
            "blob": np.frombuffer(bytes(self.blob), dtype=np.uint8),
        }
        sieve = empty_sieve(int(self.entries * _ROOM))
        register = PackedRegister(arrays, list(self.shared), sieve, mark=mark)
        count = len(self.bait_ids)
        sieve.add(register._values(index) for index in range(count))
        return register

    def _spared(self) -> Sequence[int]:
        """Return the ids, only the first where they follow on each other."""
        ids = self.bait_ids
        return ids[:1] if ids and ids[-1] - ids[0] == len(ids) - 1 else ids

    def _indexed(self) -> tuple[NDArray[np.uint32], NDArray[np.uint16], NDArray[np.uint32]]:
        """Sort entries by hash, leave out what more than FANOUT baits share, and cut buckets."""
        hashes = np.frombuffer(self.hashes, dtype=np.uint32)
        owners = np.frombuffer(self.owners, dtype=np.uint32)
        order = np.argsort(hashes, kind="stable")
        hashes, owners = hashes[order], owners[order]
        del order
        _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
        kept = np.repeat(counts <= FANOUT, counts)
        del first
        hashes, owners = hashes[kept], owners[kept]
        bits = max(0, int(len(hashes) // _BUCKET).bit_length())
        edges = np.arange((1 << bits) + 1, dtype=np.uint64) << np.uint64(32 - bits)
        buckets = np.searchsorted(hashes, edges).astype(np.uint32)
        return owners, _print_of(hashes), buckets


def _digits(text: str) -> bytes:
    """Pack letters and the digits after them; anything else as it is."""
    letters = text.rstrip("0123456789-")
    rest = text[len(letters) :]
    if not rest.isdigit() or not letters.isascii() or len(letters) > 30 or len(rest) > 60:
        raw = text.encode()[:255]
        return bytes((_PLAIN, len(raw))) + raw
    number = int("1" + rest)
    packed = number.to_bytes((number.bit_length() + 7) // 8)
    return bytes((len(letters), len(packed))) + letters.encode() + packed


def _texts(record: bytes) -> tuple[str, str, str, str, str]:
    """Return number, phone, name, detail and code of a record."""
    found, at = [], 0
    for _ in range(2):
        kind, size = record[at], record[at + 1]
        at += 2
        if kind == _PLAIN:
            found.append(record[at : at + size].decode(errors="replace"))
        else:
            letters = record[at : at + kind].decode()
            at += kind
            found.append(letters + str(int.from_bytes(record[at : at + size]))[1:])
        at += size
    for _ in range(3):
        size = record[at]
        found.append(record[at + 1 : at + 1 + size].decode(errors="replace"))
        at += 1 + size
    number, phone, name, detail, code = found
    return number, phone, name, detail, code


def _write(file: IO[bytes], facts: dict[str, object], arrays: Arrays) -> None:
    places, at = {}, 0
    for name, one in arrays.items():
        places[name] = (one.dtype.str, at, len(one))
        at += -(-one.nbytes // _ALIGN) * _ALIGN
    head = json.dumps(facts | {"arrays": places, "bytes": at}).encode()
    head = MAGIC + len(head).to_bytes(8) + head
    file.write(head + bytes(-len(head) % _ALIGN))
    for one in arrays.values():
        file.write(one.data)
        file.write(bytes(-one.nbytes % _ALIGN))


def is_packed(path: Path) -> bool:
    """Tell whether a file was written by `PackedRegister.save`."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def open_packed(path: Path) -> PackedRegister:
    """Map a saved register into memory. Raises Invalid when it is damaged."""
    try:
        # Copied when written to: the sieve takes new baits in place, the file stays as it is.
        whole = np.memmap(path, np.uint8, mode="c").view(np.ndarray)
        return _opened(whole)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, OverflowError) as error:
        raise Invalid(f"{path.name} is a damaged register", mend="build it again") from error


def read_packed(raw: bytes) -> PackedRegister:
    """Read what `PackedRegister.dump` returned. Raises Invalid when it is damaged."""
    try:
        return _opened(np.frombuffer(bytearray(raw), dtype=np.uint8))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise Invalid("the saved register is damaged", mend="build it again") from error


def _opened(whole: NDArray[np.uint8]) -> PackedRegister:
    facts, start = _head_of(whole)
    arrays: Arrays = {
        name: whole[start + at : start + at + np.dtype(kind).itemsize * count].view(kind)
        for name, (kind, at, count) in facts["arrays"].items()
    }
    sieve = Sieve(
        table=arrays.pop("table"), bits=arrays.pop("sieve_bits"), starts=arrays.pop("starts"),
        has_names=facts["has_names"], has_ten=facts["has_ten"], has_short=facts["has_short"],
    )  # fmt: skip
    shared = [tuple(one) for one in facts["shared"]]
    return PackedRegister(arrays, shared, sieve, mark=facts["mark"])


def _head_of(whole: NDArray[np.uint8]) -> tuple[dict[str, Any], int]:
    fixed = len(MAGIC) + 8
    if bytes(whole[: len(MAGIC)]) != MAGIC:
        raise ValueError("no register")
    size = int.from_bytes(bytes(whole[len(MAGIC) : fixed]))
    facts = json.loads(bytes(whole[fixed : fixed + size]))
    start = -(-(fixed + size) // _ALIGN) * _ALIGN
    if len(whole) != start + facts["bytes"]:
        raise ValueError("cut short")
    return facts, start
