"""Rules: which endpoint hears of what, and which sightings are no news."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from canary.domain.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules may ask of an incident.

    `sources` holds the codes of all sources involved and of everybody above them, `regions` their
    division codes.
    """

    sources: frozenset[str] = frozenset()
    source_kinds: frozenset[str] = frozenset()
    sighting_kinds: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    verdict: Verdict = Verdict.UNATTRIBUTABLE

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads back."""
        return {
            "sources": sorted(self.sources),
            "source_kinds": sorted(self.source_kinds),
            "sighting_kinds": sorted(self.sighting_kinds),
            "regions": sorted(self.regions),
            "verdict": self.verdict.value,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            sources=frozenset(kept.get("sources", ())),
            source_kinds=frozenset(kept.get("source_kinds", ())),
            sighting_kinds=frozenset(kept.get("sighting_kinds", ())),
            regions=frozenset(kept.get("regions", ())),
            verdict=Verdict(kept.get("verdict", Verdict.UNATTRIBUTABLE)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """That one endpoint hears of incidents that meet every condition given.

    `source` means the source and all below it, `region` all division codes that begin so,
    `least_verdict` this step of the ladder or higher. `lang` overrides the endpoint's language.
    With `after_minutes` the endpoint hears only of what nobody acknowledged in that time.
    """

    endpoint_id: int
    source: str | None = None
    source_kind: str | None = None
    sighting_kind: str | None = None
    region: str | None = None
    least_verdict: Verdict | None = None
    lang: str | None = None
    after_minutes: int | None = None

    def covers(self, facts: Facts) -> bool:
        """Tell whether an incident meets every condition."""
        return (
            (self.source is None or self.source in facts.sources)
            and (self.source_kind is None or self.source_kind in facts.source_kinds)
            and (self.sighting_kind is None or self.sighting_kind in facts.sighting_kinds)
            and (
                self.region is None
                or any(region.startswith(self.region) for region in facts.regions)
            )
            and (self.least_verdict is None or facts.verdict.rank >= self.least_verdict.rank)
        )


def choose_endpoints(
    facts: Facts | None, endpoints: Iterable[int], rules: Sequence[Rule]
) -> dict[int, str | None]:
    """Return the endpoints that hear of an incident now, each with the language a rule gives it.

    An endpoint without rules hears everything. What no endpoint would hear goes to all of them:
    rules direct alerts, they cannot swallow one. Without facts (operation) everybody hears.
    """
    everybody: dict[int, str | None] = dict.fromkeys(endpoints)
    if facts is None:
        return everybody
    ruled = {rule.endpoint_id for rule in rules}
    chosen: dict[int, str | None] = {one: None for one in everybody if one not in ruled}
    for rule in rules:
        is_open = rule.endpoint_id in everybody and rule.after_minutes is None
        if is_open and rule.covers(facts) and not chosen.get(rule.endpoint_id):
            chosen[rule.endpoint_id] = rule.lang
    return chosen or everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What an expected-sighting rule may ask of a sighting.

    `sources` as in Facts, for each matched bait's home one set of codes; `only_arrived` says that
    a message reached our phones and printed no bait value.
    """

    kind: str
    reporter: str
    sender: str
    venue: str
    homes: Sequence[frozenset[str]] = field(default_factory=tuple)
    only_arrived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A scoped rule that a sighting is no news; it always ends.

    Without `source` it covers only messages that reached our phones and print no bait value; with
    it, only sightings whose every bait was placed at that source or below: another source's
    baits are news whatever the rule says.
    """

    kind: str
    reporter: str | None = None
    sender: str | None = None
    venue: str | None = None
    source: str | None = None
    begins_at: datetime
    expires_at: datetime

    def covers(self, seen: Circumstances, at: datetime) -> bool:
        """Tell whether a sighting that came at `at` is what this rule expects."""
        return (
            self.begins_at <= at < self.expires_at
            and self.kind == seen.kind
            and (self.reporter is None or self.reporter == seen.reporter)
            and (self.sender is None or self.sender == seen.sender)
            and (self.venue is None or self.venue == seen.venue)
            and self._within(seen)
        )

    def _within(self, seen: Circumstances) -> bool:
        if self.source is None:
            return seen.only_arrived
        return bool(seen.homes) and all(self.source in home for home in seen.homes)
