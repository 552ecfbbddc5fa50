"""The ladder: what a posterior may become, given who saw what (TRUST.md section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from canary.attribution.answer import Cap
from canary.attribution.world import ChannelClass
from canary.domain.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Thresholds of the decision; the defaults hold a false accusation 99 times a miss."""

    named_from: float = 0.99
    robust_from: float = 0.9
    lone_event_bits: float = 46.0
    weak_from: float = 0.5
    unmodelled: float = 0.001
    sweep_odds: float = 20.0
    exclusive_baits: int = 3
    exclusive_baits_two_venues: int = 2
    background_factor: float = 8.0
    smallest_set_mass: float = 0.95


DEFAULT = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What speaks for one source, reduced to what the ladder asks about.

    `untimed` is the posterior were it not counted how soon baits surfaced after access;
    `exclusive` lists (bait, venue, class) of the supporting baits that only this source had.
    """

    posterior: float
    worst: float
    without_strongest: float
    untimed: float
    events: int
    strongest_bits: float
    classes: frozenset[ChannelClass]
    exclusive: tuple[tuple[int, int, ChannelClass], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What the batch as a whole says: control baits seen, sweep odds, runs of neighbours."""

    control_seen: bool = False
    copied_odds: float = float("inf")
    neighbours: bool = False


def grade(support: Support, batch: Batch, policy: Policy) -> tuple[Verdict, tuple[Cap, ...]]:
    """Return the verdict on one source and what kept it from a higher one."""
    if not any(one.is_trusted for one in support.classes):
        verdict = Verdict.WEAK if support.posterior >= policy.weak_from else Verdict.UNATTRIBUTABLE
        return verdict, (Cap.UNTRUSTED_ONLY,)
    missing = _missing_for_probable(support, batch, policy)
    if missing:
        carries = support.posterior >= policy.weak_from
        return (Verdict.WEAK if carries else Verdict.UNATTRIBUTABLE), missing
    missing = _missing_for_confirmed(support, batch, policy)
    verdict = Verdict.PROBABLE if missing else Verdict.CONFIRMED
    return verdict, missing


def _missing_for_probable(support: Support, batch: Batch, policy: Policy) -> tuple[Cap, ...]:
    caps = []
    if support.posterior < policy.named_from:
        caps.append(Cap.POSTERIOR)
    robust = max(support.without_strongest, support.worst) >= policy.robust_from
    if not robust:
        caps.append(Cap.NOT_ROBUST)
    if support.untimed < policy.robust_from:
        caps.append(Cap.DELAYS_ONLY)
    if support.events < 2 and support.strongest_bits < policy.lone_event_bits:
        caps.append(Cap.SINGLE_EVENT)
    if batch.copied_odds < 1.0:
        caps.append(Cap.SWEEP)
    return tuple(caps)


def _missing_for_confirmed(support: Support, batch: Batch, policy: Policy) -> tuple[Cap, ...]:
    caps = list(_missing_baits(support, policy))
    if batch.control_seen:
        caps.append(Cap.CONTROL_SEEN)
    if batch.copied_odds < policy.sweep_odds:
        caps.append(Cap.SWEEP)
    if batch.neighbours:
        caps.append(Cap.NEIGHBOURS)
    return tuple(caps)


def _missing_baits(support: Support, policy: Policy) -> Sequence[Cap]:
    """Ask for enough exclusive baits, seen by own channels or by two independent others."""
    own = [one for one in support.exclusive if one[2] is ChannelClass.OWN]
    others = [
        one
        for one in support.exclusive
        if one[2] in (ChannelClass.CONTRACTED, ChannelClass.ARRIVAL)
    ]
    independent = len({venue for _, venue, _ in others}) >= 2
    if _enough(own, policy) or (independent and _enough(own + others, policy)):
        return ()
    if _enough(own + others, policy):
        return (Cap.ONE_CHANNEL,)
    if not support.exclusive:
        return (Cap.NOT_EXCLUSIVE,)
    tips = any(one[2] is ChannelClass.OWN_TIP for one in support.exclusive)
    return (Cap.TIP_ONLY,) if tips and not own else (Cap.FEW_BAITS,)


def _enough(seen: Sequence[tuple[int, int, ChannelClass]], policy: Policy) -> bool:
    baits = {bait for bait, _, _ in seen}
    venues = {venue for _, venue, _ in seen}
    return len(baits) >= policy.exclusive_baits or (
        len(baits) >= policy.exclusive_baits_two_venues and len(venues) >= 2
    )
