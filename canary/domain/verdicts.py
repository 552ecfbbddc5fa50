"""The ladder of verdicts: what the evidence carries, weakest first."""

from enum import StrEnum


class Verdict(StrEnum):
    """How far an attribution goes; a source is named from PROBABLE on."""

    UNATTRIBUTABLE = "unattributable"
    WEAK = "weak"
    PROBABLE = "probable"
    CONFIRMED = "confirmed"

    @property
    def rank(self) -> int:
        """Tell the step on the ladder, 0 to 3."""
        return list(Verdict).index(self)

    @property
    def names_a_source(self) -> bool:
        """Tell whether a source may be named at this step."""
        return self in (Verdict.PROBABLE, Verdict.CONFIRMED)


def lower_of(first: Verdict, second: Verdict) -> Verdict:
    """Return the weaker of two verdicts; a cap is applied with this."""
    return min(first, second, key=lambda verdict: verdict.rank)
