"""Plan a programme: phone codes that tell sources apart, and what present placements cannot.

Formulas and measured sizes: ATTRIBUTION.md section 3.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.attribution.world import Bools, Floats, Ints, World

_BEST_DENSITY = {1: 0.48, 2: 0.31, 3: 0.235, 4: 0.19, 5: 0.155}
_WIDTH = 64
_MOST_LEAKERS = 8
_LEAST_CHANCE = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How phones answer: `s` a leaker's list rings a phone, `phi` it rings anyway (per window)."""

    s: float
    phi: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A measured share and its standard error."""

    mean: float
    error: float
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Two sources that hold nearly the same baits; only `hours_apart` can separate them."""

    first: str
    second: str
    shared: int
    held: int
    hours_apart: float


def phones_per_source(n_phones: int, leakers: int) -> int:
    """Return the column weight of best mutual information, at least one phone."""
    density = _BEST_DENSITY.get(leakers, 0.78 / max(leakers, 1))
    return max(1, min(n_phones, round(density * n_phones)))


def design_code(n_sources: int, n_phones: int, per_source: int, rng: np.random.Generator) -> Bools:
    """Give every source `per_source` distinct phones with balanced loads, [sources, phones]."""
    if not 1 <= per_source <= n_phones:
        raise ValueError("per_source must lie between 1 and n_phones")
    decks = math.ceil(n_sources * per_source / n_phones)
    deck = rng.permuted(np.tile(np.arange(n_phones), (decks, 1)), axis=1).ravel()
    rows = np.sort(deck[: n_sources * per_source].reshape(n_sources, per_source), axis=1)
    clashing = np.flatnonzero((np.diff(rows, axis=1) == 0).any(axis=1))
    for at in clashing.tolist():
        rows[at] = rng.choice(n_phones, per_source, replace=False)
    code = np.zeros((n_sources, n_phones), dtype=np.bool_)
    code[np.arange(n_sources)[:, np.newaxis], rows] = True
    return code


def decode(
    code: Bools, rung: Bools, noise: Noise, expected_leakers: float = 1.5
) -> tuple[int, ...]:
    """Return the likeliest set of leakers, their number unknown; a beam over whole sets."""
    holds = code.astype(np.float32)
    table = _log_chances(noise)
    prior = math.log(expected_leakers / len(code))
    counts = np.zeros((1, code.shape[1]), dtype=np.int64)
    beam: list[tuple[int, ...]] = [()]
    best: tuple[int, ...] = ()
    best_score, stale = float(_likelihood(table, counts, rung)[0]), 0
    for size in range(1, _MOST_LEAKERS + 1):
        beam, counts, scores = _grow(holds, rung, table, beam, counts)
        if not beam:
            break
        top = float(scores[0]) + prior * size
        if top > best_score:
            best, best_score, stale = beam[0], top, 0
        else:
            stale += 1
        if stale >= 2:
            break
    return best


def _log_chances(noise: Noise) -> Floats:
    """Tabulate log P(rung = y | m holders leak), [y, m]."""
    holders = np.arange(_MOST_LEAKERS + 3)
    ring = 1.0 - (1.0 - noise.phi) * (1.0 - noise.s) ** holders
    ring = np.clip(ring, _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
    return np.stack([np.log1p(-ring), np.log(ring)])


def _likelihood(table: Floats, counts: Ints, rung: Bools) -> Floats:
    return np.asarray(table[rung.astype(np.int64), counts].sum(axis=1))


def _grow(
    holds: "np.ndarray[tuple[int, int], np.dtype[np.float32]]",
    rung: Bools,
    table: Floats,
    beam: list[tuple[int, ...]],
    counts: Ints,
) -> tuple[list[tuple[int, ...]], Ints, Floats]:
    """Extend every set of the beam by its best candidates and keep the widest."""
    answer = rung.astype(np.int64)
    gain = (table[answer, counts + 1] - table[answer, counts]).astype(np.float32)
    scores = holds @ gain.T
    scores += _likelihood(table, counts, rung).astype(np.float32)
    found: dict[tuple[int, ...], float] = {}
    for at, members in enumerate(beam):
        column = scores[:, at]
        column[list(members)] = -np.inf
        few = min(_WIDTH, len(column) - 1)
        for one in np.argpartition(-column, few)[: few + 1].tolist():
            if np.isfinite(column[one]):
                found[tuple(sorted((*members, one)))] = float(column[one])
    ranked = sorted(found, key=lambda members: (-found[members], members))[:_WIDTH]
    grown = np.array([holds[list(members)].sum(axis=0) for members in ranked])
    kept = np.array([found[members] for members in ranked])
    return ranked, grown.reshape(len(ranked), len(rung)).astype(np.int64), kept


def success_rate(
    *,
    n_sources: int,
    n_phones: int,
    leakers: int,
    noise: Noise,
    trials: int,
    rng: np.random.Generator,
    per_source: int | None = None,
) -> Rate:
    """Measure how often the exact set of leakers is decoded."""
    weight = per_source or phones_per_source(n_phones, leakers)
    right = 0
    code = design_code(n_sources, n_phones, weight, rng)
    for trial in range(trials):
        if trial % 20 == 19:
            code = design_code(n_sources, n_phones, weight, rng)
        guilty = np.sort(rng.choice(n_sources, leakers, replace=False))
        silent = (1.0 - noise.phi) * (1.0 - noise.s) ** code[guilty].sum(axis=0)
        rung = rng.random(n_phones) >= silent
        right += decode(code, rung, noise) == tuple(guilty.tolist())
    mean = right / trials
    return Rate(mean=mean, error=standard_error(mean, trials), trials=trials)


def standard_error(share: float, trials: int) -> float:
    """Return the standard error of a share of trials; never less than one trial would move it."""
    return math.sqrt(max(share * (1.0 - share), 1.0 / trials) / trials)


def find_twins(world: World, overlap: float = 0.9) -> tuple[Twins, ...]:
    """Return the pairs of sources the present placements can hardly tell apart."""
    order = np.lexsort((world.exp_source, world.exp_record))
    record, source = world.exp_record[order], world.exp_source[order]
    since = world.exp_since[order]
    held = np.bincount(world.exp_source, minlength=world.n_sources)
    keys, gaps = _shared_pairs(record, source, since, world.n_sources)
    pairs, inverse, shared = np.unique(keys, return_inverse=True, return_counts=True)
    first, second = pairs // world.n_sources, pairs % world.n_sources
    close = shared >= overlap * np.maximum(held[first], held[second])
    mean_gap = np.bincount(inverse, weights=gaps, minlength=len(pairs)) / np.maximum(shared, 1)
    return tuple(
        Twins(
            first=world.source_ids[first[at]],
            second=world.source_ids[second[at]],
            shared=int(shared[at]),
            held=int(max(held[first[at]], held[second[at]])),
            hours_apart=float(mean_gap[at]),
        )
        for at in np.flatnonzero(close).tolist()
    )


def _shared_pairs(record: Ints, source: Ints, since: Floats, n_sources: int) -> tuple[Ints, Floats]:
    """List every pair of holders of one record, as keys, with their times apart."""
    keys: list[Ints] = []
    gaps: list[Floats] = []
    for step in range(1, len(record)):
        same = np.flatnonzero(record[step:] == record[:-step])
        if not len(same):
            break
        distinct = same[source[same] != source[same + step]]
        keys.append(source[distinct] * n_sources + source[distinct + step])
        gaps.append(np.abs(since[distinct] - since[distinct + step]))
    nothing = np.zeros(0, dtype=np.int64)
    return np.concatenate([nothing, *keys]), np.concatenate([np.zeros(0), *gaps])


def find_same_codes(code: Bools) -> Sequence[tuple[int, ...]]:
    """Return groups of sources that were given exactly the same phones."""
    packed = np.packbits(code, axis=1)
    _, inverse, counts = np.unique(packed, axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.reshape(-1)
    return [tuple(np.flatnonzero(inverse == one).tolist()) for one in np.flatnonzero(counts > 1)]
