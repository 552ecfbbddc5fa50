"""Names: folding, readings, how rare one is, and where a text may hold one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

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
_RUN = re.compile(rf"[{_HAN}]{{2,}}")
_SPACED = re.compile(
    rf"(?<![{_HAN}])([{_HAN}]{{1,2}})[ .·]{{1,3}}([{_HAN}]{{1,2}})"
    rf"(?:[ .·]{{1,3}}([{_HAN}]))?(?![{_HAN}])"
)
_LATIN = re.compile(r"[A-Za-z]{2,18}(?:[ ,'·-]{1,2}[A-Za-z]{1,12}){0,3}")
_WORD = re.compile(r"[A-Za-z]+")
_SINGLE_GIVEN = 0.13  # share of people with one given character
_AFTER = frozenset("先女小同老总收签你您的在和与及，电手住家请")


@dataclass(frozen=True, slots=True)
class NameCandidate:
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
    return first + "".join(reading or "" for reading in rest)


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


def name_candidates(text: str) -> Iterator[NameCandidate]:
    """Yield what may be a name in a folded text: plain, spaced, in parts, in pinyin."""
    surnames = tables.names().surnames
    for run in _RUN.finditer(text):
        yield from _in_run(run[0], run.start(), surnames)
    for spaced in _SPACED.finditer(text):
        yield from _spaced(spaced)
    yield from _romanised(text)


def _in_run(run: str, base: int, surnames: Mapping[str, float]) -> Iterator[NameCandidate]:
    size = len(run)
    for at in range(size - 1):
        if run[at] in surnames:
            yield NameCandidate(run[at : at + 2], base + at, base + at + 2)
            if at + 3 <= size:
                yield NameCandidate(run[at : at + 3], base + at, base + at + 3)
        pair = run[at : at + 2]
        if pair in COMPOUND:
            for length in (3, 4):
                if at + length <= size:
                    piece = run[at : at + length]
                    yield NameCandidate(piece, base + at, base + at + length)
        elif pair in PARTS:
            for length in (3, 4):
                if at + length <= size:
                    name = PARTS[pair] + run[at + 2 : at + length]
                    yield NameCandidate(name, base + at, base + at + length, "split_character")
    if size <= 4 and run[0] not in surnames:
        yield NameCandidate(run, base, base + size)


def _spaced(match: "re.Match[str]") -> Iterator[NameCandidate]:
    parts = [part for part in match.groups() if part]
    if 2 <= sum(map(len, parts)) <= 4:
        yield NameCandidate("".join(parts), *match.span(), "spaced")
        if len(parts) == 2 and len(parts[0]) >= len(parts[1]):
            yield NameCandidate(parts[1] + parts[0], *match.span(), "spaced")


@cache
def _syllables() -> "re.Pattern[str]":
    readings = set(tables.names().readings.values())
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
