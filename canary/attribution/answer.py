"""What an attribution says: posteriors, verdict, reasons, exclusions, what would settle it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from canary.domain.verdicts import Verdict

RULE_VERSION = "attribution-6"


class ExclusionCode(StrEnum):
    """Why a source is not a suspect."""

    NEVER_HELD = "never_held"
    TOO_LATE = "too_late"
    FIELD_NOT_VISIBLE = "field_not_visible"
    SILENT = "silent"
    CHANCE = "chance"
    COVERED = "covered"


class Cap(StrEnum):
    """What kept the verdict from going further up the ladder."""

    UNTRUSTED_ONLY = "untrusted_only"
    TIP_ONLY = "tip_only"
    NOT_EXCLUSIVE = "not_exclusive"
    FEW_BAITS = "few_baits"
    ONE_CHANNEL = "one_channel"
    CONTROL_SEEN = "control_seen"
    SWEEP = "sweep"
    NEIGHBOURS = "neighbours"
    NOT_ROBUST = "not_robust"
    DELAYS_ONLY = "delays_only"
    SINGLE_EVENT = "single_event"
    POSTERIOR = "posterior"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Why not this source; params carry the number behind the code."""

    code: ExclusionCode
    params: Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one piece of evidence adds for a source, in log10 of the likelihood ratio."""

    sightings: tuple[str, ...]
    records: tuple[str, ...]
    at_h: float
    venue: str
    log10_lr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """The case for one source, and the best case against it."""

    source: str
    prior: float
    posterior: float
    log10_lr: float
    held: int
    seen: int
    silence_bits: float
    contributions: tuple[Contribution, ...]
    alternative: tuple[str, ...]
    log10_against_alternative: float
    posterior_without_strongest: float
    posterior_worst_setting: float
    exclusive_baits: int
    venues: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """How the leading source stands if the background is `factor` times the estimate."""

    factor: float
    posterior: float
    verdict: Verdict
    changes_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One proposed seeding and the bits it should bring.

    `exclusive_baits`: `baits` of its own to each of `sources`. `phone_code`: `baits` new phones,
    phone j to the sources in `subsets[j]`.
    """

    kind: str
    sources: tuple[str, ...]
    baits: int
    gain_bits: float
    expected_sightings: float
    subsets: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The answer to "who leaked?", never more certain than the evidence.

    Coincidence is counted apart: `expected_accidental` displays beside `seen_events` in listings,
    `expected_arrivals` messages beside `seen_arrivals` on `watched_phones` bait phones.
    """

    posteriors: Mapping[str, float]
    p_no_leak: float
    p_background: float
    verdict: Verdict
    named: tuple[str, ...]
    verdicts: Mapping[str, Verdict]
    suspects: tuple[str, ...]
    excluded: Mapping[str, Exclusion]
    reasons: tuple[Reason, ...]
    caps: tuple[Cap, ...]
    expected_accidental: float
    expected_arrivals: float
    seen_events: int
    seen_arrivals: int
    watched_phones: int
    sensitivity: Sensitivity | None
    next: tuple[Step, ...]
    smallest_set: tuple[str, ...]
    untrusted_only: bool
    rule_version: str = RULE_VERSION

    def to_json(self) -> dict[str, object]:
        """Return the answer of `canary attribute --json` with its details."""
        return {
            "posteriors": dict(self.posteriors),
            "named": list(self.named),
            "p_no_leak": self.p_no_leak,
            "verdict": self.verdict.value,
            "excluded": {key: one.code.value for key, one in self.excluded.items()},
            "next": [asdict(step) for step in self.next],
            "details": {
                "p_background": self.p_background,
                "verdicts": {key: one.value for key, one in self.verdicts.items()},
                "suspects": list(self.suspects),
                "exclusions": {
                    key: {"code": one.code.value, **one.params}
                    for key, one in self.excluded.items()
                },
                "reasons": [asdict(reason) for reason in self.reasons],
                "caps": [cap.value for cap in self.caps],
                "expected_accidental": self.expected_accidental,
                "expected_arrivals": self.expected_arrivals,
                "seen_events": self.seen_events,
                "seen_arrivals": self.seen_arrivals,
                "watched_phones": self.watched_phones,
                "sensitivity": None if self.sensitivity is None else asdict(self.sensitivity),
                "smallest_set": list(self.smallest_set),
                "untrusted_only": self.untrusted_only,
                "rule_version": self.rule_version,
            },
        }
