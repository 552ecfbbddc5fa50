from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeds.carriers import load_carriers
from seeds.draws import Draws
from seeds.errors import CapacityShort, UnknownCarrier
from seeds.numbers import NumberMint, draw_number, identify, is_valid, normalise
from seeds.ranges import NumberRange, NumberRanges
from seeds.shapes import SHAPES

FORMATS = [form for carrier in load_carriers().values() for form in carrier.formats]
CURRENT = [code for code, carrier in load_carriers().items() if carrier.is_current]


def _each(attribute: str) -> list[tuple[str, str, str]]:
    return [
        (form.carrier, form.code, text) for form in FORMATS for text in getattr(form, attribute)
    ]


@pytest.mark.parametrize(("carrier", "form", "text"), _each("valid_examples"))
def test_valid_example_is_valid(carrier, form, text):
    assert is_valid(carrier, text)
    assert (carrier, form) in {(found.carrier, found.format) for found in identify(text)}


@pytest.mark.parametrize(("carrier", "form", "text"), _each("invalid_examples"))
def test_invalid_example_is_refused(carrier, form, text):
    assert not is_valid(carrier, text)
    assert (carrier, form) not in {(found.carrier, found.format) for found in identify(text)}


@pytest.mark.parametrize("carrier", CURRENT)
def test_drawn_numbers_pass_their_validator(carrier):
    numbers = NumberMint(carrier, Draws(Random(7))).draw(300)
    assert all(is_valid(carrier, number) for number in numbers)
    assert all(normalise(number) == number for number in numbers)


def test_every_current_form_can_be_drawn():
    drawable = {form.code for form in FORMATS if form.current}
    assert drawable == set(SHAPES)


@pytest.mark.parametrize("code", SHAPES)
def test_each_shape_makes_its_form(code, draws):
    from seeds.shapes import draw_numbers

    form = next(form for form in FORMATS if form.code == code)
    assert all(form.admits(number) for number in draw_numbers(SHAPES[code], 200, draws))


@pytest.mark.parametrize("carrier", ["SF", "YTO", "ZTO", "STO", "YUNDA", "JT", "JD", "DEPPON"])
def test_drawn_number_points_at_its_carrier(carrier):
    assert identify(draw_number(carrier, Random(7)))[0].carrier == carrier


@pytest.mark.parametrize(
    ("number", "first"),
    [
        ("YT2229521272164446", "YUNEXPRESS"),
        ("YT2047183659012", "YTO"),
        ("986578788855", "FEDEX"),
        ("3318810025", "DHL"),
        ("431820394756610", "YUNDA"),
        ("621093847561028", "CAINIAO"),
        ("1Z999AA10123456784", "UPS"),
        ("EG604829134KR", "UPU_S10"),
    ],
)
def test_likeliest_carrier_comes_first(number, first):
    found = identify(number)
    assert found[0].carrier == first
    assert sum(candidate.score for candidate in found) == pytest.approx(1)


def test_bare_twelve_digits_stay_ambiguous():
    carriers = {candidate.carrier for candidate in identify("304312442386")}
    assert {"SF", "ZTO", "ANE"} <= carriers


@pytest.mark.parametrize("text", ["", "-", "1" * 5000, "ＹＴ", "hello", "\ud800", "٣" * 12])
def test_nonsense_belongs_to_nobody(text):
    assert identify(text) == []


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("ＹＴ２０４７１８３６５９０１２", "YT2047183659012"),
        ("yt 2047-1836-59012", "YT2047183659012"),
        ("4444-1375-8703", "444413758703"),
        ("JDVE10293847565-1-1-", "JDVE10293847565-1-1-"),
    ],
)
def test_written_number_is_made_bare(written, bare):
    assert normalise(written) == bare


@given(st.text(max_size=40))
def test_normalising_twice_equals_once(text):
    assert normalise(normalise(text)) == normalise(text)


def test_unknown_carrier_names_the_mend():
    with pytest.raises(UnknownCarrier, match=r"mend: use one of SF, YTO"):
        draw_number("NOBODY", Random(7))


def test_defunct_carrier_gives_no_numbers():
    with pytest.raises(UnknownCarrier, match="no current number form"):
        draw_number("GTO", Random(7))


def test_ranges_not_to_be_used_stay_unused():
    never = NumberRanges(
        [NumberRange(carrier="DEPPON", first="DPK000000000000", last="DPK999999999999")]
    )
    numbers = NumberMint("DEPPON", Draws(Random(3)), never=never).draw(200)
    assert {number[:3] for number in numbers} == {"DPL"}


def test_carrier_wholly_barred_says_so():
    never = NumberRanges(
        [NumberRange(carrier="JT", first="JT0000000000000", last="JT9999999999999")]
    )
    with pytest.raises(CapacityShort, match="mend: narrow the ranges"):
        NumberMint("JT", Draws(Random(3)), never=never).draw(1)


def test_numbers_do_not_come_in_sequence():
    numbers = [int(number[2:]) for number in NumberMint("YTO", Draws(Random(7))).draw(1000)]
    gaps = [abs(b - a) for a, b in pairwise(numbers)]
    assert min(gaps) > 1
    assert numbers != sorted(numbers)
