"""Masked and truncated identifiers: where they stand, and whether a bait fits them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from canary.domain.identifiers import BaitValues
from canary.matching import names
from canary.matching.keys import PLACE, Key

STARS = r"*×✕✖•●○◯◦□■▇█…某"
_ANY_STAR = rf"{STARS}xX_?#·"
_MASKS = (
    re.compile(rf"[{STARS}]{{2,}}"),
    re.compile(
        rf"[{STARS}](?<=[0-9A-Za-z]{{3}}[{STARS}])(?=[ -]?[0-9A-Za-z]{{4}})"
        r"|…(?<=[0-9A-Za-z]{8}…)"
    ),
    re.compile(r"[xX_?#·.]{2,}"),
)
_LONGEST = 24
_BACKWARDS = re.compile(r"[ -]?([0-9A-Za-z]{1,30})")
_COUNTRY = re.compile(r"86(?=1[3-9])")
_TAIL = re.compile(r"[ -]?([0-9A-Za-z]{1,30})")
_LAST_FOUR = re.compile(
    r"(?:尾[号数4]|[后末][四4]位|last (?:4|four))[^0-9A-Za-z\n]{0,5}([0-9]{4})(?![0-9])"
)
_CONTEXT = 34


class Masked(NamedTuple):
    """An identifier with hidden parts: what shows at its head and its tail."""

    head: str
    tail: str
    start: int
    end: int
    is_cut: bool = False

    @property
    def keys(self) -> list[Key]:
        """Return the keys under which baits that fit may stand."""
        return [*self._phone_keys(), *self._number_keys()]

    def _phone_keys(self) -> list[Key]:
        head, tail = self.head, self.tail
        if not (head + tail).isdigit() or len(head) + len(tail) > 10 or self.is_cut:
            return []
        if head and head[0] != "1":
            return []
        if len(head) >= 3 and len(tail) >= 4:
            return [f"p34:{head[:3]}:{tail[-4:]}"]
        if len(head) >= 7:
            return [f"p7:{head[:7]}"]
        if len(head) >= 3 and tail:
            return [f"p31:{head[:3]}:{tail[-1]}"]
        return [f"t4:{tail[-4:]}"] if len(tail) >= 4 else []

    def _number_keys(self) -> list[Key]:
        head, tail = self.head.upper(), self.tail.upper()
        if len(head) >= 8:
            return [f"n8:{head[:8]}"]
        if len(head) >= 4 and len(tail) >= 3:
            return [f"n43:{head[:4]}:{tail[-3:]}"]
        return [f"n6:{tail[-6:]}"] if len(tail) >= 6 else []


def masked_of(text: str) -> Iterator[Masked]:
    """Yield what is masked, truncated or told by its last four digits."""
    for mask in chain.from_iterable(pattern.finditer(text) for pattern in _MASKS):
        start, end = mask.span()
        if end - start <= _LONGEST:
            for head in _heads(text, start):
                masked = _masked(text, mask, head)
                if masked is not None:
                    yield masked
    for last in _LAST_FOUR.finditer(text):
        yield Masked("", last[1], last.start(1), last.end(1))


def _heads(text: str, end: int) -> list[tuple[str, int]]:
    """Return the letters and digits before a mask and where they start.

    What may be a country code is told both with and without it.
    """
    found = _BACKWARDS.match(text[max(0, end - _CONTEXT) : end][::-1])
    if found is None:
        return [("", end)]
    head, start = found[1][::-1], end - found.end()
    return [(head, start), (head[2:], start + 2)] if _COUNTRY.match(head) else [(head, start)]


def _masked(text: str, found: "re.Match[str]", head: tuple[str, int]) -> Masked | None:
    mask, (shown, start) = found[0], head
    tail = _TAIL.match(text, found.end())
    shown_tail = tail[1] if tail else ""
    if sum(map(str.isdigit, shown + shown_tail)) < 3 and not shown.startswith("1"):
        return None
    end = tail.end(1) if tail else found.end()
    before = text[start - 1 : start]
    if before.isascii() and before.isalnum() and text[start - 2 : start] != "86":
        return None
    if mask.strip(".…") == "" and len(shown) >= 8 and not shown_tail and len(mask) != 2:
        return Masked(shown, "", start, found.end(), is_cut=True)
    return None if "." in mask else Masked(shown, shown_tail, start, end)


def fits_phone(masked: Masked, phone: str) -> tuple[int, int] | None:
    """Return how many digits show at head and tail when the mask fits this phone."""
    host = phone.partition("-")[0]
    head, tail = masked.head, masked.tail
    if masked.is_cut or not head + tail or not (head + tail).isdigit():
        return None
    if len(head) + len(tail) >= len(host) or len(head) + len(tail) < 4:
        return None
    return (len(head), len(tail)) if host.startswith(head) and host.endswith(tail) else None


def fits_number(masked: Masked, number: str) -> int | None:
    """Return how many characters show when the mask fits this number."""
    head, tail = masked.head.upper(), masked.tail.upper()
    shown = len(head) + len(tail)
    if not 6 <= shown < len(number):
        return None
    return shown if number.startswith(head) and number.endswith(tail) else None


@dataclass(frozen=True, slots=True)
class MaskedName:
    """Where a record shows a bait's name in part, and which characters it shows."""

    shown: str
    start: int
    end: int


def masked_name_in(text: str, name: str, start: int, end: int) -> MaskedName | None:
    """Find a bait's folded name with a part hidden: 张**, 张X川, 张先生, *怡涵."""
    surname = names.surname_of(name)
    given = name[len(surname) :]
    if not given:
        return None
    at = text.find(surname, start, end)
    while at >= 0:
        found = _after_surname(text, at, surname, given, end)
        if found is not None:
            return found
        at = text.find(surname, at + 1, end)
    return _before_given(text, given, start, end)


def _after_surname(text: str, at: int, surname: str, given: str, end: int) -> MaskedName | None:
    """Read what follows a surname: hidden characters and perhaps the last one, or a title."""
    after = at + len(surname)
    title = next((word for word in names.TITLES if text.startswith(word, after)), None)
    stars = after
    while stars < min(end, after + 4) and text[stars] in _ANY_STAR:
        stars += 1
    if stars == after:
        return MaskedName(surname, at, after + len(title)) if title else None
    if len(given) > 1 and text.startswith(given[-1], stars) and stars < end:
        return MaskedName(surname + given[-1], at, stars + 1)
    following = text[stars : stars + 1]
    if "\u3400" <= following <= "\u9fff" and stars < end and stars - after < len(given):
        return None
    return MaskedName(surname, at, stars)


def _before_given(text: str, given: str, start: int, end: int) -> MaskedName | None:
    at = text.find(given, start, end)
    while at > start:
        if text[at - 1] in _ANY_STAR:
            return MaskedName(given, at - 1, at + len(given))
        at = text.find(given, at + 1, end)
    return None


class PlaceCandidate(NamedTuple):
    """Three characters and a house number that may belong to a bait's address."""

    key: Key
    start: int
    end: int


def places_in(text: str) -> Iterator[PlaceCandidate]:
    """Yield every house number with the three characters before it."""
    for found in PLACE.finditer(text):
        yield PlaceCandidate(f"a:{found[1]}{found[2]}", *found.span())


def address_in(text: str, values: BaitValues, start: int, end: int) -> list[tuple[str, int, int]]:
    """Return which parts of a bait's address a record shows: city, district, detail."""
    found = []
    for part, value in (
        ("city", values.city.removesuffix("市")),
        ("district", values.district),
        ("detail", values.detail),
    ):
        folded = names.fold_name(value)
        at = text.find(folded, start, end) if len(folded) > 1 else -1
        if at >= 0:
            found.append((part, at, at + len(folded)))
    return found
