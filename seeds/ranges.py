"""Number ranges a carrier gave: reserved for us, never to be used, and single voided numbers."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from seeds.carriers import get_carrier
from seeds.draws import Draws
from seeds.errors import BadNumber, PoolEmpty

_SAMPLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRange:
    """Numbers of one carrier from `first` to `last`, both included, alike but for their digits."""

    carrier: str
    first: str
    last: str
    until: date | None = None

    def __post_init__(self) -> None:
        get_carrier(self.carrier)
        start = _shared_start(self.first, self.last)
        rest = self.first[len(start) :] + self.last[len(start) :]
        if len(self.first) != len(self.last) or (rest and not _is_digits(rest)):
            raise BadNumber(
                f"{self.first} to {self.last} is not one run of numbers",
                mend="give two numbers of the same length that differ in digits only",
            )
        if self.first > self.last:
            raise BadNumber(
                f"{self.first} comes after {self.last}", mend="exchange `from` and `to`"
            )

    @property
    def size(self) -> int:
        """How many numbers the range spans, valid or not."""
        start = len(_shared_start(self.first, self.last))
        return int(self.last[start:] or 0) - int(self.first[start:] or 0) + 1

    def number_at(self, position: int) -> str:
        """Return the number at a position from 0."""
        start = len(_shared_start(self.first, self.last))
        if start == len(self.first):
            return self.first
        width = len(self.first) - start
        return f"{self.first[:start]}{int(self.first[start:]) + position:0{width}d}"


class NumberRanges:
    """A set of ranges that answers quickly whether a number lies in one."""

    def __init__(self, ranges: Iterable[NumberRange] = ()) -> None:
        self._spans: dict[tuple[str, int], list[tuple[str, str]]] = {}
        grouped: dict[tuple[str, int], list[tuple[str, str]]] = defaultdict(list)
        for span in ranges:
            grouped[span.carrier, len(span.first)].append((span.first, span.last))
        for key, spans in grouped.items():
            self._spans[key] = _merge(sorted(spans))

    def has_carrier(self, carrier: str) -> bool:
        """Tell whether any range is of this carrier."""
        return any(key[0] == carrier for key in self._spans)

    def covers(self, carrier: str, number: str) -> bool:
        """Tell whether a normalised number lies in a range of the carrier."""
        spans = self._spans.get((carrier, len(number)), [])
        place = bisect_right(spans, (number, "\U0010ffff")) - 1
        return place >= 0 and number <= spans[place][1]


class ReservedNumbers(Iterator[str]):
    """Take numbers of one carrier from reserved ranges, none twice, in no order."""

    def __init__(
        self, carrier: str, ranges: Sequence[NumberRange], draws: Draws, *, today: date
    ) -> None:
        self._carrier = get_carrier(carrier)
        self._draws = draws
        self._ranges = [
            span
            for span in ranges
            if span.carrier == carrier and (span.until is None or span.until >= today)
        ]
        self._left = sum(span.size for span in self._ranges)
        self._moved: dict[int, int] = {}

    def __next__(self) -> str:
        """Return the next number. Raises PoolEmpty."""
        while self._left:
            number = self._number_at(self._take_position())
            if any(form.admits(number) for form in self._carrier.formats):
                return number
        raise PoolEmpty(
            f"the reserved numbers of {self._carrier.code} are used up",
            mend="ask the carrier for another block, or let numbers be invented",
        )

    def _take_position(self) -> int:
        # Fisher and Yates over positions, keeping only those that moved.
        place = self._draws.below(self._left)
        self._left -= 1
        taken = self._moved.get(place, place)
        self._moved[place] = self._moved.pop(self._left, self._left)
        return taken

    def _number_at(self, position: int) -> str:
        for span in self._ranges:
            if position < span.size:
                return span.number_at(position)
            position -= span.size
        raise AssertionError("position beyond the ranges")


def _shared_start(one: str, other: str) -> str:
    """Return the common beginning, ending before the digits that may differ."""
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _merge(spans: list[tuple[str, str]]) -> list[tuple[str, str]]:
    merged = spans[:1]
    for first, last in spans[1:]:
        if first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def count_valid(span: NumberRange) -> int:
    """Count the numbers of a range its carrier would admit; a long range is judged by a sample."""
    forms = get_carrier(span.carrier).formats
    step = max(1, span.size // _SAMPLE)
    places = range(0, span.size, step)
    # A step that shares a factor with ten would meet the same last digits again and again.
    numbers = (span.number_at(min(span.size - 1, place + place // step % step)) for place in places)
    valid = sum(any(form.admits(number) for form in forms) for number in numbers)
    return valid if step == 1 else valid * span.size // len(places)
