"""The world an attribution is made from: who held what, since when, and what was seen.

Times are hours since the start of the window. Arrays are columnar; indices count from 0.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FIELDS = ("waybill", "phone", "name", "district")
HIDDEN, MASKED, FULL = 0, 1, 2

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Small = NDArray[np.int8]
Bools = NDArray[np.bool_]


class ChannelClass(StrEnum):
    """Who brought a sighting; decides how far it may carry (an interested party is ANONYMOUS)."""

    OWN = "own"
    OWN_TIP = "own_tip"
    CONTRACTED = "contracted"
    ARRIVAL = "arrival"
    RELAY = "relay"
    MANUAL = "manual"
    ANONYMOUS = "anonymous"

    @property
    def is_trusted(self) -> bool:
        """Tell whether sightings of this class may rank sources."""
        return self in _TRUSTED


_TRUSTED = (
    ChannelClass.OWN,
    ChannelClass.OWN_TIP,
    ChannelClass.CONTRACTED,
    ChannelClass.ARRIVAL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A venue that is watched. `show[f]` is (P full, P masked) of field f on its listings."""

    id: str
    channel: str
    corpus: float
    show: tuple[tuple[float, float], ...]
    channel_class: ChannelClass = ChannelClass.OWN
    party: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """What was seen, one row each; matches are stored row after row with `match_ends`."""

    ids: tuple[str, ...]
    time: Floats
    site: Ints
    level: Small
    shown: tuple[tuple[str, ...], ...]
    match_starts: Ints
    matches: Ints
    template: tuple[str, ...]
    channel_class: tuple[ChannelClass, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def matched_by(self, row: int) -> Ints:
        """Return the record indices compatible with what this row showed."""
        return self.matches[self.match_starts[row] : self.match_starts[row + 1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigns:
    """What the operator expects of message campaigns in one window (counts)."""

    buyers_per_leaker: float
    single_templates: float
    storms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The operator's estimates; defaults are ATTRIBUTION.md section 2.2, times in hours."""

    expected_leakers: float = 1.5
    leak_fraction_beta: tuple[float, float] = (1.6, 1.2)
    coverage: dict[str, float] = field(default_factory=lambda: {"resale": 0.3, "sms": 0.85})
    weight_fast: float = 0.6
    mean_fast_h: float = 18.0
    mean_slow_h: float = 240.0
    since_log_lag_mean_h: float = 0.2
    spam_events_per_phone_per_window: float = 0.0
    enrichment_rate: float = 0.003
    report_only_if_match_p_below: float = 1e-8
    custody_log_error_rate: float = 0.002
    chance_waybill: tuple[float, float] = (2e-12, 2e-9)
    chance_phone: tuple[float, float] = (6e-10, 2.2e-6)
    name_dependence: float = 3.0
    surname: dict[str, float] = field(default_factory=dict)
    given: dict[str, float] = field(default_factory=dict)
    district: dict[str, float] = field(default_factory=dict)
    campaigns: Campaigns | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything one attribution is made from; values only, already checked."""

    scenario: str
    seed: int
    start: float
    end: float
    source_ids: tuple[str, ...]
    stages: tuple[str, ...]
    parent: Ints
    record_ids: tuple[str, ...]
    waybills: tuple[str, ...]
    phones: tuple[str, ...]
    names: tuple[str, ...]
    districts: tuple[str, ...]
    issued: Floats
    control: Bools
    sealed: Bools
    vis: Small
    exp_record: Ints
    exp_source: Ints
    exp_since: Floats
    exp_vis: Ints
    exp_reveal: Bools
    sites: tuple[Site, ...]
    sightings: Sightings
    operator: Operator

    @property
    def hours(self) -> float:
        """Return the length of the window in hours."""
        return self.end - self.start

    @property
    def n_sources(self) -> int:
        """Return how many sources there are."""
        return len(self.source_ids)

    @property
    def n_records(self) -> int:
        """Return how many bait records there are."""
        return len(self.record_ids)
