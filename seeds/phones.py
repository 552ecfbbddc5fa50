"""Phones the operator owns: read, validate, tell apart under masks.

Mainland numbers are judged by the bundled allocation table alone: phonenumbers refuses live ranges
(149) and knows others too soon. Elsewhere phonenumbers is asked, after the regulators' ranges kept
for fiction. Nothing here ever invents a number.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from seeds.errors import BadPhone
from seeds.tables import read_rows

_LONGEST = 60
_EXTENSION = re.compile(
    r"(?:[-,;#]|转|轉|ext\.?|x)\s*(\d{1,6})\s*\]?$|\[(\d{1,6})\]$", re.IGNORECASE
)
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?e\+?\d+", re.IGNORECASE)
_SEPARATORS = str.maketrans("", "", " -.()/\u2010\u2011\u2012\u2013\u2014\u200b\u200e\u202a\u202c")
_FICTION = (
    (re.compile(r"\+1[2-9]\d{2}55501\d{2}"), "US"),
    (re.compile(r"\+447700900\d{3}|\+442079460\d{3}|\+441632960\d{3}|\+448081570\d{3}"), "GB"),
    (re.compile(r"\+44306999\d{4}|\+441(?:1[3-8]|21|31|41|51|61)4960\d{3}"), "GB"),
    (re.compile(r"\+61[2378](?:5550|7010)\d{4}|\+61491570(?:006|110|15[6-9])"), "AU"),
    (re.compile(r"\+3319900\d{4}|\+3363998\d{4}"), "FR"),
    (re.compile(r"\+493023125\d{3}|\+4917604069\d{4}"), "DE"),
    (re.compile(r"\+46701740(?:60[5-9]|6[1-9]\d)|\+46846500[4]\d{2}"), "SE"),
    (re.compile(r"\+35320910?\d{4}"), "IE"),
)


class PhoneKind(StrEnum):
    """What sort of line a number is."""

    MOBILE = "mobile"
    DATA_CARD = "data_card"
    VIRTUAL_OPERATOR = "virtual_operator"
    IOT = "iot"
    FIXED = "fixed"
    SERVICE = "service"
    UNALLOCATED = "unallocated"
    ABROAD = "abroad"
    FICTION = "fiction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A validated number. `host` is 11 digits for a Chinese mobile, `+44...` for one abroad.

    `notice` says what the operator should know before relying on it.
    """

    host: str
    extension: str | None = None
    country: str = "CN"
    kind: PhoneKind = PhoneKind.MOBILE
    operator: str = ""
    notice: str = ""

    def __str__(self) -> str:
        return self.host if self.extension is None else f"{self.host}-{self.extension}"

    @property
    def mask_key(self) -> tuple[str, str]:
        """First three and last four characters: what a masked label leaves of it."""
        return self.host[:3], (self.extension or self.host)[-4:]


def parse_phone(text: str) -> Phone:
    """Read one owned phone number. Raises BadPhone with the mend."""
    folded = unicodedata.normalize("NFKC", text[: _LONGEST + 1]).strip().strip("'\t")
    if len(folded) > _LONGEST or not folded:
        raise BadPhone(
            "the phone number is empty" if not folded else "the phone number is too long",
            mend="give one number, such as 19340271865 or 19340271865-8462",
            field="number",
        )
    if _SCIENTIFIC.fullmatch(folded):
        raise BadPhone(
            f"{folded} lost its digits in a spreadsheet",
            mend="format the column as text and type the number again",
            field="number",
        )
    if folded.startswith(("+", "00")) and not folded.startswith(("+86", "0086")):
        return _parse_abroad(folded)
    return _parse_chinese(folded)


def find_clashes(phones: Iterable[Phone]) -> list[tuple[Phone, ...]]:
    """Return the groups of phones that look the same under a mask (first 3, last 4)."""
    groups: dict[tuple[str, str], dict[str, Phone]] = defaultdict(dict)
    for phone in phones:
        groups[phone.mask_key][str(phone)] = phone
    return [tuple(group.values()) for group in groups.values() if len(group) > 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    operator: str
    kind: str
    digits: int


@cache
def _load_segments() -> dict[str, _Segment]:
    return {
        row["prefix"]: _Segment(
            operator=row["operator"], kind=row["kind"], digits=int(row["digits"])
        )
        for row in read_rows("phone_segments.csv")
    }


@cache
def _load_unassigned() -> list[tuple[str, str]]:
    rows = read_rows("phone_unassigned_blocks.csv")
    return sorted((row["hcode_from"], row["hcode_to"]) for row in rows)


def _is_unassigned(block: str) -> bool:
    blocks = _load_unassigned()
    place = bisect_right(blocks, (block, "9" * 7)) - 1
    return place >= 0 and block <= blocks[place][1]


@cache
def _load_area_codes() -> frozenset[str]:
    return frozenset(row["area_code"] for row in read_rows("cn_city_dialcodes.csv"))


def _parse_chinese(folded: str) -> Phone:
    """Read the whole as one number if it is one, else take its end for an extension."""
    body, extension = _split_extension(folded)
    if extension is not None:
        try:
            return _read_host(folded, folded, None)
        except BadPhone:
            pass
    return _read_host(folded, body, extension)


def _read_host(text: str, body: str, extension: str | None) -> Phone:
    digits = body.translate(_SEPARATORS)
    for start in ("+86", "0086"):
        digits = digits.removeprefix(start)
    if not (digits.isascii() and digits.isdigit()):
        raise _refuse(text, "has characters no phone number has", "write digits only")
    if len(digits) == 13 and digits.startswith("861"):
        digits = digits[2:]
    if digits.startswith("01") and len(digits) == 12 and digits[1:4] in _load_segments():
        digits = digits[1:]
    if digits.startswith("1") and len(digits) in (11, 13):
        return _read_mobile(text, digits, extension)
    if digits.startswith("0"):
        return _read_fixed(text, digits, extension)
    if re.fullmatch(r"400\d{7}|95\d{3,6}", digits):
        return Phone(host=digits, extension=extension, kind=PhoneKind.SERVICE)
    raise _refuse(
        text,
        f"has {len(digits)} digits and is neither a mobile, a fixed nor a service line",
        "write 11 digits, a fixed line with its area code, or +country for one abroad",
    )


def _read_mobile(text: str, digits: str, extension: str | None) -> Phone:
    segment = _load_segments().get(digits[:3])
    if segment is None or len(digits) != segment.digits:
        due = f"{segment.digits} digits" if segment else "another prefix"
        raise _refuse(text, f"is no mobile number of prefix {digits[:3]}", f"it needs {due}")
    kind, notice = _grade_segment(segment, digits)
    if not notice and _is_unassigned(digits[:7]):
        notice = f"block {digits[:7]} was not assigned at the end of 2023: make sure it is yours"
    operator = "" if kind is PhoneKind.UNALLOCATED else segment.operator
    return Phone(host=digits, extension=extension, kind=kind, operator=operator, notice=notice)


def _grade_segment(segment: _Segment, digits: str) -> tuple[PhoneKind, str]:
    if digits.startswith(("1349", "174")):
        return PhoneKind.MOBILE, "satellite and emergency range: use another phone for bait"
    match segment.kind:
        case "unallocated" | "unallocated_or_iot":
            return (
                PhoneKind.UNALLOCATED,
                f"prefix {digits[:3]} is allocated to no public network: for test numbers only",
            )
        case "mobile_new":
            return PhoneKind.MOBILE, f"prefix {digits[:3]} is new: many systems refuse it"
        case "data_card":
            return PhoneKind.DATA_CARD, "" if digits[:3] != "145" else "usually takes no calls"
        case "iot":
            return PhoneKind.IOT, "a machine's number: no person's waybill carries it"
        case "virtual_operator":
            return PhoneKind.VIRTUAL_OPERATOR, ""
        case _:
            return PhoneKind.MOBILE, ""


def _read_fixed(text: str, digits: str, extension: str | None) -> Phone:
    for length in (3, 4):
        rest = digits[length:]
        if digits[:length] in _load_area_codes() and len(rest) in (7, 8) and rest[0] in "2345678":
            return Phone(host=digits, extension=extension, kind=PhoneKind.FIXED)
    raise _refuse(text, "is no fixed line of a known area code", "write it as 057486201947")


def _parse_abroad(folded: str) -> Phone:
    body, extension = _split_extension(folded)
    compact = "+" + body.translate(_SEPARATORS).removeprefix("+").removeprefix("00")
    if re.fullmatch(r"\+[1-9]\d{6,14}", compact, re.ASCII) is None:
        compact, extension = "+" + folded.translate(_SEPARATORS).lstrip("+0"), None
    for pattern, country in _FICTION:
        if pattern.fullmatch(compact):
            return Phone(
                host=compact,
                extension=extension,
                country=country,
                kind=PhoneKind.FICTION,
                notice="reserved for fiction: it never rings, so it catches no message",
            )
    import phonenumbers

    try:
        number = phonenumbers.parse(compact)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise _refuse(folded, "is no valid number abroad", "write it as +44 7700 900123")
    country = phonenumbers.region_code_for_number(number) or ""
    return Phone(host=compact, extension=extension, country=country, kind=PhoneKind.ABROAD)


def _split_extension(text: str) -> tuple[str, str | None]:
    """Cut an extension off, when enough digits for a number stand before it."""
    found = _EXTENSION.search(text)
    if found is None or sum(char.isdigit() for char in text[: found.start()]) < 10:
        return text, None
    return text[: found.start()].rstrip(" ["), found[1] or found[2]


def _refuse(text: str, problem: str, mend: str) -> BadPhone:
    return BadPhone(f"{text!r} {problem}", mend=mend, field="number")
