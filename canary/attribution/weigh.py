"""From a problem to posteriors: screen, split, search, average over what is not known well."""

from dataclasses import dataclass

import numpy as np

from canary.attribution.campaigns import campaign_links
from canary.attribution.collusion import Pool, coalition_score, pool_of, propose
from canary.attribution.model import (
    PLAIN,
    SETTINGS,
    Links,
    Problem,
    Setting,
    explanations,
    silence,
)
from canary.attribution.partition import Piece, partition
from canary.attribution.search import Component, Members, Scorer, log_sum, search
from canary.attribution.world import Bools, Floats, Ints

SCREEN_NATS = -9.0
LEAST_GAIN = 0.1
_SETS_WITHIN = 11.0
_MOST_SETS = 60
_LARGEST_RATIO = 1e30
_STRONG = 2.0
_MOST_STRONG = 24
_LEAST_ERROR_RATE = 1e-4
_TELLING = 0.05


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

    @property
    def gain(self) -> Floats:
        """Return what the evidence says for each source were it alone, in nats; -inf: no baits."""
        odds = self.problem.log_prior_odds
        return np.where(
            np.isfinite(odds), self.bound - np.where(np.isfinite(odds), odds, 0.0), -np.inf
        )


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
    divided = partition(
        problem,
        with_log_errors(problem, evidence.links, _strongest(candidate, bound)),
        evidence.base + problem.log_weights[np.newaxis],
        bound,
        candidate,
    )
    parts = _average(problem, evidence, divided.pieces)
    settled = np.flatnonzero(~np.isnan(divided.settled))
    posterior[settled] = _alone(divided.settled[settled])
    worst[settled] = posterior[settled]
    background = float(np.prod(1.0 - posterior[settled]))
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


def _strongest(candidate: Bools, bound: Floats) -> Ints:
    """Return the few candidates that would be suspects on their own, likeliest first."""
    strong = np.flatnonzero(candidate & (bound > _STRONG))
    return strong[np.argsort(-bound[strong], kind="stable")[:_MOST_STRONG]]


def with_log_errors(problem: Problem, links: Links, strong: Ints) -> Links:
    """Link likely leakers to what others of their stage were logged for, at the error rate.

    Without this an innocent the log names by mistake would be judged apart from the leaker.
    Stages so large that the rate per source is negligible are left out.
    """
    n_stages = len(problem.stage_sizes)
    cells, inverse = np.unique(
        links.group * n_stages + problem.stage_of[links.source], return_inverse=True
    )
    summed = np.zeros((len(cells), links.ratio.shape[1]))
    np.add.at(summed, inverse, links.ratio)
    rate = problem.world.operator.custody_log_error_rate / problem.stage_sizes[cells % n_stages]
    summed *= rate[:, np.newaxis]
    telling = np.flatnonzero(
        (summed.max(axis=1, initial=0.0) > _TELLING) & (rate > _LEAST_ERROR_RATE)
    )
    source = np.repeat(strong, len(telling))
    cell = np.tile(telling, len(strong))
    same = problem.stage_of[source] == cells[cell] % n_stages
    source, cell = source[same], cell[same]
    known = np.isin(
        source * problem.n_groups + cells[cell] // n_stages,
        links.source * problem.n_groups + links.group,
    )
    source, cell = source[~known], cell[~known]
    return Links(
        source=np.concatenate([links.source, source]),
        group=np.concatenate([links.group, cells[cell] // n_stages]),
        ratio=np.concatenate([links.ratio, summed[cell]]),
    )


def _alone(bound: Floats) -> Floats:
    """Return the posterior of sources that share no evidence with anyone."""
    odds = np.exp(np.minimum(bound, 50.0))
    share: Floats = odds / (1.0 + odds)
    return share


class Bench:
    """The evidence of one setting, with its links in order of group, ready to be cut."""

    def __init__(self, problem: Problem, evidence: Evidence) -> None:
        self.problem, self.evidence = problem, evidence
        links = evidence.links
        order = np.argsort(links.group, kind="stable")
        self._order = order
        self._starts = np.searchsorted(links.group[order], np.arange(problem.n_groups + 1))

    def links_to(self, groups: Ints) -> Ints:
        """Return the rows of all links to these groups."""
        runs = [self._order[self._starts[one] : self._starts[one + 1]] for one in groups.tolist()]
        return np.concatenate(runs) if runs else np.zeros(0, dtype=np.int64)

    def dense(self, piece: Piece) -> Component:
        """Lay a piece out as arrays, errors of the custody log included."""
        problem, links = self.problem, self.evidence.links
        near = self.links_to(piece.groups)
        column = np.searchsorted(piece.groups, links.group[near])
        row = np.searchsorted(piece.sources, links.source[near])
        row = np.minimum(row, len(piece.sources) - 1)
        inside = piece.sources[row] == links.source[near]
        ratio = np.zeros((len(piece.sources), len(problem.levels), len(piece.groups)))
        ratio[row[inside], :, column[inside]] = links.ratio[near[inside]]
        ratio += self._log_errors(piece, near, column, ratio)
        return Component(
            sources=piece.sources,
            groups=piece.groups,
            ratio=np.minimum(ratio, _LARGEST_RATIO),
            base=self.evidence.base[piece.sources] + problem.log_weights[np.newaxis],
            odds=problem.log_prior_odds[piece.sources],
            floor=self._floor(piece, near, column),
        )

    def _floor(self, piece: Piece, near: Ints, column: Ints) -> Floats:
        """Return what background and the fixed sources explain of each group."""
        floor = np.ones(len(piece.groups))
        level_of = dict(piece.fixed)
        for at, where in zip(near.tolist(), column.tolist(), strict=True) if level_of else ():
            level = level_of.get(int(self.evidence.links.source[at]))
            if level is not None:
                floor[where] += self.evidence.links.ratio[at, level]
        return np.minimum(floor, _LARGEST_RATIO)

    def _log_errors(self, piece: Piece, near: Ints, column: Ints, ratio: Floats) -> Floats:
        """Let a source of the same stage explain what it was not logged for, at a small rate."""
        problem, links = self.problem, self.evidence.links
        stages, stage_of = np.unique(problem.stage_of[piece.sources], return_inverse=True)
        place = np.searchsorted(stages, problem.stage_of[links.source[near]])
        place = np.minimum(place, len(stages) - 1)
        same = stages[place] == problem.stage_of[links.source[near]]
        by_stage = np.zeros((len(stages), ratio.shape[1], ratio.shape[2]))
        where = (place[same][:, np.newaxis], np.arange(ratio.shape[1]), column[same][:, np.newaxis])
        np.add.at(by_stage, where, links.ratio[near[same]])
        rate = problem.world.operator.custody_log_error_rate / problem.stage_sizes[stages]
        extra = rate[:, np.newaxis, np.newaxis] * by_stage
        return np.where(ratio > 0, 0.0, extra[stage_of])


def _average(problem: Problem, plain: Evidence, pieces: tuple[Piece, ...]) -> list[Weighed]:
    """Search under the plain setting, then score the likely sets under every setting."""
    if not pieces:
        return []
    bench = Bench(problem, plain)
    components = [bench.dense(one) for one in pieces]
    pools = [pool_of(problem, one) for one in components]
    likely = [_likely(one, pool) for one, pool in zip(components, pools, strict=True)]
    scores = [_score_pieces(problem, plain, pieces, pools, likely)]
    everyone = np.concatenate([one.sources for one in pieces])
    for setting in SETTINGS[1:]:
        evidence = evidence_under(problem, setting, everyone)
        scores.append(_score_pieces(problem, evidence, pieces, pools, likely))
    constant = np.array([_noise_constant(problem, setting) for setting in SETTINGS])
    total = constant + np.array([sum(float(log_sum(part)) for part in row) for row in scores])
    belief = np.exp(total - log_sum(total))
    parts = []
    for at, (one, sets) in enumerate(zip(components, likely, strict=True)):
        by_setting = np.stack([np.exp(row[at] - log_sum(row[at])) for row in scores])
        weights = belief @ by_setting
        parts.append(
            Weighed(component=one, sets=tuple(sets), weights=weights, by_setting=by_setting)
        )
    return parts


def _score_pieces(
    problem: Problem,
    evidence: Evidence,
    pieces: tuple[Piece, ...],
    pools: list[Pool | None],
    likely: list[list[Members]],
) -> list[Floats]:
    bench = Bench(problem, evidence)
    return [
        _scores(bench.dense(piece), pool, sets, evidence.setting)
        for piece, pool, sets in zip(pieces, pools, likely, strict=True)
    ]


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
            plain[at] = coalition_score(pool, members, plain[at], odds, setting.noise)
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
