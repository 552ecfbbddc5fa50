"""People: names rare enough to point at one bait, plausible enough to pass a sorter's eye.

Surnames are single characters, given names two characters that every printer and SMS gateway
shows, alike in simplified and traditional script save for one known partner each. A name as a
whole is borne by few: a common surname gets a given name the rarer for it.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256

from seeds.draws import Draws
from seeds.errors import SeedError
from seeds.places import list_place_names
from seeds.tables import read_rows, read_text

_RAREST, _COMMONEST = 400, 60
# Of blended names, one in so many is drawn from the rare surnames whatever people bear.
RARE_ONE_IN = 15
# People in China, and how many may bear a name that a bait gets.
_PEOPLE = 1.41e9
MOST_HOLDERS = 2000


class NameStyle(StrEnum):
    """Which surnames baits bear.

    Rare ones (rank 60 to 400) stay apart when only the surname is shown, but a batch of them stands
    out among real rows. Usual ones, as often as people bear them, blend in, and are told apart by
    the whole name or by first and last character. Blended are usual ones with a share of rare ones
    that a batch can hide.
    """

    BLENDED = "blended"
    RARE = "rare"
    USUAL = "usual"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTable:
    """What names are made of.

    `surnames` are the rare ones, once each; `usual` holds all, each as often as people bear it;
    `given` are the characters of given names, each as often as it is used, and `second` those that
    may follow one; `holders` says how many people bear a surname, `shares` which
    part of all given characters is this one.
    """

    surnames: str
    usual: str
    given: str
    second: Mapping[str, str]
    holders: Mapping[str, float]
    shares: Mapping[str, float]
    refused: frozenset[str]
    traditional: dict[int, str]
    pinyin: dict[str, str]
    surname_pinyin: dict[str, str]

    @property
    def city_capacity(self) -> int:
        """How many names one city holds that differ in surname or last character."""
        return len(set(self.usual)) * len(set(self.given))


@cache
def load_names() -> NameTable:
    """Return the bundled names."""
    surnames = [row for row in read_rows("surname_freq.csv") if len(row["surname"]) == 1]
    chars = read_rows("given_chars.csv")
    safe = [row for row in chars if row["s2t_ambiguous"] == "0"]
    total = sum(map(_weigh, chars))
    return NameTable(
        surnames="".join(row["surname"] for row in surnames if _is_rare(row)),
        usual="".join(
            row["surname"] * round(100 * float(row["share_pct"]))
            for row in surnames
            if _is_safe(row)
        ),
        given="".join(row["char"] * _weigh(row) for row in safe),
        second=_list_seconds(safe),
        holders={row["surname"]: float(row["share_pct"]) / 100 * _PEOPLE for row in surnames},
        shares={row["char"]: _weigh(row) / total for row in chars},
        refused=frozenset(read_text("words.txt").split()) | list_place_names(),
        traditional=str.maketrans(
            {row["char"]: row["traditional"] for row in chars}
            | {row["surname"]: row["traditional"] for row in surnames}
        ),
        pinyin={row["char"]: row["pinyin"] for row in chars},
        surname_pinyin={row["surname"]: row["pinyin"] for row in surnames},
    )


def _weigh(row: dict[str, str]) -> int:
    """Return how often a character is used; those the count never met are used now and then."""
    return 1 + int(row["freq_hint"])


def _list_seconds(rows: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return, for each first character, what may follow: men's and women's do not mix."""
    fitting = {
        gender: "".join(row["char"] * _weigh(row) for row in rows if row["gender_hint"] in others)
        for gender, others in (("m", "mn"), ("f", "fn"), ("n", "mfn"))
    }
    return {row["char"]: fitting[row["gender_hint"]] for row in rows}


def _is_rare(row: dict[str, str]) -> bool:
    return _COMMONEST <= int(row["rank"]) <= _RAREST and _is_safe(row)


def _is_safe(row: dict[str, str]) -> bool:
    return row["gb2312"] == "1" and row["is_numeral"] == row["s2t_ambiguous"] == "0"


def draw_names(surnames: Sequence[str], draws: Draws) -> list[str]:
    """Give each surname a given name; the caller keeps them apart.

    The whole is no word and no place, and an estimated `MOST_HOLDERS` people bear it at most.
    """
    table = load_names()
    firsts = [table.given[place] for place in draws.column(len(surnames), len(table.given))]
    seconds = [table.second[first] for first in firsts]
    names = [
        surname + first + second[place]
        for surname, first, second, place in zip(
            surnames, firsts, seconds, draws.positions(seconds), strict=True
        )
    ]
    unfit = [place for place, name in enumerate(names) if not _is_fit(name, table)]
    if unfit:
        again = draw_names([surnames[place] for place in unfit], draws)
        for place, name in zip(unfit, again, strict=True):
            names[place] = name
    return names


def _is_fit(name: str, table: NameTable) -> bool:
    return (
        name[1] != name[2]
        and count_holders(name, table) <= MOST_HOLDERS
        and name not in table.refused
        and name[1:] not in table.refused
    )


def count_holders(name: str, table: NameTable) -> float:
    """Estimate how many people bear a name made here, were its parts chosen independently."""
    return table.holders[name[0]] * table.shares[name[1]] * table.shares[name[2]]


def mask_name(name: str, *, keep_last: bool = False) -> str:
    """Hide a name as labels do: 邬** keeps the surname, 邬*岚 the last character as well."""
    if len(name) < 2:
        return "*"
    if keep_last and len(name) > 2:
        return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"
    return name[0] + "*" * (len(name) - 1)


class NameScript(StrEnum):
    """How a sheet writes names: as made, for Hong Kong and Taiwan, or for carriers abroad."""

    SIMPLIFIED = "simplified"
    TRADITIONAL = "traditional"
    PINYIN = "pinyin"


def write_name(name: str, script: NameScript) -> str:
    """Write a name made here in a script. Raises SeedError for a name without a known reading."""
    match script:
        case NameScript.SIMPLIFIED:
            return name
        case NameScript.TRADITIONAL:
            return to_traditional(name)
        case NameScript.PINYIN:
            return to_pinyin(name)


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
