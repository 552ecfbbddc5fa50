"""The ladder of charsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.charsets import codec_of, decode

RARE = "收件人 喆玥堃珺昇祎翀赟镕瞾垚犇燊烜彧 138 0000 0000"


@pytest.mark.parametrize(
    ("body", "content_type", "charset", "rung"),
    [
        (b"\xef\xbb\xbf" + RARE.encode(), "text/html; charset=gbk", "utf-8", "bom"),
        (b"\xff\xfe" + RARE.encode("utf-16-le"), "", "utf-16-le", "bom"),
        (b"\xfe\xff" + RARE.encode("utf-16-be"), "", "utf-16-be", "bom"),
        (RARE.encode("gb18030"), "text/html; charset=gb2312", "gb18030", "header"),
        (RARE.encode("gb18030"), 'text/html; Charset="GBK"', "gb18030", "header"),
        (RARE.encode("gb18030"), "text/html; charset=x-gbk", "gb18030", "header"),
        (RARE.encode(), "text/html; charset=utf-8", "utf-8", "header"),
        (b'<meta charset="gb2312">' + RARE.encode("gb18030"), "", "gb18030", "meta"),
        (
            b'<meta http-equiv="Content-Type" content="text/html; charset=GB_2312-80">'
            + RARE.encode("gb18030"),
            "text/html",
            "gb18030",
            "meta",
        ),
        (b'<?xml version="1.0" encoding="gbk"?>' + RARE.encode("gb18030"), "", "gb18030", "meta"),
        (RARE.encode(), "", "utf-8", "utf-8"),
        (RARE.encode(), "text/html; charset=iso-8859-1", "utf-8", "utf-8"),
        (RARE.encode("gb18030"), "", "gb18030", "gb18030"),
        (RARE.encode("gb18030"), "text/plain; charset=utf-8", "gb18030", "gb18030"),
        (RARE.encode("gb18030"), "text/plain; charset=klingon", "gb18030", "gb18030"),
    ],
)
def test_each_rung_keeps_rare_names(
    body: bytes, content_type: str, charset: str, rung: str
) -> None:
    decoded = decode(body, content_type)
    assert RARE in decoded.text
    assert (decoded.charset, decoded.rung) == (charset, rung)


def test_declared_latin_text_stays_latin() -> None:
    decoded = decode("café à la crème".encode("latin-1"), "text/plain; charset=iso-8859-1")
    assert (decoded.text, decoded.rung) == ("café à la crème", "header")


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_cut_last_character_keeps_the_rest(charset: str) -> None:
    decoded = decode(
        RARE.replace("0000", "号").encode(charset)[:-1], f"text/html; charset={charset}"
    )
    assert decoded.rung == "header"
    assert decoded.text == RARE.replace("0000", "号")[:-1] + "\ufffd"


def test_undecodable_bytes_are_replaced() -> None:
    decoded = decode(b"78901\xff\xff\x80\xff", "text/html; charset=gbk")
    assert decoded.rung == "replaced"
    assert decoded.text.startswith("78901")


@pytest.mark.parametrize(
    "label", ["zlib", "base64", "utf-7", "rot13", "idna", "", "unicode_escape"]
)
def test_dangerous_labels_are_unknown(label: str) -> None:
    assert codec_of(label) is None


@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_give_text(body: bytes, content_type: str) -> None:
    decoded = decode(body, f"text/html; charset={content_type}")
    assert isinstance(decoded.text, str)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_utf8_text_comes_back_unchanged(text: str) -> None:
    assert decode(text.encode(), "text/plain; charset=utf-8").text == text.removeprefix("\ufeff")
