"""Bytes to text by a ladder that never begins with a guess.

Byte-order mark, declaration in the page, strict UTF-8, strict GB18030 (which reads GB2312 and
GBK), then charset-normalizer; what nothing reads is replaced and counted.
"""

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"<(?:meta\b[^>]{0,200}?charset\s*=|\?xml\b[^>]{0,100}?encoding\s*=)\s*[\"']?([\w.:-]{2,40})",
    re.IGNORECASE,
)
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030"}
WIDE = frozenset({"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"})


@dataclass(frozen=True, slots=True)
class Charset:
    """A charset, how many bytes of mark precede the text, and who said so."""

    name: str
    mark: int = 0
    said: str = "ladder"


def charset_named(name: str) -> str | None:
    """Return the codec to use for a declared charset, None when there is none."""
    wider = _WIDER.get(name.strip().lower(), name.strip().lower())
    try:
        found = codecs.lookup(wider)
    except (LookupError, ValueError):
        return None
    # Codecs such as rot13, base64 or zip are no charsets; trying one tells.
    return found.name if getattr(found, "_is_text_encoding", True) else None


def charset_of(head: bytes, *, declared: str | None = None) -> Charset:
    """Choose the charset of a text from its first bytes; a cut last character is allowed."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Charset(name, len(mark), "mark")
    meta = _DECLARED.search(head[:4096])
    in_page = meta[1].decode("latin-1") if meta else None
    for said, declaration in (("header", declared), ("meta", in_page)):
        known = charset_named(declaration) if declaration else None
        if known and known not in WIDE and _reads(head, known):
            return Charset(known, 0, said)
    wide = _wide_without_mark(head)
    if wide:
        return Charset(wide)
    for name in ("utf-8", "gb18030"):
        if _reads(head, name):
            return Charset(name)
        if name == "utf-8" and _SURROGATE.search(head) and _reads(head, name, "surrogatepass"):
            return Charset(name)
    return Charset(_guess(head) or "utf-8", 0, "guess")


def _wide_without_mark(head: bytes) -> str | None:
    """Recognise UTF-16 of mostly ASCII text by where its zeros stand."""
    sample = head[:2000]
    zeros_even, zeros_odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(zeros_even, zeros_odd) * 5 < len(sample):
        return None
    if min(zeros_even, zeros_odd) * 20 > max(zeros_even, zeros_odd):
        return None
    return "utf-16-le" if zeros_odd > zeros_even else "utf-16-be"


def _reads(head: bytes, name: str, errors: str = "strict") -> bool:
    try:
        codecs.getincrementaldecoder(name)(errors).decode(head)
    except (UnicodeError, LookupError):
        return False
    return True


def _guess(head: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(head[:65536]).best()
    return charset_named(best.encoding) if best is not None else None


def decode_lines(raw: bytes, charset: str) -> tuple[str, int]:
    """Decode whole lines; lines in another charset are read by the ladder, one by one.

    Returns the text and how many bytes nothing could read.
    """
    try:
        return raw.decode(charset), 0
    except UnicodeError:
        pass
    pieces, lost = [], 0
    for line in raw.splitlines(keepends=True):
        text, bad = _decode_line(line, charset)
        pieces.append(text)
        lost += bad
    return "".join(pieces), lost


def _decode_line(line: bytes, charset: str) -> tuple[str, int]:
    for name in dict.fromkeys((charset, "utf-8", "gb18030")):
        try:
            return line.decode(name), 0
        except UnicodeError:
            if name == "utf-8" and _SURROGATE.search(line):
                with suppress(UnicodeError):
                    return _joined(line.decode(name, "surrogatepass")), 0
    text = line.decode("gb18030" if charset == "gb18030" else "utf-8", "replace")
    return text, text.count("\ufffd")


def _joined(text: str) -> str:
    """Join surrogates that were encoded one by one (CESU-8); lone ones stay (WTF-8)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def decode(raw: bytes, *, declared: str | None = None) -> str:
    """Decode a whole small text, as a webhook body or a mail part; never fails."""
    charset = charset_of(raw, declared=declared)
    if charset.name in WIDE:
        return raw[charset.mark :].decode(charset.name, "replace")
    return decode_lines(raw[charset.mark :], charset.name)[0]
