import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeds.code128 import encode_code128
from seeds.errors import BadSheet

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)


@given(PRINTABLE)
def test_symbols_are_eleven_modules_wide(text):
    widths = encode_code128(text)
    assert (sum(widths) - 13) % 11 == 0
    assert len(widths) % 6 == 1
    assert set(widths) <= {1, 2, 3, 4}


@given(PRINTABLE)
def test_decoder_reads_back_the_text(text):
    """Any printable text, drawn as one row of pixels and read by an independent decoder."""
    zxingcpp = pytest.importorskip("zxingcpp")
    np = pytest.importorskip("numpy")
    widths = [10, *encode_code128(text), 10]
    pixels = np.repeat([255 * (i % 2 == 0) for i in range(len(widths))], widths)
    image = np.tile(np.repeat(pixels, 3).astype(np.uint8), (40, 1))
    (found,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.Code128)
    assert found.text.strip() == text.strip()


def test_digit_runs_take_half_the_room():
    assert len(encode_code128("76291038475562")) < len(encode_code128("ABCDEFGHIJKLMN"))


@pytest.mark.parametrize("text", ["", "运单号", "\x00", "é"])
def test_unprintable_text_is_refused(text):
    with pytest.raises(BadSheet, match="mend: use ASCII"):
        encode_code128(text)
