"""Errors of the seeds library. Every message ends with the mend.

SeedError
├── UnknownCarrier  no such carrier, or none whose numbers can be drawn
├── BadNumber       a range or voided number is not of its carrier's form
├── BadPhone        a phone number that cannot be owned or dialled
├── BadPlan         a recipe or plan that cannot be carried out
├── PoolEmpty       nothing is left to take from a pool the operator supplied
├── CapacityShort   no more values are distinct enough; says how many are left
├── BadSheet        a field does not fit the form a partner takes
└── MissingExtra    an optional library or font is not installed
"""


class SeedError(Exception):
    """Base of all errors of this library; carries where it was and how to mend it."""

    def __init__(
        self, problem: str, *, mend: str, row: int | None = None, field: str | None = None
    ) -> None:
        self.problem = problem
        self.mend = mend
        self.row = row
        self.field = field
        super().__init__(f"{problem}; mend: {mend}")


class UnknownCarrier(SeedError):
    """No such carrier, or none whose numbers can be drawn."""


class BadNumber(SeedError):
    """A range or voided number is not of its carrier's form."""


class BadPhone(SeedError):
    """A phone number that cannot be owned or dialled."""


class BadPlan(SeedError):
    """A recipe or plan that cannot be carried out."""


class PoolEmpty(SeedError):
    """Nothing is left to take from a pool the operator supplied."""


class CapacityShort(SeedError):
    """No more values are distinct enough."""


class BadSheet(SeedError):
    """A field does not fit the form a partner takes."""


class MissingExtra(SeedError):
    """An optional library or font is not installed."""
