"""Names: folding, readings, how rare one is, and where a text may hold one."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import NamedTuple

from canary.domain.identifiers import canonical_name
from canary.matching import tables

COMPOUND = frozenset(
    re.findall(
        "..",
        "欧阳司马诸葛上官司徒东方独孤南宫夏侯皇甫尉迟公孙慕容令狐宇文长孙端木轩辕"
        "百里呼延申屠太史万俟闻人东郭西门",
    )
)
PARTS = {
    "木子": "李", "弓长": "张", "耳东": "陈", "立早": "章", "双木": "林", "古月": "胡",
    "口天": "吴", "走肖": "赵", "言午": "许", "木易": "杨", "文刀": "刘", "禾呈": "程",
    "人可": "何", "水工": "江", "言射": "谢", "女兆": "姚",
}  # fmt: skip
TITLES = ("先生", "女士", "小姐", "同学", "老师", "太太", "总", "某")
_HAN = "\u3400-\u9fff"
_LONG_SURNAME = re.compile(rf"(?:{'|'.join(COMPOUND)})[{_HAN}]{{1,2}}")
_IN_PARTS = re.compile(rf"(?:{'|'.join(PARTS)})[{_HAN}]{{1,2}}")
_ALONE = re.compile(rf"(?<![{_HAN}])[{_HAN}]{{2,4}}(?![{_HAN}])")
_LETTERS = re.compile(r"[A-Za-z]{2}[A-Za-z ]{2}")
_SPACED = re.compile(
    rf"(?<![{_HAN}])(?=([{_HAN}]{{1,2}})[ .·]{{1,3}}([{_HAN}]{{1,2}})"
    rf"(?:[ .·]{{1,3}}([{_HAN}]))?(?![{_HAN}]))[{_HAN}]"
)
_LATIN = re.compile(r"[A-Za-z]{2,18}(?:[ ,'·-]{1,2}[A-Za-z]{1,12}){0,3}")
_WORD = re.compile(r"[A-Za-z]+")
_FEW = 20  # names up to which each is looked for by itself
_SINGLE_GIVEN = 0.13  # share of people with one given character
_AFTER = frozenset("先女小同老总收签你您的在和与及，电手住家请")


class NameCandidate(NamedTuple):
    """A piece of text that may be a name, as folded, and how it was written."""

    value: str
    start: int
    end: int
    disguise: str = ""


def fold_name(name: str) -> str:
    """Return a name without spaces, in simplified characters."""
    return canonical_name(name).translate(tables.variants())


def surname_of(name: str) -> str:
    """Return the surname, two characters where it is a compound one."""
    return name[:2] if len(name) > 2 and name[:2] in COMPOUND else name[:1]


def reading_of(name: str) -> str | None:
    """Return the toneless pinyin of a name, or None when a character is not listed."""
    surname = surname_of(name)
    readings = tables.names().readings
    first = readings.get(f"{surname}^") or readings.get(surname)
    rest = [readings.get(ch) for ch in name[len(surname) :]]
    if first is None or not all(rest):
        return None
    return _spelled(first + "".join(reading or "" for reading in rest))


def surname_chance(name: str) -> float:
    """Return the share of people who have this name's surname."""
    table = tables.names()
    return table.surnames.get(surname_of(name), table.rare_surname)


def given_chance(ch: str) -> float:
    """Return the share of given-name characters that are this one."""
    return tables.names().given.get(ch, tables.names().rare_given)


def name_chance(name: str) -> float:
    """Return the chance that one innocent record shows this very name.

    Product of surname and character shares; single given names are 13 % of all.
    """
    given = name[len(surname_of(name)) :]
    chance = surname_chance(name) * (_SINGLE_GIVEN if len(given) == 1 else 1 - _SINGLE_GIVEN)
    for ch in given:
        chance *= given_chance(ch)
    return chance


def sounding_chance(name: str) -> float:
    """Return the chance that one innocent record shows a name that sounds like this one."""
    surname = surname_of(name)
    shares = _shares_by_reading()
    chance = surname_chance(name) * (_SINGLE_GIVEN if len(name) - len(surname) == 1 else 1.0)
    for ch in name[len(surname) :]:
        chance *= max(given_chance(ch), shares.get(tables.names().readings.get(ch, ""), 0.0))
    return chance


@cache
def _shares_by_reading() -> dict[str, float]:
    shares: dict[str, float] = {}
    for ch, share in tables.names().given.items():
        reading = tables.names().readings.get(ch, "")
        shares[reading] = shares.get(reading, 0.0) + share
    return shares


def homophone_in(text: str, name: str, start: int, end: int) -> tuple[int, int] | None:
    """Find where a folded name stands with given characters of the same sound: 单仪寒."""
    surname = surname_of(name)
    readings = tables.names().readings
    wanted = [readings.get(ch) for ch in name[len(surname) :]]
    if not wanted or not all(wanted):
        return None
    at = text.find(surname, start, end)
    while at >= 0:
        given = text[at + len(surname) : min(end, at + len(name))]
        if len(given) == len(wanted) and [readings.get(ch) for ch in given] == wanted:
            return at, at + len(name)
        at = text.find(surname, at + 1, end)
    return None


def plain_names(text: str) -> set[str]:
    """Return every piece of a folded text that may be a name as it stands."""
    pieces = set(_surname_pattern().findall(text))
    pieces.update([piece[:2] for piece in pieces])
    pieces.update(_ALONE.findall(text))
    for piece in _LONG_SURNAME.findall(text):
        pieces.update((piece, piece[:3]))
    return pieces


def places_of(text: str, names: Collection[str]) -> Iterator[NameCandidate]:
    """Yield where names stand in a text; many names are looked for in one pass."""
    if len(names) > _FEW:
        lengths = sorted(set(map(len, names)))
        for first in re.finditer(f"[{re.escape(''.join({name[0] for name in names}))}]", text):
            at = first.start()
            for length in lengths:
                piece = text[at : at + length]
                if piece in names and len(piece) == length:
                    yield NameCandidate(piece, at, at + length)
        return
    for name in names:
        at = text.find(name)
        while at >= 0:
            yield NameCandidate(name, at, at + len(name))
            at = text.find(name, at + 1)


def disguised_names(text: str) -> Iterator[NameCandidate]:
    """Yield what may be a name when read otherwise: spaced, in parts, in pinyin."""
    for found in _IN_PARTS.finditer(text):
        piece = found[0]
        for length in range(3, len(piece) + 1):
            name = PARTS[piece[:2]] + piece[2:length]
            yield NameCandidate(name, found.start(), found.start() + length, "split_character")
    for spaced in _SPACED.finditer(text):
        yield from _spaced(spaced)
    if _LETTERS.search(text):
        yield from _romanised(text)


@cache
def _surname_pattern() -> "re.Pattern[str]":
    singles = "".join(name for name in tables.names().surnames if len(name) == 1)
    return re.compile(rf"(?=([{singles}][{_HAN}]{{1,2}}))[{singles}]")


def _spaced(match: "re.Match[str]") -> Iterator[NameCandidate]:
    """Read what stands apart as one name, as two of its parts, and surname last."""
    parts = [part for part in match.groups() if part]
    for count in range(2, len(parts) + 1):
        some, span = parts[:count], (match.start(), match.end(count))
        if sum(map(len, some)) <= 4:
            yield NameCandidate("".join(some), *span, "spaced")
            if count == 2 and len(some[0]) >= len(some[1]):
                yield NameCandidate(some[1] + some[0], *span, "spaced")


@cache
def _syllables() -> "re.Pattern[str]":
    readings = {_spelled(reading) for reading in tables.names().readings.values()}
    return re.compile("(?:" + "|".join(sorted(readings, key=len, reverse=True)) + "){1,4}")


def _romanised(text: str) -> Iterator[NameCandidate]:
    for run in _LATIN.finditer(text):
        words = [
            word
            for word in _WORD.finditer(text, *run.span())
            if _syllables().fullmatch(_spelled(word[0]))
        ]
        for first in range(len(words)):
            for last in range(first, min(first + 3, len(words))):
                yield from _romanised_words(words[first : last + 1])


def _romanised_words(words: "list[re.Match[str]]") -> Iterator[NameCandidate]:
    plain = [_spelled(word[0]) for word in words]
    span = words[0].start(), words[-1].end()
    if span[1] - span[0] < 4:
        return
    yield NameCandidate("".join(plain), *span, "pinyin")
    if len(plain) > 1:
        yield NameCandidate(plain[-1] + "".join(plain[:-1]), *span, "pinyin")


def _spelled(word: str) -> str:
    return word.lower().replace("lyu", "lv").replace("nyu", "nv")


def is_bounded(text: str, candidate: NameCandidate, name: str) -> bool:
    """Tell whether the piece may stand for the whole name, not for part of a longer one."""
    before = text[candidate.start - 1 : candidate.start]
    after = text[candidate.end : candidate.end + 1]
    if candidate.disguise == "pinyin":
        return not before.isalpha() and not after.isalpha()
    if before and before + name[:1] in COMPOUND:
        return False
    is_open = re.match(rf"[{_HAN}]", after) is not None and after not in _AFTER
    return not (len(name) == 2 and is_open)
