"""Uniform draws from a secure source, one at a time or a column at once."""

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Protocol, TypeVar

import numpy as np

T = TypeVar("T")

_WORDS = 1024
_CODES = (1 << 26) - 1
_Fractions = np.ndarray[tuple[int], np.dtype[np.float64]]


class RandomSource(Protocol):
    """What gives random bytes: `secrets.SystemRandom()` in use, a seeded one in tests."""

    def randbytes(self, n: int, /) -> bytes: ...


class Draws:
    """Draw integers, choices and digits; one instance belongs to one thread and process.

    Limits stay under 10**12, where the bias of scaling random bits is too small to matter.
    """

    __slots__ = ("_source", "_word")

    def __init__(self, source: RandomSource) -> None:
        self._source = source
        self._word = chain.from_iterable(_read_blocks(source)).__next__

    def below(self, limit: int) -> int:
        """Draw from 0..limit-1."""
        return self._word() * limit >> 64

    def choice(self, items: Sequence[T]) -> T:
        """Draw one of a non-empty sequence."""
        return items[self._word() * len(items) >> 64]

    def column(self, count: int, limit: int) -> list[int]:
        """Draw `count` integers, each from 0..limit-1."""
        return _floor(self._draw_fractions(count) * limit)

    def positions(self, sequences: Sequence[Sequence[T]]) -> list[int]:
        """Draw one position in each of the non-empty sequences."""
        sizes = np.fromiter(map(len, sequences), dtype=np.float64, count=len(sequences))
        return _floor(self._draw_fractions(len(sequences)) * sizes)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in random order."""
        order: list[int] = np.argsort(self._draw_fractions(len(items))).tolist()
        return [items[place] for place in order]

    def _draw_fractions(self, count: int) -> _Fractions:
        """Draw from [0, 1) in steps of 2**-53, which keeps products under their limit."""
        words = np.frombuffer(self._source.randbytes(8 * count), dtype=np.uint64)
        return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _floor(values: _Fractions) -> list[int]:
    whole: list[int] = values.astype(np.int64).tolist()
    return whole


def _read_blocks(source: RandomSource) -> Iterator[Sequence[int]]:
    while True:
        yield array("Q", source.randbytes(8 * _WORDS))


class Seen:
    """Remember what was drawn in 8 MiB: one bit for each of 2**26 hash values.

    Never forgets, so what it calls new is new. May call something new seen (6 % of the time
    after four million values), which costs one more draw and nothing else.
    """

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks = np.zeros(1 << 23, dtype=np.uint8)

    def keep_new(self, values: Sequence[str]) -> list[bool]:
        """Tell of each value whether it is new, and remember it."""
        codes = np.fromiter(map(hash, values), dtype=np.int64, count=len(values)) & _CODES
        places, bits = codes >> 3, np.left_shift(1, codes & 7).astype(np.uint8)
        news = np.zeros(len(codes), dtype=np.bool_)
        # Of values that come twice in one call, the first is new.
        news[np.unique(codes, return_index=True)[1]] = True
        news &= self._marks[places] & bits == 0
        np.bitwise_or.at(self._marks, places, bits)
        told: list[bool] = news.tolist()
        return told
