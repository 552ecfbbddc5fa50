from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeds.draws import Draws
from seeds.errors import PoolEmpty, SeedError
from seeds.ranges import NumberRange, NumberRanges, ReservedNumbers

TODAY = date(2026, 11, 21)


def _span(first: str, last: str, until: date | None = None) -> NumberRange:
    return NumberRange(carrier="YTO", first=first, last=last, until=until)


def _take(*spans: NumberRange) -> ReservedNumbers:
    return ReservedNumbers("YTO", spans, Draws(Random(5)), today=TODAY)


def test_reserved_block_is_used_up_once():
    reserved = _take(_span("YT2047183659000", "YT2047183659099"))
    taken = [next(reserved) for _ in range(100)]
    assert sorted(taken) == [f"YT20471836590{i:02d}" for i in range(100)]
    assert taken != sorted(taken)
    with pytest.raises(PoolEmpty, match="mend: ask the carrier"):
        next(reserved)


def test_voided_numbers_are_single_ones():
    reserved = _take(_span("YT2047183659012", "YT2047183659012"))
    assert next(reserved) == "YT2047183659012"


def test_lapsed_block_is_left_alone():
    with pytest.raises(PoolEmpty):
        next(_take(_span("YT2047183659000", "YT2047183659099", date(2026, 11, 20))))


def test_reserved_numbers_without_right_digit_are_passed_over():
    spans = [NumberRange(carrier="DHL", first="3318810020", last="3318810029")]
    reserved = ReservedNumbers("DHL", spans, Draws(Random(5)), today=TODAY)
    assert next(reserved) == "3318810025"


@given(
    spans=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 40)), max_size=8),
    number=st.integers(0, 350),
)
def test_covering_agrees_with_plain_search(spans, number):
    ranges = NumberRanges(_span(f"YT{low:013d}", f"YT{low + length:013d}") for low, length in spans)
    plain = any(low <= number <= low + length for low, length in spans)
    assert ranges.covers("YTO", f"YT{number:013d}") is plain


@pytest.mark.parametrize(
    ("carrier", "first", "last", "message"),
    [
        ("YTO", "YT2047183659099", "YT2047183659000", "exchange"),
        ("YTO", "YT2047183659000", "YT204718365909", "same length"),
        ("YTO", "YT2047183659000", "SF2047183659099", "differ in digits only"),
        ("XXX", "YT2047183659000", "YT2047183659000", "use one of"),
    ],
)
def test_bad_range_names_the_mend(carrier, first, last, message):
    with pytest.raises(SeedError, match=message):
        NumberRange(carrier=carrier, first=first, last=last)
