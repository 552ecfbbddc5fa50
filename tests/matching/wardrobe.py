"""Every disguise of the map, as a function that puts it on; used by tests and benchmarks."""

import random
import re
from collections.abc import Callable

Wear = Callable[[str, random.Random], str]


def _mapped(digits: str) -> Wear:
    return lambda value, _: value.translate(str.maketrans("0123456789", digits))


def _joined(separator: str) -> Wear:
    return lambda value, _: separator.join(value)


def _grouped(*separators: str) -> Wear:
    def wear(value: str, rng: random.Random) -> str:
        head = value[: len(value) - len(value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
        rest = value[len(head) :]
        first = 3 if len(rest) == 11 else 4
        groups = [rest[:first], *(rest[i : i + 4] for i in range(first, len(rest), 4))]
        separator = rng.choice(separators)
        return head + separator.join(groups)

    return wear


def _each(made: Callable[[str], str]) -> Wear:
    return lambda value, _: "".join(made(ch) for ch in value)


def _lookalike(value: str, rng: random.Random) -> str:
    swaps = {"0": "OoО", "1": "lI|", "2": "Z", "5": "S", "8": "B", "3": "З", "6": "б"}
    places = [i for i, ch in enumerate(value) if ch in swaps and i > 2]
    chosen = set(rng.sample(places, min(len(places), 3)))
    return "".join(rng.choice(swaps[ch]) if i in chosen else ch for i, ch in enumerate(value))


def _split(inside: str) -> Wear:
    def wear(value: str, rng: random.Random) -> str:
        at = rng.randrange(4, len(value) - 3)
        return value[:at] + inside + value[at:]

    return wear


def _reversed(value: str, _: random.Random) -> str:
    return "\u202e" + value[::-1] + "\u202c"


def _cyrillic(value: str, _: random.Random) -> str:
    return value.translate(str.maketrans("YTSFJDPKOAEX", "YТSFJDРКОАЕХ"))


def _thousands(value: str, _: random.Random) -> str:
    return f"{int(value):,}" if value.isdigit() and value[0] != "0" else value


def _scientific(value: str, _: random.Random) -> str:
    if not value.isdigit() or len(value) > 15 or value[-1] == "0":
        return value
    return f"{value[0]}.{value[1:]}E+{len(value) - 1}"


def _mojibake(value: str, _: random.Random) -> str:
    wide = value.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    return "".join(_as_latin(ch) for ch in wide)


def _as_latin(ch: str) -> str:
    if ch.isascii():
        return ch
    return "".join(
        bytes([b]).decode("latin-1") if b in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
        else bytes([b]).decode("cp1252")
        for b in ch.encode()
    )  # fmt: skip


WIDE = {i: i + 0xFEE0 for i in range(0x21, 0x7F)}

EXACT: dict[str, Wear] = {
    "plain": lambda value, _: value,
    "lower case": lambda value, _: value.lower(),
    "full width": lambda value, _: value.translate(WIDE),
    "circled": _mapped("⓪①②③④⑤⑥⑦⑧⑨"),
    "negative circled": _mapped("⓿❶❷❸❹❺❻❼❽❾"),
    "dingbat": _mapped("🄋➀➁➂➃➄➅➆➇➈"),
    "negative dingbat": _mapped("🄌➊➋➌➍➎➏➐➑➒"),
    "double circled": _mapped("0⓵⓶⓷⓸⓹⓺⓻⓼⓽"),
    "parenthesised": _mapped("0⑴⑵⑶⑷⑸⑹⑺⑻⑼"),
    "full stop": _mapped("🄀⒈⒉⒊⒋⒌⒍⒎⒏⒐"),
    "superscript": _mapped("⁰¹²³⁴⁵⁶⁷⁸⁹"),
    "subscript": _mapped("₀₁₂₃₄₅₆₇₈₉"),
    "mathematical bold": _mapped("𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"),
    "mathematical mono": _mapped("𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿"),
    "segmented": _mapped("🯰🯱🯲🯳🯴🯵🯶🯷🯸🯹"),
    "arabic-indic": _mapped("٠١٢٣٤٥٦٧٨٩"),
    "devanagari": _mapped("०१२३४५६७८९"),
    "thai": _mapped("๐๑๒๓๔๕๖๗๘๙"),
    "keycap": _each(lambda ch: f"{ch}\ufe0f\u20e3" if ch.isdigit() else ch),
    "strike-through": _each(lambda ch: f"{ch}\u0336"),
    "boxed": _each(lambda ch: f"{ch}\u20de"),
    "han": _mapped("〇一二三四五六七八九"),
    "capital": _mapped("零壹贰叁肆伍陆柒捌玖"),
    "traditional capital": _mapped("零壹貳參肆伍陸柒捌玖"),
    "circled han": _mapped("〇㊀㊁㊂㊃㊄㊅㊆㊇㊈"),
    "parenthesised han": _mapped("〇㈠㈡㈢㈣㈤㈥㈦㈧㈨"),
    "suzhou": _mapped("〇〡〢〣〤〥〦〧〨〩"),
    "radio": _mapped("洞幺两三四五六拐八勾"),
    "spoken pinyin": lambda value, _: " ".join(_SPOKEN.get(ch, ch) for ch in value),
    "spoken english": lambda value, _: " ".join(_ENGLISH.get(ch, ch) for ch in value),
    "grouped by dash": _grouped("-"),
    "grouped by mark": _grouped(" ", "★", "·", "~", "/", "→", "❤", "_"),
    "every character apart": _joined("-"),
    "dots": _joined("."),
    "spaces": _joined(" "),
    "ideographic spaces": _joined("\u3000"),
    "three wide": _joined(" - "),
    "word separator": _grouped("杠"),
    "no-break space": _grouped("\u00a0", "\u2009", "\u202f"),
    "zero width": _joined("\u200b"),
    "word joiner": _joined("\u2060"),
    "soft hyphen": _joined("\u00ad"),
    "hangul filler": _joined("\u3164"),
    "tag characters": _joined("\U000e0041"),
    "variation selector": _joined("\ufe0f"),
    "right-to-left override": _reversed,
    "look-alike": _lookalike,
    "cyrillic prefix": _cyrillic,
    "decimal entities": _each(lambda ch: f"&#{ord(ch)};"),
    "hex entities": _each(lambda ch: f"&#x{ord(ch):x};"),
    "percent": _each(lambda ch: f"%{ord(ch):02X}"),
    "escapes": _each(lambda ch: f"\\u{ord(ch):04x}"),
    "tags": _split("</b><b>"),
    "comment": _split("<!-- 9 -->"),
    "hidden decoy": _split('<span style="display:none">77</span>'),
    "hidden by attribute": _split("<i hidden>5</i>"),
    "line break": _split("\n"),
    "carriage return": _split("\r\n"),
    "apostrophe": lambda value, _: f"'{value}",
    "formula": lambda value, _: f'="{value}"',
    "float": lambda value, _: f"{value}.0" if value.isdigit() else value,
    "thousands": _thousands,
    "scientific": _scientific,
    "barcode": lambda value, _: f"*{value}*",
    "mojibake": _mojibake,
}
_SPOKEN = dict(
    zip("0123456789", re.findall(r"\w+", "ling yao er san si wu liu qi ba jiu"), strict=True)
)
_ENGLISH = dict(
    zip(
        "0123456789",
        re.findall(r"\w+", "zero one two three four five six seven eight nine"),
        strict=True,
    )
)

PHONE_ONLY: dict[str, Wear] = {
    "plus 86": lambda value, _: f"+86 {value}",
    "glued 86": lambda value, _: f"86{value}",
    "0086": lambda value, _: f"0086-{value}",
    "trunk zero": lambda value, _: f"0{value}",
    "plus 86 grouped": lambda value, _: f"+86 {value[:3]} {value[3:7]} {value[7:]}",
}

CANDIDATE_PHONE: dict[str, Wear] = {
    "middle hidden": lambda value, _: f"{value[:3]}****{value[-4:]}",
    "middle hidden x": lambda value, _: f"{value[:3]}xxxx{value[-4:]}",
    "middle hidden bullets": lambda value, _: f"{value[:3]}••••{value[-4:]}",
    "middle hidden circles": lambda value, _: f"{value[:3]}○○○○{value[-4:]}",
    "middle hidden blocks": lambda value, _: f"{value[:3]}████{value[-4:]}",
    "middle hidden word": lambda value, _: f"{value[:3]}某某某某{value[-4:]}",
    "middle hidden dots": lambda value, _: f"{value[:3]}…{value[-4:]}",
    "middle hidden dashes": lambda value, _: f"{value[:3]}-****-{value[-4:]}",
    "wide stars": lambda value, _: f"{value[:3]}＊＊＊＊{value[-4:]}",
    "wrong count": lambda value, _: f"{value[:3]}**{value[-4:]}",
    "tail hidden": lambda value, _: f"{value[:7]}****",
    "head hidden": lambda value, _: f"*******{value[-4:]}",
    "six hidden": lambda value, _: f"{value[:3]}******{value[-2:]}",
    "last four": lambda value, _: f"尾号{value[-4:]}",
    "homophones": _mapped("灵依尔伞寺吾留期吧久"),
}  # fmt: skip

CANDIDATE_NUMBER: dict[str, Wear] = {
    "middle hidden": lambda value, _: f"{value[:6]}****{value[-5:]}",
    "legal mask": lambda value, _: f"{value[:4]}{'*' * (len(value) - 7)}{value[-3:]}",
    "truncated": lambda value, _: f"{value[:10]}…",
    "truncated by dots": lambda value, _: f"{value[:9]}...",
    "tail only": lambda value, _: f"***{value[-6:]}",
    "prefix dropped": lambda value, _: value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
}
