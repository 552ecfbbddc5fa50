"""The recipe: what to make for one source."""

from dataclasses import dataclass

from seeds.errors import BadPlan
from seeds.places import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What to make for one source, or for nobody (`source` None: a control bait).

    With a `destination` the parcel leaves `region` and is delivered there; without one it is
    delivered inside `region`. Both are prefixes of division codes: 2, 4, 6 or 9 digits.
    `day` counts from the start of the batch. A `drop` is the team's own address, used as it is.
    """

    source: str | None
    carrier: str
    region: str
    destination: str | None = None
    count: int = 1
    phone: bool = True
    day: int = 0
    goods: str | None = None
    drop: Address | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise BadPlan(
                f"count {self.count} for source {self.source}",
                mend="give a count of at least 1, or leave the source out",
                field="count",
            )
        for field, code in (("region", self.region), ("destination", self.destination)):
            if code is not None and not _is_division_prefix(code):
                raise BadPlan(
                    f"{field} {code!r} is no division code",
                    mend="give 2, 4, 6 or 9 digits, such as 330200 for Ningbo",
                    field=field,
                )

    @property
    def is_control(self) -> bool:
        """Tell whether these baits stay at home."""
        return self.source is None


def _is_division_prefix(code: str) -> bool:
    return len(code) in (2, 4, 6, 9) and code.isascii() and code.isdigit()
