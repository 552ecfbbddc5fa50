"""The case for one source and the case against it, taken apart from a weighing."""

from dataclasses import dataclass

import numpy as np

from canary.attribution.answer import Contribution, Reason
from canary.attribution.averaging import Weighed
from canary.attribution.campaigns import phones_of
from canary.attribution.robustness import Untimed, without_group
from canary.attribution.search import Component, Members, Scorer
from canary.attribution.verdict import Policy, Support
from canary.attribution.weigh import Weighing
from canary.attribution.world import ChannelClass, Floats, Ints

_LN10 = float(np.log(10.0))
_MOST_LOG10 = 6.0
_SUPPORTS_LOG10 = 0.5
_GRACE_LAGS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A reason in words' reach and the support the ladder grades."""

    reason: Reason
    support: Support


def make_case(weighing: Weighing, source: int, held: int, policy: Policy, untimed: Untimed) -> Case:
    """Lay out what speaks for `source`, who could read `held` baits, and what against."""
    part = next((one for one in weighing.parts if source in one.component.sources), None)
    if part is None:
        return _silent_case(weighing, source, held, policy)
    most = 1.0 - policy.unmodelled
    row = int(np.flatnonzero(part.component.sources == source)[0])
    best = _best_set(part, row)
    gains, level = _gains(part.component, best, row)
    order = np.argsort(-gains, kind="stable")
    supporting = [int(at) for at in order if gains[at] > _SUPPORTS_LOG10]
    without = min(without_group(part, int(order[0]), row), most) if len(order) else 0.0
    exclusive = _exclusive(weighing, source, part.component.groups[supporting])
    posterior = min(float(weighing.posterior[source]), most)
    worst = min(float(weighing.worst[source]), most)
    untimed_share = posterior
    if posterior >= policy.named_from:
        untimed_share = min(untimed.share(part, row), most)
    rival, against = _alternative(part, row)
    groups = part.component.groups
    reason = Reason(
        source=weighing.problem.world.source_ids[source],
        prior=_prior(weighing, source),
        posterior=posterior,
        log10_lr=_log10_lr(weighing, part, row, source),
        held=held,
        seen=len(supporting),
        silence_bits=float(part.component.base[row, level] / np.log(2.0)),
        contributions=tuple(
            _contribution(weighing, source, int(groups[at]), float(gains[at]))
            for at in order.tolist()
            if gains[at] > 0.05
        ),
        alternative=tuple(
            weighing.problem.world.source_ids[part.component.sources[one]] for one in rival
        ),
        log10_against_alternative=against,
        posterior_without_strongest=without,
        posterior_worst_setting=worst,
        exclusive_baits=len({bait for bait, _, _ in exclusive}),
        venues=len({venue for _, venue, _ in exclusive}),
    )
    support = Support(
        posterior=posterior,
        worst=worst,
        without_strongest=without,
        untimed=untimed_share,
        events=len(supporting),
        strongest_bits=_strongest_bits(weighing, groups[supporting]),
        classes=_classes(weighing, groups[supporting]),
        exclusive=exclusive,
    )
    return Case(reason=reason, support=support)


def _silent_case(weighing: Weighing, source: int, held: int, policy: Policy) -> Case:
    world = weighing.problem.world
    posterior = min(float(weighing.posterior[source]), 1.0 - policy.unmodelled)
    reason = Reason(
        source=world.source_ids[source],
        prior=_prior(weighing, source),
        posterior=posterior,
        log10_lr=0.0,
        held=held,
        seen=0,
        silence_bits=0.0,
        contributions=(),
        alternative=(),
        log10_against_alternative=0.0,
        posterior_without_strongest=posterior,
        posterior_worst_setting=posterior,
        exclusive_baits=0,
        venues=0,
    )
    support = Support(
        posterior=posterior,
        worst=posterior,
        without_strongest=posterior,
        untimed=posterior,
        events=0,
        strongest_bits=0.0,
        classes=frozenset(),
        exclusive=(),
    )
    return Case(reason=reason, support=support)


def _prior(weighing: Weighing, source: int) -> float:
    odds = float(np.exp(weighing.problem.log_prior_odds[source]))
    return odds / (1.0 + odds)


def _best_set(part: Weighed, row: int) -> Members:
    holding = [at for at, members in enumerate(part.sets) if row in members]
    if not holding:
        return (row,)
    return part.sets[max(holding, key=lambda at: float(part.weights[at]))]


def _gains(component: Component, members: Members, row: int) -> tuple[Floats, int]:
    """Return log10 of each group's gain from `row` given the other members, and its level."""
    level = dict.fromkeys(members, component.ratio.shape[1] // 2)
    for _ in range(3):
        for one in members:
            rest = component.floor + sum(
                (component.ratio[other, level[other]] for other in members if other != one),
                start=np.zeros(len(component.groups)),
            )
            likelihood = component.base[one] + np.log1p(component.ratio[one] / rest).sum(axis=1)
            level[one] = int(np.argmax(likelihood))
    rest = component.floor + sum(
        (component.ratio[other, level[other]] for other in members if other != row),
        start=np.zeros(len(component.groups)),
    )
    return np.log1p(component.ratio[row, level[row]] / rest) / _LN10, level[row]


def _alternative(part: Weighed, row: int) -> tuple[Members, float]:
    """Return the best set without the source and log10 of the factor against it."""
    without = [at for at, members in enumerate(part.sets) if row not in members]
    holding = [at for at, members in enumerate(part.sets) if row in members]
    best = float(part.weights[holding].max()) if holding else 1e-12
    if without:
        at = max(without, key=lambda one: float(part.weights[one]))
        factor = np.log10(max(best, 1e-300) / max(float(part.weights[at]), 1e-300))
        return part.sets[at], float(factor)
    scorer = Scorer(part.component)
    scores = [scorer.score(members) for members in ((), _best_set(part, row))]
    return (), float((scores[1] - scores[0]) / _LN10)


def _log10_lr(weighing: Weighing, part: Weighed, row: int, source: int) -> float:
    holds = np.array([row in members for members in part.sets])
    inside, outside = part.weights[holds].sum(), part.weights[~holds].sum()
    odds = np.log10(max(inside, 1e-300)) - np.log10(max(outside, 1e-12))
    prior = weighing.problem.log_prior_odds[source] / _LN10
    return float(np.clip(odds - prior, -_MOST_LOG10, _MOST_LOG10))


def _events_of(weighing: Weighing, group: int) -> list[int]:
    return [int(at) for at in np.flatnonzero(weighing.problem.events.group == group)]


def rows_of_group(weighing: Weighing, group: int) -> tuple[int, ...]:
    """Return the sightings behind one evidence group."""
    problem = weighing.problem
    if group >= problem.events.n_groups:
        return problem.campaigns[group - problem.events.n_groups].rows
    return tuple(row for event in _events_of(weighing, group) for row in problem.events.rows[event])


def _records_for(weighing: Weighing, source: int, group: int) -> list[int]:
    """Return the records the source holds among those the group's displays match."""
    problem = weighing.problem
    if group >= problem.events.n_groups:
        world = problem.world
        rung = phones_of(problem, problem.campaigns[group - problem.events.n_groups])
        held = np.intersect1d(rung, world.exp_record[world.exp_source == source])
        return [int(record) for record in held]
    known = (problem.link_source == source) & (problem.events.group[problem.link_event] == group)
    return [int(record) for record in np.unique(problem.link_record[known])]


def _contribution(weighing: Weighing, source: int, group: int, gain: float) -> Contribution:
    world = weighing.problem.world
    rows = rows_of_group(weighing, group)
    first = min(rows, key=lambda row: float(world.sightings.time[row]))
    return Contribution(
        sightings=tuple(world.sightings.ids[row] for row in rows),
        records=tuple(
            world.record_ids[record] for record in _records_for(weighing, source, group)[:8]
        ),
        at_h=float(world.sightings.time[first]),
        venue=world.sites[int(world.sightings.site[first])].id,
        log10_lr=gain,
    )


def _strongest_bits(weighing: Weighing, groups: Ints) -> float:
    """Return the bits of the most telling display among the groups."""
    problem = weighing.problem
    best = 0.0
    for group in groups.tolist():
        for event in _events_of(weighing, group) if group < problem.events.n_groups else []:
            records = problem.events.matched_by(event)
            levels = np.repeat(
                problem.events.level[event][np.newaxis].astype(np.int64), len(records), axis=0
            )
            chance = float(problem.chances.of_display(records, levels).sum())
            best = max(best, -float(np.log2(max(chance, 1e-300))))
    return best


def _classes(weighing: Weighing, groups: Ints) -> frozenset[ChannelClass]:
    classes = weighing.problem.world.sightings.channel_class
    return frozenset(
        classes[row] for group in groups.tolist() for row in rows_of_group(weighing, group)
    )


def _exclusive(
    weighing: Weighing, source: int, groups: Ints
) -> tuple[tuple[int, int, ChannelClass], ...]:
    """Return (bait, venue, class) of the supporting baits no other source could have let out.

    Accounts above the source hold everything it holds; they count as others unless their own
    silence has cleared them.
    """
    problem, world = weighing.problem, weighing.problem.world
    cleared = _cleared_above(weighing, source)
    found: set[tuple[int, int, ChannelClass]] = set()
    for group in groups.tolist():
        if group >= problem.events.n_groups:
            continue
        rows = rows_of_group(weighing, group)
        first = min(float(world.sightings.time[row]) for row in rows)
        grace = _GRACE_LAGS * world.operator.since_log_lag_mean_h
        linked = problem.events.group[problem.link_event] == group
        held = linked & (problem.link_since <= first + grace)
        records = np.unique(problem.link_record[linked])
        others = set(problem.link_source[held].tolist()) - {source} - cleared
        if not others and len(records) == 1:
            found.update(
                (
                    int(records[0]),
                    int(world.sightings.site[row]),
                    world.sightings.channel_class[row],
                )
                for row in rows
            )
    return tuple(sorted(found))


def _cleared_above(weighing: Weighing, source: int) -> set[int]:
    world = weighing.problem.world
    cleared: set[int] = set()
    above = int(world.parent[source])
    while above >= 0 and above not in cleared:
        if weighing.posterior[above] >= 0.001:
            break
        cleared.add(above)
        above = int(world.parent[above])
    return cleared
