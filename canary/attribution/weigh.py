"""From a problem to posteriors: screen, split, search, average over what is not known well."""

from dataclasses import dataclass

import numpy as np

from canary.attribution.campaigns import campaign_links
from canary.attribution.collusion import Pool, agnostic_score, mix, pool_of, propose
from canary.attribution.model import (
    PLAIN,
    SETTINGS,
    Links,
    Problem,
    Setting,
    explanations,
    silence,
)
from canary.attribution.search import Component, Members, Scorer, log_sum, search
from canary.attribution.world import Bools, Floats, Ints

SCREEN_NATS = -9.0
_SETS_WITHIN = 11.0
_MOST_SETS = 60
_LARGEST_RATIO = 1e30


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The likelihood of a problem under one setting."""

    setting: Setting
    base: Floats
    links: Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One component with its likely sets: posterior weights [sets] under the mixture."""

    component: Component
    sets: tuple[Members, ...]
    weights: Floats
    by_setting: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """The posterior of every source, before any cap.

    `worst` is the lowest over the settings; `none` the probability that no source leaked;
    `background` that no source explains anything seen; `bound` the screening bound in nats.
    """

    problem: Problem
    evidence: Evidence
    posterior: Floats
    worst: Floats
    none: float
    background: float
    bound: Floats
    parts: tuple[Weighed, ...]


def weigh(problem: Problem) -> Weighing:
    """Compute the posterior over the sources."""
    evidence = evidence_under(problem, PLAIN)
    bound = screening_bound(problem, evidence)
    linked = np.zeros(problem.world.n_sources, dtype=np.bool_)
    linked[evidence.links.source] = True
    candidate = linked & (bound > SCREEN_NATS)
    posterior = _alone(bound)
    worst = posterior.copy()
    silent_none = float(np.log1p(-np.minimum(posterior[~candidate], 0.999999)).sum())
    components = split(problem, evidence, candidate)
    parts = _average(problem, components)
    background = 1.0
    for part in parts:
        share, least = _marginals(part)
        posterior[part.component.sources] = share
        worst[part.component.sources] = least
        background *= float(part.weights[[not members for members in part.sets]].sum())
    return Weighing(
        problem=problem,
        evidence=evidence,
        posterior=posterior,
        worst=worst,
        none=background * float(np.exp(silent_none)),
        background=background,
        bound=bound,
        parts=tuple(parts),
    )


def evidence_under(problem: Problem, setting: Setting, sources: Ints | None = None) -> Evidence:
    """Compute silence and explanations, displays and campaigns together."""
    shown = explanations(problem, setting)
    told, quiet = campaign_links(problem, setting)
    base = (
        quiet
        if problem.campaigns and not len(problem.events)
        else quiet + silence(problem, setting, sources)
    )
    links = Links(
        source=np.concatenate([shown.source, told.source]),
        group=np.concatenate([shown.group, told.group]),
        ratio=np.concatenate([shown.ratio, told.ratio]),
    )
    return Evidence(setting=setting, base=base, links=links)


def screening_bound(problem: Problem, evidence: Evidence) -> Floats:
    """Return the most a source can gain in any set, prior odds included, in nats."""
    links = evidence.links
    alone = evidence.base + problem.log_weights[np.newaxis]
    gains = np.log1p(links.ratio)
    for at in range(alone.shape[1]):
        alone[:, at] += np.bincount(
            links.source, weights=gains[:, at], minlength=problem.world.n_sources
        )
    return log_sum(alone, axis=1) + problem.log_prior_odds


def _alone(bound: Floats) -> Floats:
    """Return the posterior of sources that share no evidence with anyone."""
    odds = np.exp(np.minimum(bound, 50.0))
    share: Floats = odds / (1.0 + odds)
    return share


def split(problem: Problem, evidence: Evidence, candidate: Bools) -> list[Component]:
    """Split the candidates into components that share evidence groups."""
    links = evidence.links
    kept = np.flatnonzero(candidate[links.source] & (links.ratio.max(axis=1) > 1e-9))
    source, group = links.source[kept], links.group[kept]
    label = _labels(source, group, problem.world.n_sources, problem.n_groups)
    components = []
    for one in np.unique(label[source]):
        members = np.unique(source[label[source] == one])
        groups = np.unique(group[label[source] == one])
        components.append(dense(problem, evidence, members, groups))
    return components


def _labels(source: Ints, group: Ints, n_sources: int, n_groups: int) -> Ints:
    """Return the component of every source by spreading the least label."""
    of_source = np.arange(n_sources)
    of_group = np.full(n_groups, n_sources)
    while True:
        before = of_source.copy()
        np.minimum.at(of_group, group, of_source[source])
        np.minimum.at(of_source, source, of_group[group])
        if np.array_equal(before, of_source):
            return of_source


def dense(
    problem: Problem,
    evidence: Evidence,
    members: Ints,
    groups: Ints,
    floor: Floats | None = None,
) -> Component:
    """Lay the links of `members` to `groups` out as arrays, with log errors of custody."""
    world, links = problem.world, evidence.links
    row_of = np.full(world.n_sources, -1, dtype=np.int64)
    row_of[members] = np.arange(len(members))
    column_of = np.full(max(1, problem.n_groups), -1, dtype=np.int64)
    column_of[groups] = np.arange(len(groups))
    ratio = np.zeros((len(members), len(problem.levels), len(groups)))
    near = np.flatnonzero(column_of[links.group] >= 0)
    inside = near[row_of[links.source[near]] >= 0]
    ratio[row_of[links.source[inside]], :, column_of[links.group[inside]]] = links.ratio[inside]
    ratio += _log_errors(problem, evidence, members, near, column_of[links.group[near]], ratio)
    return Component(
        sources=members,
        groups=groups,
        ratio=np.minimum(ratio, _LARGEST_RATIO),
        base=evidence.base[members] + problem.log_weights[np.newaxis],
        odds=problem.log_prior_odds[members],
        floor=np.ones(len(groups)) if floor is None else floor,
    )


def _log_errors(
    problem: Problem, evidence: Evidence, members: Ints, near: Ints, column: Ints, ratio: Floats
) -> Floats:
    """Let a source of the same stage explain what it was not logged for, at a small rate."""
    world = problem.world
    rate = world.operator.custody_log_error_rate
    stages, stage_of = np.unique(np.array(world.stages), return_inverse=True)
    sizes = np.bincount(stage_of, minlength=len(stages))
    by_stage = np.zeros((len(stages), len(problem.levels), ratio.shape[2]))
    links = evidence.links
    np.add.at(
        by_stage,
        (
            stage_of[links.source[near]][:, np.newaxis],
            np.arange(ratio.shape[1]),
            column[:, np.newaxis],
        ),
        links.ratio[near],
    )
    weight = rate / np.maximum(sizes, 1)
    extra = weight[:, np.newaxis, np.newaxis] * by_stage
    return np.where(ratio > 0, 0.0, extra[stage_of[members]])


def _average(problem: Problem, components: list[Component]) -> list[Weighed]:
    """Search under the plain setting, then score the likely sets under every setting."""
    if not components:
        return []
    pools = [pool_of(problem, one) for one in components]
    likely = [_likely(one, pool) for one, pool in zip(components, pools, strict=True)]
    everyone = np.concatenate([one.sources for one in components])
    scores: list[list[Floats]] = []
    for setting in SETTINGS:
        evidence = evidence_under(problem, setting, everyone)
        row = []
        for one, sets, pool in zip(components, likely, pools, strict=True):
            under = dense(problem, evidence, one.sources, one.groups)
            row.append(_scores(under, pool, sets, setting))
        scores.append(row)
    constant = np.array([_noise_constant(problem, setting) for setting in SETTINGS])
    total = constant + np.array([sum(float(log_sum(part)) for part in row) for row in scores])
    belief = np.exp(total - log_sum(total))
    parts = []
    for at, (one, sets) in enumerate(zip(components, likely, strict=True)):
        by_setting = np.stack([np.exp(row[at] - log_sum(row[at])) for row in scores])
        parts.append(
            Weighed(
                component=one,
                sets=tuple(sets),
                weights=belief @ by_setting,
                by_setting=by_setting,
            )
        )
    return parts


def _likely(component: Component, pool: Pool | None) -> list[Members]:
    """Return the sets worth scoring exactly; where phones are shared, coalitions too."""
    sets = search(component).weightiest(_SETS_WITHIN, _MOST_SETS)
    if pool is None:
        return sets
    sets = list(dict.fromkeys([*sets, *propose(pool, component)]))
    scores = _scores(component, pool, sets, PLAIN)
    ranked = np.argsort(-scores, kind="stable")[:_MOST_SETS]
    return [sets[at] for at in ranked if scores[at] >= scores.max() - _SETS_WITHIN]


def _scores(
    component: Component, pool: Pool | None, sets: list[Members], setting: Setting
) -> Floats:
    """Score the sets; several sharers of phones may also have compared lists."""
    scorer = Scorer(component)
    plain = np.array([scorer.score(members) for members in sets])
    if pool is None:
        return plain
    for at, members in enumerate(sets):
        if len(members) >= 2:
            odds = float(component.odds[list(members)].sum())
            plain[at] = mix(plain[at], agnostic_score(pool, members, setting.noise) + odds)
    return plain


def _noise_constant(problem: Problem, setting: Setting) -> float:
    """Return the log probability of the number of coincidences under a noise factor."""
    expected = problem.displays.expected_chance
    seen = float((~problem.events.is_copy).sum())
    return seen * float(np.log(setting.noise)) - (setting.noise - 1.0) * expected


def _marginals(part: Weighed) -> tuple[Floats, Floats]:
    """Return each candidate's posterior, and its least over the settings."""
    holds = np.zeros((len(part.sets), len(part.component.sources)))
    for at, members in enumerate(part.sets):
        holds[at, list(members)] = 1.0
    return part.weights @ holds, (part.by_setting @ holds).min(axis=0)
