"""One-time codes are those of RFC 6238, each good for one short while."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from canary.domain.onetime import code_at, find_step, make_uri, spell_secret, step_of

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 20, 6, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(at, code):
    """RFC 6238, appendix B, the last six digits of the SHA-1 column."""
    assert code_at(SECRET, at // 30) == code
    assert find_step(SECRET, code, datetime.fromtimestamp(at, tz=UTC)) == at // 30


@pytest.mark.parametrize(
    ("late_s", "taken"), [(-41, False), (-30, True), (0, True), (49, True), (50, False)]
)
def test_code_lives_for_three_periods(late_s, taken):
    code = code_at(SECRET, step_of(NOW))
    assert (find_step(SECRET, code, NOW + timedelta(seconds=late_s)) is not None) == taken


def test_used_code_is_not_found_again():
    step = step_of(NOW)
    assert find_step(SECRET, code_at(SECRET, step), NOW, after=step) is None
    assert find_step(SECRET, code_at(SECRET, step + 1), NOW, after=step) == step + 1


@pytest.mark.parametrize(
    "text", ["", "12345", "1234567", "１２３４５６", "abcdef", "-12345", "٣٤٥٦٧٨"]
)
def test_what_is_no_code_is_not_found(text):
    assert find_step(SECRET, text, NOW) is None


def test_blanks_in_a_code_do_not_matter():
    code = code_at(SECRET, step_of(NOW))
    assert find_step(SECRET, f" {code[:3]} {code[3:]} ", NOW) is not None


def test_app_reads_name_and_secret():
    uri = urlsplit(make_uri(SECRET, "林 & co", "Waybill Canary"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query)["secret"] == [spell_secret(SECRET)]
    assert parse_qs(uri.query)["issuer"] == ["Waybill Canary"]
    assert "+" not in uri.query
    assert uri.path == "/Waybill%20Canary:%E6%9E%97%20%26%20co"
