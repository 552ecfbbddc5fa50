"""Leakers who compare lists: a mixture that does not assume what many holders do.

Given a set of leakers, phones fall into classes by how many of them hold it. Each class rings at
its own unknown rate, Beta(2, 1); ATTRIBUTION.md section 3 (collusion). Or they kept back one
class, what only one or what all of them hold, and passed on the rest like anybody. Scores are
log likelihood ratios against "background alone", like those of the noisy-OR.
"""

from dataclasses import dataclass

import numpy as np

from canary.attribution.delays import delay_density
from canary.attribution.model import Problem
from canary.attribution.search import Component, Members, log_sum
from canary.attribution.world import FULL, Floats

PRIOR = 0.3
_GRACE_LAGS = 3.0
_MOST_CANDIDATES = 700
_KEPT = 24
_LARGEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool of phones seen by one component's candidates.

    `holds` [C, P] as floats, `rung` [P], `lift` [P] log density of a leak over background,
    `quiet` the background's expected rings per silent phone, `table` log Beta-binomials [n, y].
    `rates` [L] are the chances that a listed phone rings, `log_weights` [L] their prior.
    """

    holds: Floats
    rung: Floats
    lift: Floats
    quiet: float
    table: Floats
    rates: Floats
    log_weights: Floats


def pool_of(problem: Problem, component: Component) -> Pool | None:
    """Return the component's phone pool; None where phones are not what links the candidates."""
    events = problem.events
    if problem.campaigns or not len(events) or not _only_phones(problem):
        return None
    world = problem.world
    phones = sorted({phone for phone in world.phones if phone})
    at_phone = {phone: at for at, phone in enumerate(phones)}
    column = np.array([at_phone.get(phone, -1) for phone in world.phones], dtype=np.int64)
    first = np.full(len(phones), world.end)
    np.minimum.at(first, column[events.matches[events.match_starts[:-1]]], events.time)
    rung = (first < world.end).astype(np.float64)
    holds, lift = _holdings(problem, component, column, first)
    spam = float(problem.background.min()) * world.hours
    most = int(holds.sum(axis=1).max(initial=0.0)) * _LARGEST
    return Pool(
        holds=holds,
        rung=rung,
        lift=np.where(rung > 0, lift, 0.0),
        quiet=spam,
        table=_beta_binomials(min(most, len(phones))),
        rates=problem.levels * world.operator.coverage.get("sms", 0.85),
        log_weights=problem.log_weights,
    )


def _only_phones(problem: Problem) -> bool:
    level = problem.events.level
    shared = np.diff(problem.events.match_starts).max(initial=0) > 1
    beside = (level[:, [0, 2, 3]] > 0).any()
    return bool(shared and (level[:, 1] == FULL).all() and not beside)


def _holdings(
    problem: Problem,
    component: Component,
    column: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    first: Floats,
) -> tuple[Floats, Floats]:
    world = problem.world
    row_of = np.full(world.n_sources, -1, dtype=np.int64)
    row_of[component.sources] = np.arange(len(component.sources))
    phone = column[world.exp_record]
    grace = _GRACE_LAGS * world.operator.since_log_lag_mean_h
    known = (row_of[world.exp_source] >= 0) & (phone >= 0)
    known &= world.exp_since <= first[phone] + grace
    rows, columns = row_of[world.exp_source[known]], phone[known]
    holds = np.zeros((len(component.sources), len(first)))
    holds[rows, columns] = 1.0
    density = delay_density(first[columns] - world.exp_since[known], world.operator)
    total, count = np.zeros(len(first)), np.zeros(len(first))
    np.add.at(total, columns, density)
    np.add.at(count, columns, 1.0)
    mean = total / np.maximum(count, 1.0)
    background = float(problem.background.min())
    return holds, np.log(np.maximum(mean, 1e-12) / background)


def _beta_binomials(most: int) -> Floats:
    """Tabulate log of the mean over Beta(2, 1) of s^y (1-s)^(n-y): B(y+2, n-y+1) / B(2, 1)."""
    steps = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, most + 4.0)))])
    n, y = np.meshgrid(np.arange(most + 1), np.arange(most + 1), indexing="ij")
    silent = np.maximum(n - y, 0)
    table = np.log(2.0) + steps[y + 1] + steps[silent] - steps[n + 2]
    return np.where(y <= n, table, -np.inf)


def agnostic_score(pool: Pool, members: Members, noise: float = 1.0) -> float:
    """Return the log likelihood ratio of a set whose members may have compared lists."""
    count = pool.holds[list(members)].sum(axis=0).astype(np.int64)
    held = count > 0
    rung = pool.rung > 0
    score = float((pool.lift - np.log(noise))[held & rung].sum())
    score += noise * pool.quiet * float((held & ~rung).sum())
    for shared in range(1, len(members) + 1):
        of_class = count == shared
        score += float(pool.table[int(of_class.sum()), int((of_class & rung).sum())])
    return score


def keeping_back_score(pool: Pool, members: Members, kept: int, noise: float = 1.0) -> float:
    """Return the log likelihood ratio of a set that kept back the phones `kept` of them hold."""
    count = pool.holds[list(members)].sum(axis=0).astype(np.int64)
    passed = (count > 0) & (count != kept)
    rung = pool.rung > 0
    score = float((pool.lift - np.log(noise))[passed & rung].sum())
    score += noise * pool.quiet * float((passed & ~rung).sum())
    likelihood = pool.log_weights.copy()
    for shared in range(1, len(members) + 1):
        of_class = passed & (count == shared)
        heard = float((of_class & rung).sum())
        silent = float(of_class.sum()) - heard
        missed = shared * np.log1p(-pool.rates)
        likelihood += silent * missed + heard * np.log(-np.expm1(missed))
    return score + float(log_sum(likelihood))


def propose(pool: Pool, component: Component) -> list[Members]:
    """Return likely sets of two and more under the mixture, best first."""
    alone = np.array([agnostic_score(pool, (row,)) for row in range(len(pool.holds))])
    rows = np.argsort(-(alone + component.odds), kind="stable")[:_MOST_CANDIDATES]
    beam = [
        tuple(sorted((int(rows[a]), int(rows[b])))) for a, b in _best_pairs(pool, component, rows)
    ]
    found = list(beam)
    for _ in range(_LARGEST - 2):
        grown: dict[Members, float] = {}
        for members in beam[: _KEPT // 2]:
            scores = _grow(pool, members) + component.odds
            scores[list(members)] = -np.inf
            base = float(component.odds[list(members)].sum())
            for one in np.argsort(-scores, kind="stable")[:6].tolist():
                grown[tuple(sorted({*members, one}))] = float(scores[one]) + base
        beam = sorted(grown, key=lambda members: (-grown[members], members))[:_KEPT]
        found += beam
    return found


def _best_pairs(
    pool: Pool, component: Component, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> list[tuple[int, int]]:
    holds = pool.holds[rows]
    heard = holds * pool.rung
    n_both = (holds @ holds.T).astype(np.int64)
    y_both = (heard @ holds.T).astype(np.int64)
    size, seen = holds.sum(axis=1).astype(np.int64), heard.sum(axis=1).astype(np.int64)
    n_one = size[:, np.newaxis] + size[np.newaxis] - 2 * n_both
    y_one = seen[:, np.newaxis] + seen[np.newaxis] - 2 * y_both
    lift = heard @ pool.lift
    joint = lift[:, np.newaxis] + lift[np.newaxis] - (heard * pool.lift) @ holds.T
    odds = component.odds[rows]
    score = pool.table[n_both, y_both] + pool.table[n_one, y_one] + joint
    score += odds[:, np.newaxis] + odds[np.newaxis]
    score += pool.quiet * (n_one + n_both - y_one - y_both)
    score[np.tril_indices(len(rows))] = -np.inf
    best = np.argsort(-score, axis=None, kind="stable")[:_KEPT]
    pairs = [divmod(int(at), len(rows)) for at in best]
    return [pair for pair in pairs if np.isfinite(score[pair])]


def _grow(pool: Pool, members: Members) -> Floats:
    """Score every set with one member more."""
    count = pool.holds[list(members)].sum(axis=0).astype(np.int64)
    score = np.zeros(len(pool.holds))
    held = count > 0
    score += (pool.lift * held).sum() + pool.holds @ (pool.lift * ~held)
    silent = 1.0 - pool.rung
    score += pool.quiet * ((silent * held).sum() + pool.holds @ (silent * ~held))
    for shared in range(1, len(members) + 2):
        stays = (count == shared).astype(np.float64)
        comes = (count == shared - 1).astype(np.float64)
        n = stays.sum() - pool.holds @ stays + pool.holds @ comes
        y = (stays * pool.rung).sum() + pool.holds @ ((comes - stays) * pool.rung)
        score += pool.table[np.rint(n).astype(np.int64), np.rint(y).astype(np.int64)]
    return score


def coalition_score(
    pool: Pool, members: Members, noisy_or: float, odds: float, noise: float
) -> float:
    """Mix the ways in which several leakers may behave; `odds` are the log prior odds of the set.

    `noisy_or` is their log weight if each passed on its list for itself, prior odds included.
    """
    together = [agnostic_score(pool, members, noise)]
    together += [keeping_back_score(pool, members, kept, noise) for kept in {1, len(members)}]
    alike = float(log_sum(np.array(together))) - np.log(len(together))
    return float(np.logaddexp(np.log1p(-PRIOR) + noisy_or, np.log(PRIOR) + alike + odds))
