"""The searchable set of identifiers: what the engine asks, and one answer kept in memory."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from canary.domain.errors import Flaw, Invalid
from canary.domain.identifiers import (
    BaitValues,
    canonical_name,
    canonical_number,
    canonical_phone,
)
from canary.matching.keys import FANOUT, Key, keys_of

if TYPE_CHECKING:
    from canary.matching.sieve import Sieve

COLUMNS = ("bait", "source", "number", "phone", "name", "province", "city", "district", "address")


class Register(Protocol):
    """Answers under which keys which baits stand; retired baits still answer."""

    @property
    def size(self) -> int:
        """Number of baits, for the expected number of accidental matches."""

    @property
    def sieve(self) -> "Sieve | None":
        """The sieve of the same baits, where there is one; it spares the engine most texts."""
        return None

    def find(self, keys: Collection[Key]) -> Mapping[Key, Sequence[int]]:
        """Return bait ids per key; keys without a bait, or with over FANOUT, may be left out."""

    def values(self, bait_ids: Collection[int]) -> Mapping[int, BaitValues]:
        """Return the values of these baits, for confirmation."""


class MemoryRegister(Register):
    """A register held in dictionaries."""

    def __init__(self) -> None:
        self._ids: dict[Key, list[int]] = {}
        self._values: dict[int, BaitValues] = {}
        self._labels: dict[int, tuple[str, str]] = {}

    @property
    def size(self) -> int:
        return len(self._values)

    def add(self, bait_id: int, values: BaitValues, *, code: str = "", source: str = "") -> None:
        """Add a bait, or replace its values."""
        if bait_id in self._values:
            self._forget(bait_id)
        self._values[bait_id] = values
        if code or source:
            self._labels[bait_id] = (code, source)
        for key in keys_of(values):
            self._ids.setdefault(key, []).append(bait_id)

    def _forget(self, bait_id: int) -> None:
        for key in keys_of(self._values.pop(bait_id)):
            self._ids[key].remove(bait_id)
            if not self._ids[key]:
                del self._ids[key]

    def has(self, bait_id: int) -> bool:
        """Tell whether a bait is here."""
        return bait_id in self._values

    def label(self, bait_id: int) -> tuple[str, str]:
        """Return the bait's code and its source's code, as given when it was added."""
        return self._labels.get(bait_id, (str(bait_id), ""))

    def items(self) -> Collection[tuple[int, BaitValues]]:
        """Return ids and values of all baits."""
        return self._values.items()

    def everything(self) -> Collection[BaitValues]:
        """Return the values of all baits."""
        return self._values.values()

    def find(self, keys: Collection[Key]) -> Mapping[Key, Sequence[int]]:
        ids = self._ids
        return {key: ids[key] for key in keys if key in ids and len(ids[key]) <= FANOUT}

    def values(self, bait_ids: Collection[int]) -> Mapping[int, BaitValues]:
        return {bait_id: self._values[bait_id] for bait_id in bait_ids if bait_id in self._values}


class Row(NamedTuple):
    """A bait as a row of a register file tells it."""

    bait_id: int
    values: BaitValues
    code: str
    source: str


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a register.csv; raises Invalid, with every finding, at the end."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from _rows_of(csv.DictReader(lines, strict=True))
    except UnicodeDecodeError as error:
        raise Invalid(f"not UTF-8 at byte {error.start}", mend="save the file as UTF-8") from error
    except csv.Error as error:
        raise Invalid(f"not a CSV file: {error}", mend="export the register again") from error


def _rows_of(rows: "csv.DictReader[str]") -> Iterator[Row]:
    missing = {"bait"} - set(rows.fieldnames or ())
    if missing or not set(COLUMNS[2:5]) & set(rows.fieldnames or ()):
        raise Invalid("the heading misses columns", row=1, mend=f"use {','.join(COLUMNS)}")
    flaws: list[Flaw] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        code = (row.get("bait") or "").strip()
        if not code or code in seen:
            problem = "empty" if not code else f"{code} stands here twice"
            flaws.append(
                Flaw(problem=problem, mend="give each bait its own", row=number, field="bait")
            )
            continue
        seen.add(code)
        source = (row.get("source") or "").strip()
        yield Row(number - 1, _values_of(row), code, source)
    if flaws:
        raise Invalid(flaws=flaws)


def _values_of(row: Mapping[str, str | None]) -> BaitValues:
    cell = {column: (row.get(column) or "").strip().lstrip("'\t") for column in COLUMNS}
    return BaitValues(
        number=canonical_number(cell["number"]) or None,
        phone=canonical_phone(cell["phone"]) or None,
        name=canonical_name(cell["name"]) or None,
        province=cell["province"],
        city=cell["city"],
        district=cell["district"],
        detail=cell["address"],
    )


def register_of(baits: Iterable[tuple[int, BaitValues]]) -> MemoryRegister:
    """Build a register from ids and values."""
    register = MemoryRegister()
    for bait_id, values in baits:
        register.add(bait_id, values)
    return register
