"""Errors of the application.

CanaryError
├── Invalid      the input is wrong; says where and how to mend it
├── NotFound     there is no such thing
├── Conflict     somebody else was first, or the state does not allow it
├── Forbidden    this actor may not do that
└── Unavailable  it cannot be done durably now; try again later
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing wrong with an input: where it is, what it is, how to mend it."""

    problem: str
    mend: str = ""
    row: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        where = ", ".join(
            part
            for part in (
                f"row {self.row}" if self.row is not None else "",
                f"field {self.field}" if self.field else "",
            )
            if part
        )
        sentence = f"{where}: {self.problem}" if where else self.problem
        return f"{sentence}; mend: {self.mend}" if self.mend else sentence


class CanaryError(Exception):
    """Base of all errors this application raises on purpose."""


class Invalid(CanaryError):
    """The input is wrong. `flaws` lists every finding."""

    def __init__(
        self,
        problem: str = "",
        *,
        mend: str = "",
        row: int | None = None,
        field: str | None = None,
        flaws: Sequence[Flaw] = (),
    ) -> None:
        self.flaws: tuple[Flaw, ...] = tuple(flaws) or (
            Flaw(problem=problem, mend=mend, row=row, field=field),
        )
        super().__init__("\n".join(str(flaw) for flaw in self.flaws))


class NotFound(CanaryError):
    """There is no such thing."""


class Conflict(CanaryError):
    """Somebody else was first, or the present state does not allow it."""


class Forbidden(CanaryError):
    """This actor may not do that."""


class Unavailable(CanaryError):
    """It cannot be done durably now; the caller may try again."""

    def __init__(self, problem: str, *, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__(problem)
