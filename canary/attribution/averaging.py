"""Search each piece, then average over what the operator does not know well.

Unknown within bounds are how much a monitor sees, how common coincidence is, and how many leakers
there are: none of them is known to better than a factor of two, and often it is just one.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.attribution.collusion import Pool, coalition_score, pool_of, propose
from canary.attribution.evidence import Bench, Evidence, evidence_under
from canary.attribution.model import PLAIN, SETTINGS, Problem, Setting, expected_noise
from canary.attribution.partition import Piece
from canary.attribution.search import Component, Members, Scorer, log_sum, search
from canary.attribution.world import Bools, Floats

# Means of the fifths of Gamma(2), over its mean: leakers there are, over leakers expected.
CROWDS = np.array([0.255, 0.549, 0.843, 1.23, 2.122])
# Belief, beforehand, that no more than one leaked: a leak mostly has one source.
LONE = 0.5
_SETS_WITHIN = 11.0
_MOST_SETS = 60
_MOST_PRIOR = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One component with its likely sets: posterior weights [sets] under the mixture."""

    component: Component
    sets: tuple[Members, ...]
    weights: Floats
    by_setting: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """The parts under the mixture, and what is left of everybody else.

    `outside` [sources] are the posteriors of those who needed no search, 0 for the others;
    `background` that no source explains anything in the parts, `none` that nobody leaked at all.
    """

    parts: tuple[Weighed, ...]
    outside: Floats
    background: float
    none: float


def average(
    problem: Problem, plain: Evidence, pieces: tuple[Piece, ...], outside: Floats, linked: Bools
) -> Average:
    """Search under the plain setting, then score the likely sets under every setting.

    `outside` are the log odds of the sources that need no search, -inf for the others; `linked`
    tells who could explain anything.
    """
    components, likely, scores = _score_all(problem, plain, pieces)
    scored = [np.stack([row[at] for row in scores]) for at in range(len(components))]
    noise = _noise_constants(problem)
    many = _let_any_leak(problem, noise, components, likely, scored, outside, linked)
    lone = _let_one_leak(problem, noise, likely, scored, outside, linked)
    total = np.concatenate(
        [many.total + np.log((1.0 - LONE) / len(CROWDS)), lone.total + np.log(LONE)], axis=1
    )
    belief = np.exp(total - log_sum(total.ravel()))
    of_many, of_lone = belief[:, : len(CROWDS)], belief[:, len(CROWDS) :]
    return Average(
        parts=tuple(
            _weighed(one, sets, np.concatenate(shares, axis=1), belief)
            for one, sets, *shares in zip(components, likely, many.shares, lone.shares, strict=True)
        ),
        outside=of_many.sum(axis=0) @ many.outside + of_lone[:, 0] @ lone.outside,
        background=float((of_many * many.background).sum() + (of_lone * lone.background).sum()),
        none=float((of_many * many.none).sum() + (of_lone * lone.none).sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What follows from one idea of how many leak; arrays are [settings, crowds].

    `shares`: for each component [settings, crowds, sets]; `outside`: posteriors [rows, sources].
    """

    total: Floats
    shares: list[Floats]
    outside: Floats
    background: Floats
    none: Floats


def _let_any_leak(
    problem: Problem,
    noise: Floats,
    components: list[Component],
    likely: list[tuple[Members, ...]],
    scored: list[Floats],
    outside: Floats,
    linked: Bools,
) -> _View:
    """Take the sources as independent of one another, in smaller and larger crowds of leakers."""
    shift = _odds_shift(problem.log_prior_odds)
    alone = outside + shift
    absent = -np.logaddexp(0.0, alone)
    total = noise[:, np.newaxis] - absent.sum(axis=1) + _log_nobody(problem, shift)
    shares: list[Floats] = []
    empty = np.ones_like(total)
    for component, sets, score in zip(components, likely, scored, strict=True):
        crowded = shift[:, component.sources] @ membership(sets, component).T
        weighed = score[:, np.newaxis] + crowded
        whole = np.asarray(log_sum(weighed, axis=2))
        total = total + whole
        shares.append(np.exp(weighed - whole[:, :, np.newaxis]))
        empty = empty * shares[-1][:, :, [not one for one in sets]].sum(axis=2)
    background = empty * np.exp(absent[:, linked].sum(axis=1))
    return _View(
        total=total,
        shares=shares,
        outside=_chance(alone),
        background=background,
        none=background * np.exp(absent[:, ~linked].sum(axis=1)),
    )


def _let_one_leak(
    problem: Problem,
    noise: Floats,
    likely: list[tuple[Members, ...]],
    scored: list[Floats],
    outside: Floats,
    linked: Bools,
) -> _View:
    """Take one source at most to have leaked, over all components."""
    nobody = np.zeros(1)
    total = noise - float(log_sum(np.concatenate([nobody, problem.log_prior_odds])))
    whole = np.full(len(noise), float(log_sum(np.concatenate([nobody, outside]))))
    gains: list[Floats] = []
    for sets, score in zip(likely, scored, strict=True):
        empty = score[:, sets.index(())]
        single = np.array([len(one) == 1 for one in sets])
        gains.append(np.where(single, score - empty[:, np.newaxis], -np.inf))
        whole = np.logaddexp(whole, np.logaddexp.reduce(gains[-1], axis=1))
        total = total + empty
    shares = [np.exp(gain - whole[:, np.newaxis]) for gain in gains]
    for sets, share in zip(likely, shares, strict=True):
        share[:, sets.index(())] = 1.0 - share.sum(axis=1)
    unlinked = float(log_sum(np.concatenate([nobody, outside[~linked]])))
    return _View(
        total=(total + whole)[:, np.newaxis],
        shares=[share[:, np.newaxis] for share in shares],
        outside=np.exp(outside - whole[:, np.newaxis]),
        background=np.exp(unlinked - whole)[:, np.newaxis],
        none=np.exp(-whole)[:, np.newaxis],
    )


def membership(sets: Sequence[Members], component: Component) -> Floats:
    """Return 1 where a set holds a row of the component, [sets, rows]."""
    holds = np.zeros((len(sets), len(component.sources)))
    for at, members in enumerate(sets):
        holds[at, list(members)] = 1.0
    return holds


def _weighed(
    component: Component, sets: tuple[Members, ...], share: Floats, belief: Floats
) -> Weighed:
    """Mix the shares [settings, crowds, sets] by belief [settings, crowds]."""
    mixed = belief[:, :, np.newaxis] * share
    of_setting = belief.sum(axis=1)[:, np.newaxis]
    return Weighed(
        component=component,
        sets=sets,
        weights=mixed.sum(axis=(0, 1)),
        by_setting=mixed.sum(axis=1) / np.maximum(of_setting, 1e-300),
    )


def _odds_shift(log_odds: Floats) -> Floats:
    """Return what each crowd adds to the log prior odds, [crowds, sources]."""
    prior = _chance(log_odds)
    crowded = np.minimum(CROWDS[:, np.newaxis] * prior, _MOST_PRIOR)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.log(crowded) - np.log1p(-crowded) - log_odds
    return np.where(np.isfinite(log_odds), shift, 0.0)


def _chance(log_odds: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def _log_nobody(problem: Problem, shift: Floats) -> Floats:
    """Return the log prior probability that nobody leaks, [crowds]."""
    return -np.asarray(np.logaddexp(0.0, problem.log_prior_odds + shift).sum(axis=1))


def _score_all(
    problem: Problem, plain: Evidence, pieces: tuple[Piece, ...]
) -> tuple[list[Component], list[tuple[Members, ...]], list[list[Floats]]]:
    """Return the components, their likely sets, and the scores of those under every setting."""
    bench = Bench(problem, plain)
    components = [bench.dense(one) for one in pieces]
    pools = [pool_of(problem, one) for one in components]
    likely = [_likely(one, pool) for one, pool in zip(components, pools, strict=True)]
    everyone = np.concatenate([np.zeros(0, dtype=np.int64), *(one.sources for one in pieces)])
    scores = [
        _score_pieces(
            problem,
            plain if setting is PLAIN else evidence_under(problem, setting, everyone),
            pieces,
            pools,
            likely,
        )
        for setting in SETTINGS
    ]
    return components, likely, scores


def _score_pieces(
    problem: Problem,
    evidence: Evidence,
    pieces: tuple[Piece, ...],
    pools: list[Pool | None],
    likely: list[tuple[Members, ...]],
) -> list[Floats]:
    bench = Bench(problem, evidence)
    return [
        _scores(bench.dense(piece), pool, sets, evidence.setting)
        for piece, pool, sets in zip(pieces, pools, likely, strict=True)
    ]


def _likely(component: Component, pool: Pool | None) -> tuple[Members, ...]:
    """Return the sets worth scoring exactly; where phones are shared, coalitions too."""
    sets = search(component).weightiest(_SETS_WITHIN, _MOST_SETS)
    if pool is not None:
        sets = list(dict.fromkeys([*sets, *propose(pool, component)]))
        scores = _scores(component, pool, sets, PLAIN)
        ranked = np.argsort(-scores, kind="stable")[:_MOST_SETS]
        sets = [sets[at] for at in ranked if scores[at] >= scores.max() - _SETS_WITHIN]
    return tuple(dict.fromkeys([*sets, *_parts_of(sets[0])]))


def _parts_of(members: Members) -> list[Members]:
    """Return all subsets: under another setting fewer leakers may explain the same."""
    return [
        chosen for size in range(len(members)) for chosen in itertools.combinations(members, size)
    ]


def _scores(
    component: Component, pool: Pool | None, sets: Sequence[Members], setting: Setting
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


def _noise_constants(problem: Problem) -> Floats:
    """Return the log probability of the number of coincidences, storms and strays, [settings]."""
    expected = expected_noise(problem)
    seen = float((~problem.events.is_copy).sum()) + len(problem.campaigns)
    noise = np.array([setting.noise for setting in SETTINGS])
    return np.asarray(seen * np.log(noise) - (noise - 1.0) * expected)
