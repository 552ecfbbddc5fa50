"""From bytes to text: what is declared and strict comes first, a guess last."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SAMPLE = 32_768
_HEAD = 4_096
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEADER_LABEL = re.compile(r"charset\s{0,8}=\s{0,8}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_META_LABEL = re.compile(
    rb"<meta\s[^>]{0,300}?charset\s{0,8}=\s{0,8}[\"']?\s{0,8}([A-Za-z0-9_.:-]{1,40})"
    rb"|<\?xml\s[^>]{0,200}?encoding\s{0,8}=\s{0,8}[\"']([A-Za-z0-9_.:-]{1,40})",
    re.IGNORECASE,
)
# GB2312 and GBK on a label mean GB18030: rare characters of names are outside both.
_CODECS = {
    "gb18030": "gb18030 gb2312 gbk x-gbk gb_2312-80 gb_2312 cp936 windows-936 ms936 csgb2312 "
    "chinese iso-ir-58 euc-cn gb18030-2022",
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 x-unicode20utf8",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5 csbig5",
    "utf-16-le": "utf-16 utf-16le unicode ucs-2",
    "utf-16-be": "utf-16be",
    "shift_jis": "shift_jis sjis shift-jis ms_kanji x-sjis windows-31j",
    "euc-jp": "euc-jp x-euc-jp",
    "euc-kr": "euc-kr korean ks_c_5601-1987 windows-949",
    "koi8-r": "koi8-r koi8",
    "cp1251": "windows-1251 cp1251",
    "cp1252": "windows-1252 cp1252 iso-8859-1 iso8859-1 latin1 latin-1 us-ascii ascii",
}
CODEC_OF_LABEL = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}
# Servers put these on anything, and they decode anything: believed only when nothing else fits.
_DOUBTFUL = "cp1252"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Text with the charset used and the rung that gave it.

    Rungs: `bom header meta utf-8 gb18030 detected replaced`.
    """

    text: str
    charset: str
    rung: str


def decode(body: bytes, content_type: str = "") -> Decoded:
    """Decode by the first rung that fits all bytes; never fails.

    A character cut off at the very end becomes one replacement character.
    """
    for rung, charset, data in _rungs(body, content_type):
        text = _strictly(data, charset)
        if text is not None:
            return Decoded(text=text, charset=charset, rung=rung)
    return _last_resort(body, content_type)


def codec_of(label: str) -> str | None:
    """Return the Python codec to use for a charset label, or None if it is not known."""
    return CODEC_OF_LABEL.get(label.strip().lower())


def _rungs(body: bytes, content_type: str) -> Iterator[tuple[str, str, bytes]]:
    for mark, charset in _BOMS:
        if body.startswith(mark):
            yield "bom", charset, body[len(mark) :]
            break
    declared = [("header", _header_codec(content_type)), ("meta", _meta_codec(body))]
    for rung, codec in declared:
        if codec and codec != _DOUBTFUL:
            yield rung, codec, body
    yield "utf-8", "utf-8", body
    for rung, codec in declared:
        if codec == _DOUBTFUL:
            yield rung, codec, body
    yield "gb18030", "gb18030", body


def _header_codec(content_type: str) -> str | None:
    found = _HEADER_LABEL.search(content_type[:500])
    return codec_of(found[1]) if found else None


def _meta_codec(body: bytes) -> str | None:
    found = _META_LABEL.search(body[:_HEAD])
    if not found:
        return None
    codec = codec_of((found[1] or found[2]).decode("ascii"))
    # A meta tag that could be read byte by byte cannot stand in UTF-16 text.
    return "utf-8" if codec in {"utf-16-le", "utf-16-be"} else codec


def _strictly(data: bytes, charset: str) -> str | None:
    decoder = codecs.getincrementaldecoder(charset)("strict")
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError:
        return None
    return text + "\ufffd" if decoder.getstate()[0] else text


def _last_resort(body: bytes, content_type: str) -> Decoded:
    declared = _header_codec(content_type) or _meta_codec(body)
    if declared is None:
        # Its tables are large; most processes never need them.
        from charset_normalizer import from_bytes

        best = from_bytes(body[:_SAMPLE], steps=5, chunk_size=512).best()
        guessed = codec_of(best.encoding.replace("_", "-")) if best else None
        if guessed:
            text = body.decode(guessed, "replace")
            return Decoded(text=text, charset=guessed, rung="detected")
    charset = declared or "utf-8"
    return Decoded(text=body.decode(charset, "replace"), charset=charset, rung="replaced")
