"""What to seed next: the smallest set of baits, or phones, that should settle what is open.

Information gain orders experiments (ATTRIBUTION.md section 5); the decision uses the posterior.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.attribution.answer import Step
from canary.attribution.averaging import Weighed
from canary.attribution.exclusions import held_in_time
from canary.attribution.search import Members
from canary.attribution.weigh import Weighing
from canary.attribution.world import Bools, Floats

_OPEN_FROM = 0.02
_SETTLED = 0.95
_MOST_SUSPECTS = 10
_MOST_HYPOTHESES = 250
_MOST_PHONES = 5
_WORTH_BITS = 0.01
_SPAM = 0.02


def baits_for_detection(leak_fraction: float, coverage: float, power: float = _SETTLED) -> int:
    """Return how many exclusive baits show a leaker at least once with this power.

    n = ln(1 - power) / ln(1 - q c), ATTRIBUTION.md section 5.
    """
    chance = min(max(leak_fraction * coverage, 1e-9), 0.999)
    return max(1, math.ceil(math.log(1.0 - power) / math.log1p(-chance)))


def gain_of_subsets(
    sets: Sequence[Members], weights: Floats, subsets: Bools, s: float, phi: float
) -> float:
    """Return the expected information in bits of giving phone j to the suspects in subsets[j].

    `sets` are hypotheses (rows of suspects) with `weights`; all outcomes are enumerated.
    """
    member = np.zeros((len(sets), subsets.shape[1]))
    for at, one in enumerate(sets):
        member[at, list(one)] = 1.0
    return _gain(_ring_chances(member, subsets, s, phi), weights)


def _ring_chances(member: Floats, subsets: Bools, s: float, phi: float) -> Floats:
    holders = member @ subsets.T
    return np.asarray(1.0 - (1.0 - phi) * (1.0 - s) ** holders)


def _gain(ring: Floats, weights: Floats) -> float:
    """Return H(sum w P) - sum w H(P) over all outcomes; `ring` is [hypotheses, phones]."""
    outcomes = np.ones((len(ring), 1))
    for at in range(ring.shape[1]):
        chance = ring[:, at : at + 1]
        outcomes = np.concatenate([outcomes * chance, outcomes * (1.0 - chance)], axis=1)
    mixed = weights @ outcomes
    return float(_entropy(mixed) - weights @ _entropy(ring, two_sided=True))


def _entropy(values: Floats, *, two_sided: bool = False) -> Floats:
    """Return the entropy in bits, of one distribution or of independent coins per row."""
    safe = np.clip(values, 1e-300, 1.0)
    if not two_sided:
        return np.asarray(-(values * np.log2(safe)).sum())
    other = np.clip(1.0 - values, 1e-300, 1.0)
    return np.asarray(-(values * np.log2(safe) + (1.0 - values) * np.log2(other)).sum(axis=1))


def propose_phone_code(
    sets: Sequence[Members],
    weights: Floats,
    n_suspects: int,
    n_phones: int,
    *,
    s: float,
    phi: float,
) -> tuple[Bools, float]:
    """Choose which suspects get which of `n_phones` new phones, and the bits expected.

    Greedy phone by phone, then bit flips over the whole code, from several starts.
    """
    member = np.zeros((len(sets), n_suspects))
    for at, one in enumerate(sets):
        member[at, list(one)] = 1.0
    best, best_gain = np.zeros((n_phones, n_suspects), dtype=np.bool_), 0.0
    for start in _starts(member, weights, n_phones):
        code, gain = _climb(member, weights, start, s, phi)
        if gain > best_gain + 1e-12:
            best, best_gain = code, gain
    return best, best_gain


def _starts(member: Floats, weights: Floats, n_phones: int) -> list[Bools]:
    """Return starting codes: binary numbers by rank, single suspects, interleaved halves."""
    n_suspects = member.shape[1]
    rank = np.argsort(np.argsort(-(weights @ member), kind="stable"), kind="stable")
    phones = np.arange(n_phones)[:, np.newaxis]
    binary = ((rank[np.newaxis] + 1) >> (phones % 16)) & 1
    gray = ((rank[np.newaxis] ^ (rank[np.newaxis] >> 1)) >> (phones % 16)) & 1
    single = rank[np.newaxis] == phones
    thirds = (rank[np.newaxis] + phones) % 3 == 0
    below = rank[np.newaxis] <= phones * max(1, n_suspects // (n_phones + 1))
    return [np.asarray(one, dtype=np.bool_) for one in (binary, gray, single, thirds, below)]


def _climb(
    member: Floats, weights: Floats, start: Bools, s: float, phi: float
) -> tuple[Bools, float]:
    """Flip single bits, then swap pairs of bits of one phone, while the gain grows."""
    code = start.copy()
    ring = _ring_chances(member, code, s, phi)
    gain = _gain(ring, weights)
    improved = True
    while improved:
        improved = False
        for phone in range(len(code)):
            for flips in _moves(code.shape[1]):
                code[phone, flips] ^= True
                before = ring[:, phone].copy()
                ring[:, phone] = _ring_chances(member, code[phone : phone + 1], s, phi)[:, 0]
                trial = _gain(ring, weights)
                if trial > gain + 1e-9:
                    gain, improved = trial, True
                else:
                    code[phone, flips] ^= True
                    ring[:, phone] = before
    return code, gain


def _moves(n_suspects: int) -> list[list[int]]:
    pairs = [[a, b] for a in range(n_suspects) for b in range(a + 1, n_suspects)]
    return [[one] for one in range(n_suspects)] + (pairs if n_suspects <= _MOST_SUSPECTS else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """The open suspects with the hypotheses about them."""

    suspects: tuple[int, ...]
    sets: tuple[Members, ...]
    weights: Floats


def next_steps(weighing: Weighing, named: Sequence[int]) -> tuple[Step, ...]:
    """Propose exclusive baits for as few suspects as settle the question, and a phone code."""
    question = _open_question(weighing, named)
    if question is None:
        return ()
    steps = [_exclusive_step(weighing, question)]
    channels = {site.channel for site in weighing.problem.world.sites}
    if "sms" in channels and len(question.suspects) > 2:
        steps.append(_phone_step(weighing, question))
    return tuple(one for one in steps if one.gain_bits >= _WORTH_BITS)


def _open_question(weighing: Weighing, named: Sequence[int]) -> _Question | None:
    posterior = weighing.posterior
    ranked = [int(one) for one in np.argsort(-posterior, kind="stable")[: _MOST_SUSPECTS * 2]]
    held = held_in_time(weighing.problem)
    still_open = [
        one for one in ranked if held[one] and posterior[one] >= _OPEN_FROM and one not in named
    ]
    if not still_open:
        return None
    suspects = tuple(still_open[:_MOST_SUSPECTS])
    sets: list[Members] = [()]
    weights = np.ones(1)
    for part in weighing.parts:
        sets, weights = _join(sets, weights, part, suspects)
    return _Question(suspects=suspects, sets=tuple(sets), weights=weights)


def _join(
    sets: list[Members], weights: Floats, part: Weighed, suspects: tuple[int, ...]
) -> tuple[list[Members], Floats]:
    """Multiply the hypotheses so far with those of another component, suspects only."""
    place = {source: at for at, source in enumerate(suspects)}
    local: dict[Members, float] = {}
    for members, weight in zip(part.sets, part.weights.tolist(), strict=True):
        kept = tuple(
            place[source]
            for one in members
            if (source := int(part.component.sources[one])) in place
        )
        local[kept] = local.get(kept, 0.0) + weight
    if set(local) == {()}:
        return sets, weights
    joined: dict[Members, float] = {}
    for members, weight in zip(sets, weights.tolist(), strict=True):
        for kept, share in local.items():
            key = tuple(sorted(members + kept))
            joined[key] = joined.get(key, 0.0) + weight * share
    ranked = sorted(joined, key=lambda members: (-joined[members], members))[:_MOST_HYPOTHESES]
    values = np.array([joined[members] for members in ranked])
    return ranked, values / values.sum()


def _exclusive_step(weighing: Weighing, question: _Question) -> Step:
    """Give own baits to suspects one by one, until little more is to be learnt."""
    problem = weighing.problem
    mean_q = float(np.exp(problem.log_weights) @ problem.levels)
    channels = {site.channel for site in problem.world.sites}
    coverage = max((problem.world.operator.coverage.get(one, 0.3) for one in channels), default=0.3)
    baits = baits_for_detection(mean_q, coverage)
    power = 1.0 - (1.0 - mean_q * coverage) ** baits
    whole = np.eye(len(question.suspects), dtype=np.bool_)
    most = gain_of_subsets(question.sets, question.weights, whole, power, 0.0)
    chosen: list[int] = []
    gain = 0.0
    while len(chosen) < len(question.suspects) and gain < _SETTLED * most:
        left = [one for one in range(len(whole)) if one not in chosen]
        gains = [
            gain_of_subsets(question.sets, question.weights, whole[[*chosen, one]], power, 0.0)
            for one in left
        ]
        at = int(np.argmax(gains))
        chosen.append(left[at])
        gain = gains[at]
    sources = tuple(question.suspects[one] for one in chosen)
    leaking = sum(float(weighing.posterior[one]) for one in sources)
    return Step(
        kind="exclusive_baits",
        sources=tuple(problem.world.source_ids[one] for one in sources),
        baits=baits,
        gain_bits=gain,
        expected_sightings=leaking * baits * mean_q * coverage,
        subsets=(),
    )


def _phone_step(weighing: Weighing, question: _Question) -> Step:
    """Spread a few new phones over the suspects in different combinations."""
    problem = weighing.problem
    coverage = problem.world.operator.coverage.get("sms", 0.85)
    rings = float(np.exp(problem.log_weights) @ problem.levels) * coverage
    n_phones = min(_MOST_PHONES, 1 + math.ceil(math.log2(len(question.suspects) + 1)))
    spam = max(problem.world.operator.spam_events_per_phone_per_window, _SPAM)
    code, gain = propose_phone_code(
        question.sets,
        question.weights,
        len(question.suspects),
        n_phones,
        s=rings,
        phi=1.0 - math.exp(-spam),
    )
    ids = [problem.world.source_ids[one] for one in question.suspects]
    leaking = sum(float(weighing.posterior[one]) for one in question.suspects)
    return Step(
        kind="phone_code",
        sources=tuple(ids),
        baits=n_phones,
        gain_bits=gain,
        expected_sightings=leaking * rings * float(code.sum()) / max(1, len(ids)),
        subsets=tuple(
            tuple(name for name, given in zip(ids, row, strict=True) if given)
            for row in code.tolist()
        ),
    )
