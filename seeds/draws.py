"""Uniform draws from a secure source, buffered so that a million are quick."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")

_WORDS = 1024


class RandomSource(Protocol):
    """What gives random bytes: `secrets.SystemRandom()` in use, a seeded one in tests."""

    def randbytes(self, n: int, /) -> bytes: ...


class Draws:
    """Draw integers, choices and digits; one instance belongs to one thread and process."""

    __slots__ = ("_source", "_words")

    def __init__(self, source: RandomSource) -> None:
        self._source = source
        self._words: Iterator[int] = iter(())

    def below(self, limit: int) -> int:
        """Draw from 0..limit-1; the bias is below limit / 2**64, so keep limit under 10**12."""
        for word in self._words:
            return word * limit >> 64
        self._words = iter(array("Q", self._source.randbytes(8 * _WORDS)))
        return self.below(limit)

    def choice(self, items: Sequence[T]) -> T:
        """Draw one of a non-empty sequence."""
        return items[self.below(len(items))]

    def digits(self, count: int) -> str:
        """Draw a string of decimal digits, leading zeros kept."""
        if count > 9:
            return f"{self.below(1_000_000_000):09d}{self.digits(count - 9)}"
        return f"{self.below(10**count):0{count}d}"

    def fraction(self) -> float:
        """Draw from [0, 1)."""
        return self.below(1 << 53) / (1 << 53)

    def shuffle(self, items: list[T]) -> None:
        """Shuffle a list in place (Fisher and Yates)."""
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


class Seen:
    """Remember what was drawn in fixed memory (a Bloom filter of 4 MiB).

    Never forgets, so what it calls new is new; may call something new seen (0.4 % after a
    million values), which costs one more draw and nothing else.
    """

    __slots__ = ("_bits",)

    _MASK = (1 << 25) - 1

    def __init__(self) -> None:
        self._bits = bytearray(1 << 22)

    def is_new(self, value: str) -> bool:
        """Tell whether a value is new, and remember it."""
        code = hash(value)
        one, two = code & self._MASK, code >> 25 & self._MASK
        bits = self._bits
        one_bit, two_bit = 1 << (one & 7), 1 << (two & 7)
        if bits[one >> 3] & one_bit and bits[two >> 3] & two_bit:
            return False
        bits[one >> 3] |= one_bit
        bits[two >> 3] |= two_bit
        return True
