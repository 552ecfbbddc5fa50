"""Identifiers of a bait: kinds, canonical forms and the masks a screen may show."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class IdentifierKind(StrEnum):
    """Which value of a bait was found."""

    NUMBER = "number"
    PHONE = "phone"
    NAME = "name"
    ADDRESS = "address"


class MatchForm(StrEnum):
    """How the value was written where it was found."""

    EXACT = "exact"
    DISGUISED = "disguised"
    MASKED = "masked"
    TRUNCATED = "truncated"


class MatchLevel(StrEnum):
    """Whether a match carries weight alone or only points at a bait."""

    EXACT = "exact"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaitValues:
    """The searchable values of one bait; what it does not have is None or empty.

    `phone` is canonical: "19340271865", or "19340271865-8462" for a shared host.
    """

    number: str | None = None
    carrier: str | None = None
    name: str | None = None
    phone: str | None = None
    province: str = ""
    city: str = ""
    district: str = ""
    detail: str = ""


_NOT_ALNUM = re.compile(r"[^0-9A-Z]")
_NOT_DIGIT = re.compile(r"[^0-9]")
_SPACES = re.compile(r"\s+")
_EXTENSION = re.compile(
    r"(?:转|轉|分机|ext\.?|[-,;#x(\[{])\D{0,3}([0-9]{1,6})[)\]}#]?\s*$", re.IGNORECASE
)
_COUNTRY = re.compile(r"^(?:0086|86|0)(?=1[3-9][0-9]{9}$)")


def canonical_number(text: str) -> str:
    """Return a waybill number as upper-case ASCII letters and digits only."""
    return _NOT_ALNUM.sub("", unicodedata.normalize("NFKC", text).upper())


def canonical_phone(text: str) -> str:
    """Return "host" or "host-extension": digits only, +86, 0086 and trunk 0 stripped."""
    plain = unicodedata.normalize("NFKC", text).strip()
    extension = _EXTENSION.search(plain)
    if extension is None:
        return _host(plain)
    host = _host(plain[: extension.start()])
    is_host = len(host) == 11 and host[0] == "1"
    return f"{host}-{extension[1]}" if is_host else _host(plain)


def _host(text: str) -> str:
    return _COUNTRY.sub("", _NOT_DIGIT.sub("", _ascii_digits(text)))


def _ascii_digits(text: str) -> str:
    return "".join(_ascii_digit(ch) for ch in text)


def _ascii_digit(ch: str) -> str:
    return ch if ch.isascii() else str(unicodedata.digit(ch, ch))


def canonical_name(text: str) -> str:
    """Return a name without spaces and width variants; letters upper-case."""
    plain = _SPACES.sub("", unicodedata.normalize("NFKC", text))
    return _SPACES.sub("", unicodedata.normalize("NFKC", plain.upper()))


def mask_phone(phone: str | None) -> str:
    """Show first three and last four of the host: 138****1234 (extension kept out)."""
    host = (phone or "").partition("-")[0]
    if len(host) < 8:
        return "*" * len(host)
    return f"{host[:3]}{'*' * (len(host) - 7)}{host[-4:]}"


def mask_name(name: str | None) -> str:
    """Show the first character only: 林**."""
    return name[:1] + "*" * (len(name) - 1) if name else ""


def mask_number(number: str | None) -> str:
    """Show first four and last three characters: YT20*********012."""
    if not number or len(number) < 8:
        return "*" * len(number or "")
    return f"{number[:4]}{'*' * (len(number) - 7)}{number[-3:]}"


def mask_address(values: BaitValues) -> str:
    """Show city and district, hide the rest."""
    shown = values.city + values.district
    return f"{shown}****" if values.detail else shown
