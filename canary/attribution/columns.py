"""Read checked columns out of decoded JSON; every refusal names the path of the field."""

import math
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from canary.attribution.world import Bools, Floats, Ints
from canary.domain.errors import Invalid

Json = Any
_LARGEST = 1e12


def refuse(path: str, problem: str, mend: str = "") -> NoReturn:
    """Raise Invalid for the field at `path`."""
    raise Invalid(problem, field=path, mend=mend)


def as_object(value: Json, path: str) -> Mapping[str, Json]:
    """Return a JSON object or refuse."""
    if not isinstance(value, dict):
        refuse(path, "must be an object")
    return value


def as_list(value: Json, path: str) -> list[Json]:
    """Return a JSON list or refuse."""
    if not isinstance(value, list):
        refuse(path, "must be a list")
    return value


def as_number(value: Json, path: str, *, low: float = 0.0, high: float = _LARGEST) -> float:
    """Return a finite number within [low, high] or refuse."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(path, "must be a number")
    if isinstance(value, float) and not math.isfinite(value):
        refuse(path, "must be a finite number", "leave out NaN and infinity")
    if not low <= value <= high:
        refuse(path, f"must lie between {low:g} and {high:g}")
    return float(value)


def as_text(value: Json, path: str, *, longest: int = 512) -> str:
    """Return a string of bounded length without lone surrogates, or refuse."""
    if not isinstance(value, str):
        refuse(path, "must be text")
    if len(value) > longest:
        refuse(path, f"is longer than {longest} characters")
    if any("\ud800" <= char <= "\udfff" for char in value):
        refuse(path, "holds half a character")
    return value


def as_chance(value: Json, path: str) -> float:
    """Return a probability or refuse."""
    return as_number(value, path, low=0.0, high=1.0)


def texts(value: Json, path: str, *, length: int | None = None) -> tuple[str, ...]:
    """Return a column of strings; null reads as the empty string."""
    rows = as_list(value, path)
    _check_length(rows, path, length)
    if not all(type(row) is str for row in rows):
        rows = ["" if row is None else row for row in rows]
    blob = "".join(row for row in rows if isinstance(row, str))
    if not all(type(row) is str for row in rows) or not _is_clean(blob):
        return tuple(as_text(row, f"{path}[{at}]") for at, row in enumerate(rows))
    return tuple(rows)


def identifiers(value: Json, path: str) -> tuple[str, ...]:
    """Return a column of distinct, non-empty strings."""
    column = texts(value, path)
    seen: set[str] = set()
    for at, one in enumerate(column):
        if not one:
            refuse(f"{path}[{at}]", "must not be empty")
        if one in seen:
            refuse(f"{path}[{at}]", f"repeats the id {one[:40]!r}", "give every row its own id")
        seen.add(one)
    return column


def indices(value: Json, path: str, *, below: int, length: int | None = None) -> Ints:
    """Return a column of whole numbers in [0, below)."""
    rows = as_list(value, path)
    _check_length(rows, path, length)
    column = _whole(rows, path)
    wrong = np.flatnonzero((column < 0) | (column >= below))
    if wrong.size:
        at = int(wrong[0])
        refuse(f"{path}[{at}]", f"points to row {column[at]}, but there are {below}")
    return column


def index(value: Json, path: str, *, below: int) -> int:
    """Return one whole number in [0, below) or refuse."""
    if type(value) is not int:
        refuse(path, "must be a whole number")
    if not 0 <= value < below:
        refuse(path, f"points to row {value}, but there are {below}")
    return value


def level(value: Json, path: str) -> int:
    """Return how much of a field is seen: 0 nothing, 1 masked, 2 full."""
    if type(value) is not int or value not in (0, 1, 2):
        refuse(path, "must be 0, 1 or 2")
    return value


def hours(value: Json, path: str, *, low: float, high: float, length: int | None = None) -> Floats:
    """Return a column of finite times within [low, high]."""
    rows = as_list(value, path)
    _check_length(rows, path, length)
    column = _real(rows, path)
    wrong = np.flatnonzero(~np.isfinite(column) | (column < low) | (column > high))
    if wrong.size:
        at = int(wrong[0])
        as_number(rows[at], f"{path}[{at}]", low=low, high=high)
    return column


def flags(value: Json, path: str, *, length: int) -> Bools:
    """Return a column of true/false."""
    rows = as_list(value, path)
    _check_length(rows, path, length)
    for at, row in enumerate(rows):
        if not isinstance(row, bool):
            refuse(f"{path}[{at}]", "must be true or false")
    return np.asarray(rows, dtype=np.bool_)


def frequencies(value: Json, path: str) -> dict[str, float]:
    """Return a table of text to probability."""
    table = as_object(value, path)
    return {key: as_chance(share, f"{path}.{key[:40]}") for key, share in table.items()}


def _check_length(rows: list[Json], path: str, length: int | None) -> None:
    if length is not None and len(rows) != length:
        refuse(path, f"has {len(rows)} rows, its neighbours have {length}")


def _whole(rows: list[Json], path: str) -> Ints:
    if not rows:
        return np.zeros(0, dtype=np.int64)
    if set(map(type, rows)) != {int}:
        at = next(at for at, row in enumerate(rows) if type(row) is not int)
        refuse(f"{path}[{at}]", "must be a whole number")
    try:
        return np.asarray(rows, dtype=np.int64)
    except OverflowError:
        refuse(path, "holds a number beyond 64 bits")


def _real(rows: list[Json], path: str) -> Floats:
    kinds: set[type] = set(map(type, rows))
    if not kinds <= {int, float}:
        at = next(at for at, row in enumerate(rows) if type(row) not in (int, float))
        refuse(f"{path}[{at}]", "must be a number")
    try:
        return np.asarray(rows, dtype=np.float64)
    except OverflowError:
        refuse(path, "holds a number beyond all bounds")


def _is_clean(blob: str) -> bool:
    try:
        blob.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def pair(value: Json, path: str) -> tuple[float, float]:
    """Return a list of exactly two probabilities."""
    rows = as_list(value, path)
    _check_length(rows, path, 2)
    first, second = (as_chance(row, f"{path}[{at}]") for at, row in enumerate(rows))
    return first, second
