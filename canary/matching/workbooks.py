"""Workbooks by calamine, whose panics are no Exceptions: told like any other damage."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from canary.matching.extras import CannotRead

_LOCKED = "EncryptedPackage".encode("utf-16-le")
Given = TypeVar("Given")


def sheets_of(raw: bytes) -> Iterator[tuple[str, Iterator[Sequence[object]]]]:
    """Yield the sheets of a workbook and their rows. Raises CannotRead, the rows do, too."""
    from python_calamine import CalamineWorkbook

    if _LOCKED in raw:
        raise CannotRead("a workbook locked with a password")
    book = ask_calamine(lambda: CalamineWorkbook.from_filelike(io.BytesIO(raw)))
    for name in ask_calamine(lambda: book.sheet_names):
        yield name, _rows(lambda name=name: iter(book.get_sheet_by_name(name).iter_rows()))  # type: ignore[misc]


def _rows(open_sheet: Callable[[], Iterator[Sequence[object]]]) -> Iterator[Sequence[object]]:
    rows = ask_calamine(open_sheet)
    while (row := ask_calamine(lambda: next(rows, None))) is not None:
        yield row


def ask_calamine(ask: Callable[[], Given]) -> Given:
    """Return what calamine answers. Raises CannotRead for its errors and its panics."""
    from python_calamine import CalamineError

    try:
        return ask()
    except CalamineError as error:
        raise CannotRead(f"no workbook that could be read: {error}"[:200]) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise CannotRead("a damaged workbook") from error
