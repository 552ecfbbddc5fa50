import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeds import checks

DIGITS = "0123456789"


@pytest.mark.parametrize(
    ("rule", "body", "check"),
    [
        (checks.s10, "47312856", "0"),
        (checks.s10, "12345678", "5"),
        (checks.mod7, "331881002", "5"),
        (checks.mod7, "44441375870", "3"),
        (checks.mod10_right, "10614141123456789", "7"),
        (checks.mod10_right, "940011189922385717045", "2"),
        (checks.mod10_left, "56828361001273", "4"),
        (checks.fedex12, "98657878885", "5"),
        (checks.ups, "999AA1012345678", "4"),
        (checks.mod37_36, "09980000020033", "F"),
    ],
)
def test_published_example_has_its_digit(rule, body, check):
    assert rule(body) == check


@given(
    serial=st.text(DIGITS, min_size=8, max_size=8),
    place=st.integers(0, 7),
    step=st.integers(1, 9),
)
def test_s10_notices_any_single_change(serial, place, step):
    """Remainders 10 and 0 share a digit with 5, so the map of the check value may hide a change."""
    changed = serial[:place] + str((int(serial[place]) + step) % 10) + serial[place + 1 :]
    if checks.s10(serial) not in "05":
        assert checks.s10(changed) != checks.s10(serial)


@given(
    body=st.text(DIGITS, min_size=17, max_size=17),
    place=st.integers(0, 16),
    step=st.integers(1, 9),
)
def test_gs1_notices_any_single_change(body, place, step):
    changed = body[:place] + str((int(body[place]) + step) % 10) + body[place + 1 :]
    assert checks.mod10_right(changed) != checks.mod10_right(body)
