"""Character and frequency tables of the matching engine, read once from the bundled data."""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

_FOLDED_RANGES = (
    range(0x80, 0x3400), range(0xA000, 0xAC00), range(0xF900, 0x10000), range(0x10000, 0x11000),
    range(0x11000, 0x12000), range(0x16A00, 0x16B80), range(0x1D300, 0x1D800),
    range(0x1E100, 0x1E960), range(0x1F000, 0x1F200), range(0x1FBF0, 0x1FC00),
)  # fmt: skip
_LATIN_TWINS = {
    "АВЕКМНОРСТХУІЅЈΑΒΕΖΗΙΚΜΝΟΡΤΥΧԛԜ": "ABEKMHOPCTXYISJABEZHIKMNOPTYXQW",
    "авеорсхуіѕјοικνρτυχüÜ": "abeopcxyisjoiknptuxvV",
}
_RADIO_ONLY = {"洞": "0", "拐": "7", "勾": "9"}


def _read(name: str) -> str:
    return resources.files("canary.matching").joinpath("data", name).read_text("utf-8")


def _rows(name: str) -> Iterator[list[str]]:
    for line in _read(name).splitlines():
        yield line.split("\t")


@cache
def disguises() -> Mapping[str, dict[str, str]]:
    """Return the map of written disguises, as compiled for this project."""
    loaded: Mapping[str, dict[str, str]] = json.loads(_read("obfuscation_map.json"))
    return loaded


def digit_of(ch: str) -> str | None:
    """Return the ASCII digit a character stands for by Unicode, Han numerals apart."""
    value = unicodedata.digit(ch, None)
    if value is not None:
        return str(value)
    if unicodedata.category(ch) not in {"No", "Nl"} or "\u2160" <= ch <= "\u2188":
        return None
    number = unicodedata.numeric(ch, -1.0)
    return str(int(number)) if number in range(10) else None


@cache
def fold_table() -> Sequence[int]:
    """Return the fold as a list by code point, which translates five times faster."""
    table = list(range(_FOLDED_RANGES[-1].stop))
    for code, folded in folds().items():
        table[code] = ord(folded)
    return table


@cache
def folds() -> dict[int, str]:
    """Return the 1:1 translation every text goes through before runs are sought.

    Digits of all families become ASCII, wide and styled letters become plain, letters
    of other alphabets become their Latin twins, traditional Han become simplified.
    """
    table: dict[int, str] = {}
    for codes in _FOLDED_RANGES:
        for code in codes:
            folded = digit_of(chr(code)) or _plain(chr(code))
            if folded is not None:
                table[code] = folded
    for twins, latin in _LATIN_TWINS.items():
        table.update(zip(map(ord, twins), latin, strict=True))
    table.update(variants())
    return table


def _plain(ch: str) -> str | None:
    if unicodedata.category(ch) == "Zs":
        return " "
    plain = unicodedata.normalize("NFKC", ch)
    return plain if plain != ch and len(plain) == 1 and plain.isascii() else None


@cache
def variants() -> dict[int, str]:
    """Return traditional characters with the simplified one each folds to."""
    return {ord(old): new for new, olds in _rows("fold.tsv") for old in olds}


@cache
def han_digits() -> dict[int, str]:
    """Return Han, capital and radio numerals; for use inside digit runs only."""
    pairs = {
        ch: digit for digit, chars in disguises()["han_digits"].items() for ch in chars
    } | _RADIO_ONLY
    folded = {ch.translate(variants()): digit for ch, digit in pairs.items()}
    return {ord(ch): digit for ch, digit in (pairs | folded).items()}


@cache
def lookalikes() -> dict[int, str]:
    """Return characters that look like a digit; only where seven real digits stand."""
    table = {
        ord(ch): digit
        for digit, chars in disguises()["lookalikes"].items()
        for ch in chars.translate(folds())
        if not ch.isdigit() and ch != "-"
    }
    return {code: digit for code, digit in table.items() if not chr(code).isdigit()}


@cache
def homophones() -> dict[int, str]:
    """Return characters that sound like a digit; low confidence."""
    return {
        ord(ch): digit for digit, chars in disguises()["homophones_hard"].items() for ch in chars
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTable:
    """Shares of surnames and given characters, and their readings."""

    surnames: Mapping[str, float]
    given: Mapping[str, float]
    readings: Mapping[str, str]
    rare_surname: float
    rare_given: float


@cache
def names() -> NameTable:
    """Return name frequencies; what is not listed counts as rare as the rarest listed."""
    surnames = {row[0]: float(row[1]) / 100 for row in _rows("surnames.tsv")}
    weights = {row[0]: float(row[1]) + 1 for row in _rows("given.tsv")}
    total = sum(weights.values())
    readings = {row[0]: row[2] for row in _rows("given.tsv")}
    readings |= {row[0]: row[2] for row in _rows("surnames.tsv") if len(row[0]) == 2}
    return NameTable(
        surnames=surnames,
        given={ch: weight / total for ch, weight in weights.items()},
        readings=readings | {f"{row[0]}^": row[2] for row in _rows("surnames.tsv")},
        rare_surname=min(surnames.values()),
        rare_given=1 / total,
    )


@cache
def city_shares() -> Mapping[str, float]:
    """Return each city's share of mobile number blocks, by short name."""
    blocks = {row[0]: int(row[1]) for row in _rows("cities.tsv")}
    total = sum(blocks.values())
    return {city: count / total for city, count in blocks.items()}
