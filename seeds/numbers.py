"""Waybill numbers: normalise, validate, say whose they could be, draw new ones."""

import math
import unicodedata
from dataclasses import dataclass

from seeds.carriers import NumberFormat, get_carrier, load_carriers
from seeds.draws import Draws, RandomSource
from seeds.errors import CapacityShort, UnknownCarrier
from seeds.ranges import NumberRanges
from seeds.shapes import SHAPES, draw_numbers

__all__ = [
    "Candidate",
    "NumberMint",
    "draw_number",
    "identify",
    "is_valid",
    "load_carriers",
    "normalise",
]

_LONGEST = 64
_ODDS = {"A": 1.0, "B": 0.7, "C": 0.2}
_TRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A carrier a number could belong to; scores of one number's candidates sum to 1."""

    carrier: str
    format: str
    score: float
    checked: bool
    current: bool


def normalise(number: str) -> str:
    """Return a number as carriers.json expects it: NFKC, upper case, no separators."""
    folded = unicodedata.normalize("NFKC", number[: 4 * _LONGEST]).upper()
    kept = "".join(char for char in folded if char.isalnum() or char == "-")
    bare = kept.replace("-", "")
    # JD counts packages behind hyphens, which are part of the number there.
    if kept.count("-") >= 2 and any(form.admits(kept) for form in get_carrier("JD").formats):
        return kept
    return bare


def is_valid(carrier: str, number: str) -> bool:
    """Tell whether a number has one of the carrier's forms, check digit included."""
    bare = normalise(number)
    return any(form.admits(bare) for form in get_carrier(carrier).formats)


def identify(number: str) -> list[Candidate]:
    """Return the carriers a number could belong to, best first.

    Each form weighs its share of numbers in use divided by how many numbers it admits: a form
    that admits few (letters in front, a check digit) gains when it does admit this one.
    """
    bare = normalise(number)
    if not 0 < len(bare) <= _LONGEST:
        return []
    found = [
        form
        for carrier in load_carriers().values()
        for form in carrier.formats
        if form.admits(bare)
    ]
    weights = [_weigh(form) for form in found]
    top = max(weights, default=0.0)
    scores = [math.exp(weight - top) for weight in weights]
    total = sum(scores)
    candidates = [
        Candidate(
            carrier=form.carrier,
            format=form.code,
            score=score / total,
            checked=form.is_checked,
            current=form.current,
        )
        for form, score in zip(found, scores, strict=True)
    ]
    return sorted(candidates, key=lambda candidate: -candidate.score)


def _weigh(form: NumberFormat) -> float:
    return math.log(form.share * _ODDS[form.confidence]) - form.size * math.log(10)


def draw_number(carrier: str, source: RandomSource, *, never: NumberRanges | None = None) -> str:
    """Draw one number of a carrier. Raises UnknownCarrier, CapacityShort."""
    return NumberMint(carrier, Draws(source), never=never).draw(1)[0]


class NumberMint:
    """Draw a carrier's current numbers, outside the ranges not to be used."""

    def __init__(self, carrier: str, draws: Draws, *, never: NumberRanges | None = None) -> None:
        forms = [form.code for form in get_carrier(carrier).formats if form.code in SHAPES]
        if not forms:
            raise UnknownCarrier(
                f"{carrier} has no current number form to draw from",
                mend="choose a carrier that issues numbers today, or supply voided numbers",
                field="carrier",
            )
        self._carrier = carrier
        self._draws = draws
        self._shapes = tuple(shape for form in forms for shape in SHAPES[form])
        self._never = never if never is not None and never.has_carrier(carrier) else None

    def draw(self, count: int) -> list[str]:
        """Draw `count` numbers, which may repeat. Raises CapacityShort."""
        numbers: list[str] = []
        for _ in range(_TRIES):
            drawn = draw_numbers(self._shapes, count - len(numbers), self._draws)
            if self._never is None:
                return drawn
            numbers += [n for n in drawn if not self._never.covers(self._carrier, n)]
            if len(numbers) == count:
                return numbers
        raise CapacityShort(
            f"almost all numbers of {self._carrier} lie in ranges not to be used",
            mend="narrow the ranges, or have the carrier reserve a block",
        )
