from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from seeds.draws import Draws, Seen


class Constant:
    """A source whose every bit is the same."""

    def __init__(self, byte: int) -> None:
        self.byte = byte

    def randbytes(self, n: int, /) -> bytes:
        return bytes([self.byte]) * n


@given(st.integers(1, 10**12))
def test_extreme_bits_stay_below_the_limit(limit):
    high, low = Draws(Constant(255)), Draws(Constant(0))
    assert high.below(limit) == high.column(1, limit)[0] == limit - 1
    assert low.below(limit) == low.column(1, limit)[0] == 0


def test_columns_are_spread_evenly():
    counts = Counter(Draws(Random(1)).column(60_000, 6))
    assert set(counts) == set(range(6))
    assert all(9_600 < count < 10_400 for count in counts.values())


def test_positions_fit_each_sequence(draws):
    sequences = ["a", "ab", "abc"] * 200
    places = draws.positions(sequences)
    assert all(place < len(items) for place, items in zip(places, sequences, strict=True))
    assert set(places) == {0, 1, 2}


@given(st.lists(st.integers(), max_size=60))
def test_shuffling_keeps_all_items(items):
    assert sorted(Draws(Random(2)).shuffled(items)) == sorted(items)


@given(st.lists(st.text(max_size=3), max_size=60))
def test_what_was_seen_is_never_new(values):
    seen = Seen()
    first = seen.keep_new(values)
    assert [value for value, new in zip(values, first, strict=True) if new] == list(
        dict.fromkeys(values)
    )
    assert not any(seen.keep_new(values))
