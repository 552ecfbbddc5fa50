"""The life of a bait."""

from enum import StrEnum


class BaitState(StrEnum):
    """Where a bait stands. Burned and retired baits still match."""

    DRAFT = "draft"
    ISSUED = "issued"
    PLANTED = "planted"
    LIVE = "live"
    BURNED = "burned"
    RETIRED = "retired"

    @property
    def is_in_place(self) -> bool:
        """Whether a source has it now."""
        return self in (BaitState.PLANTED, BaitState.LIVE)


_NEXT = {
    BaitState.DRAFT: {BaitState.ISSUED, BaitState.RETIRED},
    BaitState.ISSUED: {BaitState.PLANTED, BaitState.BURNED, BaitState.RETIRED},
    BaitState.PLANTED: {BaitState.LIVE, BaitState.BURNED, BaitState.RETIRED},
    BaitState.LIVE: {BaitState.BURNED, BaitState.RETIRED},
    BaitState.BURNED: {BaitState.RETIRED},
    BaitState.RETIRED: set[BaitState](),
}


def can_become(state: BaitState, new: BaitState) -> bool:
    """Whether a bait in `state` may become `new`."""
    return new in _NEXT[state]
