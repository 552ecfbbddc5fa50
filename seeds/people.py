"""People: names rare enough to point at one bait, plausible enough to pass a sorter's eye.

Surnames are single characters of rank 60 to 400, given names two characters that every printer
and SMS gateway shows, alike in simplified and traditional script save for one known partner each.
"""

import hmac
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256

from seeds.draws import Draws
from seeds.errors import SeedError
from seeds.places import list_place_names
from seeds.tables import read_rows, read_text

_RAREST, _COMMONEST = 400, 60


class NameStyle(StrEnum):
    """Which surnames baits bear.

    Rare ones stay apart when only the surname is shown, but a batch of them stands out among real
    rows; usual ones blend in, and are told apart by the whole name or the last character.
    """

    RARE = "rare"
    USUAL = "usual"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTable:
    """What names are made of.

    `surnames` are the rare ones, once each; `usual` holds all, each as often as people bear it;
    `pairs` are all given names of two characters, one after another.
    """

    surnames: str
    usual: str
    pairs: str
    refused: frozenset[str]
    traditional: dict[int, str]
    pinyin: dict[str, str]
    surname_pinyin: dict[str, str]

    @property
    def capacity(self) -> int:
        """How many names can be drawn."""
        return len(self.surnames) * len(self.pairs) // 2

    @property
    def city_capacity(self) -> int:
        """How many names one city holds that differ in surname or last character."""
        return len(self.surnames) * len(set(self.pairs))


@cache
def load_names() -> NameTable:
    """Return the bundled names."""
    surnames = [row for row in read_rows("surname_freq.csv") if len(row["surname"]) == 1]
    chars = read_rows("given_chars.csv")
    safe = [row for row in chars if row["s2t_ambiguous"] == "0"]
    refused = frozenset(read_text("words.txt").split()) | list_place_names()
    return NameTable(
        surnames="".join(row["surname"] for row in surnames if _is_rare(row)),
        usual="".join(
            row["surname"] * round(100 * float(row["share_pct"]))
            for row in surnames
            if _is_safe(row)
        ),
        pairs="".join(_pair(safe, refused)),
        refused=refused,
        traditional=str.maketrans(
            {row["char"]: row["traditional"] for row in chars}
            | {row["surname"]: row["traditional"] for row in surnames}
        ),
        pinyin={row["char"]: row["pinyin"] for row in chars},
        surname_pinyin={row["surname"]: row["pinyin"] for row in surnames},
    )


def _pair(rows: Sequence[dict[str, str]], refused: frozenset[str]) -> Iterator[str]:
    """Yield, for each first character, all given names it begins; men's and women's do not mix."""
    fitting = {
        gender: [row["char"] for row in rows if row["gender_hint"] in others]
        for gender, others in (("m", "mn"), ("f", "fn"), ("n", "mfn"))
    }
    awkward = {word for word in refused if len(word) == 2}
    for row in rows:
        first = row["char"]
        pairs = [first + char for char in fitting[row["gender_hint"]] if char != first]
        yield "".join(pair for pair in pairs if pair not in awkward)


def _is_rare(row: dict[str, str]) -> bool:
    return _COMMONEST <= int(row["rank"]) <= _RAREST and _is_safe(row)


def _is_safe(row: dict[str, str]) -> bool:
    return row["gb2312"] == "1" and row["is_numeral"] == row["s2t_ambiguous"] == "0"


def draw_names(surnames: Sequence[str], draws: Draws) -> list[str]:
    """Give each surname a given name, making no word and no place; the caller keeps them apart."""
    table = load_names()
    pairs, refused = table.pairs, table.refused
    names = [
        surname + pairs[2 * place : 2 * place + 2]
        for surname, place in zip(
            surnames, draws.column(len(surnames), len(pairs) // 2), strict=True
        )
    ]
    return [name if name not in refused else draw_names([name[0]], draws)[0] for name in names]


def mask_name(name: str, *, keep_last: bool = False) -> str:
    """Hide a name as labels do: 邬** keeps the surname, 邬*岚 the last character as well."""
    if len(name) < 2:
        return "*"
    if keep_last and len(name) > 2:
        return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"
    return name[0] + "*" * (len(name) - 1)


def to_traditional(name: str) -> str:
    """Return the traditional form of a name made here."""
    return name.translate(load_names().traditional)


def to_pinyin(name: str) -> str:
    """Return a name made here in toneless pinyin, surname first: `Zha Lanyu`."""
    table = load_names()
    surname = table.surname_pinyin.get(name[:1]) or table.pinyin.get(name[:1])
    rest = [table.pinyin.get(char) or table.surname_pinyin.get(char) for char in name[1:]]
    if surname is None or None in rest:
        raise SeedError(
            f"no reading is known for {name!r}", mend="ask only for names this library made"
        )
    return f"{surname} {''.join(part for part in rest if part)}".title()


class ForbiddenNames:
    """Names that must not be used (customers, staff), known only by keyed hash.

    A digest is HMAC-SHA256 over the UTF-8 of the name without white space.
    """

    def __init__(self, key: bytes, digests: Collection[bytes] = ()) -> None:
        self._key = key
        self._digests = frozenset(digests)

    @classmethod
    def from_names(cls, key: bytes, names: Iterable[str]) -> "ForbiddenNames":
        """Hash a list of names, which is then forgotten."""
        return cls(key, [hash_name(key, name) for name in names])

    @property
    def digests(self) -> frozenset[bytes]:
        """The digests, to be kept in place of the names."""
        return self._digests

    def __contains__(self, name: object) -> bool:
        return (
            bool(self._digests)
            and isinstance(name, str)
            and hash_name(self._key, name) in self._digests
        )


def hash_name(key: bytes, name: str) -> bytes:
    """Return the keyed hash under which a forbidden name is kept."""
    return hmac.digest(key, "".join(name.split()).encode(), sha256().name)
