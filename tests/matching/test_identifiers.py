"""Canonical forms and the masks a screen may show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.domain.identifiers import (
    BaitValues,
    canonical_name,
    canonical_number,
    canonical_phone,
    mask_address,
    mask_name,
    mask_number,
    mask_phone,
)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("+86 193-4027-1865", "19340271865"),
        ("0086 19340271865", "19340271865"),
        ("019340271865", "19340271865"),
        ("１９３４０２７１８６５", "19340271865"),
        ("19340271865转8462", "19340271865-8462"),
        ("19340271865-8462", "19340271865-8462"),
        ("19340271865,8462", "19340271865-8462"),
        ("19340271865[8462]", "19340271865-8462"),
        ("0512-65001234", "051265001234"),
        ("", ""),
    ],
)
def test_phone_becomes_host_and_extension(written: str, canonical: str) -> None:
    assert canonical_phone(written) == canonical


@given(st.text(max_size=40))
def test_canonical_twice_equals_once(text: str) -> None:
    for canonical in (canonical_number, canonical_name, canonical_phone):
        assert canonical(canonical(text)) == canonical(text)


def test_number_keeps_letters_and_digits() -> None:
    assert canonical_number(" yt 2047-1836 ５９０１２ ") == "YT2047183659012"


def test_masks_show_what_law_allows() -> None:
    assert mask_phone("13812341234-8462") == "138****1234"
    assert mask_name("林若溪") == "林**"
    assert mask_number("YT2047183659012") == "YT20********012"
    values = BaitValues(city="苏州市", district="姑苏区", detail="人民路88号")
    assert mask_address(values) == "苏州市姑苏区****"


@pytest.mark.parametrize("short", [None, "", "1", "1234567"])
def test_short_values_are_hidden_whole(short: str | None) -> None:
    assert set(mask_phone(short) + mask_number(short)) <= {"*"}
