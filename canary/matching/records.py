"""Records: the row, the labelled block or the short message that a position stands in."""

import re
from bisect import bisect_right

SHORT = 200  # a text up to so many characters with few lines is one message
MAX_BLOCK = 12
MAX_RECORD = 2000  # characters; of a longer line only the surroundings count
_LABEL = re.compile(r"[ \t]*[\u4e00-\u9fffA-Za-z]{1,10}[ \t]{0,3}[:：]")
_FIELD = re.compile(r"[,\t|;，；]")
_LONG = re.compile(r"[0-9]{7}")


class Records:
    """Finds the record around a position of one shadow text."""

    def __init__(self, text: str, *, is_whole: bool = True) -> None:
        self._text = text
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._blocks: dict[int, tuple[int, int]] = {}
        self._is_message = is_whole and len(text) <= SHORT and not self._is_list()

    def __len__(self) -> int:
        return 1 if self._is_message else max(1, len(self._lines))

    def around(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the record that holds this span."""
        if self._is_message:
            return 0, len(self._text)
        first, last = self._line_at(start), self._line_at(max(start, end - 1))
        low, high = self._block(first)
        high = max(high, self._block(last)[1])
        if high - low <= MAX_RECORD:
            return low, high
        near = start - start % (MAX_RECORD // 4)
        return max(low, near - MAX_RECORD // 4), min(high, near + MAX_RECORD // 2)

    def _is_list(self) -> bool:
        """Tell whether several lines look like rows, not like one message on several lines."""
        rows = [line for line in self._text.split("\n") if line.strip()]
        if len(rows) < 2 or self._is_labelled(0, len(self._lines)):
            return False
        fields = [count for row in rows if (count := len(_FIELD.findall(row)))]
        return len(fields) > len(set(fields)) or sum(bool(_LONG.search(row)) for row in rows) > 1

    def _line_at(self, at: int) -> int:
        return bisect_right(self._lines, at) - 1

    def _line(self, index: int) -> tuple[int, int]:
        start = self._lines[index]
        is_last = index + 1 == len(self._lines)
        return start, len(self._text) if is_last else self._lines[index + 1] - 1

    def _block(self, index: int) -> tuple[int, int]:
        """Return the labelled block a line belongs to, or the line alone."""
        known = self._blocks.get(index)
        if known is None:
            known = self._blocks[index] = self._find_block(index)
        return known

    def _find_block(self, index: int) -> tuple[int, int]:
        first, last = index, index
        while first and index - first < MAX_BLOCK and self._is_filled(first - 1):
            first -= 1
        while (
            last + 1 < len(self._lines) and last - index < MAX_BLOCK and self._is_filled(last + 1)
        ):
            last += 1
        if last - first < MAX_BLOCK and self._is_labelled(first, last + 1):
            return self._line(first)[0], self._line(last)[1]
        return self._line(index)

    def _is_filled(self, index: int) -> bool:
        return bool(self._text[slice(*self._line(index))].strip())

    def _is_labelled(self, first: int, last: int) -> bool:
        """Tell whether most lines begin with a label of their own."""
        lines = [self._text[slice(*self._line(index))] for index in range(first, last)]
        labels = [found[0].strip() for line in lines if (found := _LABEL.match(line))]
        return len(labels) > 1 and len(set(labels)) == len(labels) and 2 * len(labels) >= len(lines)
