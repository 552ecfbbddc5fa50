"""Published methods, for comparison and for the examples of their papers.

Guilt model: Papadimitriou & Garcia-Molina, "Data Leakage Detection" (2011). Group testing:
COMP, DD and SCOMP (Aldridge, Baldassini & Johnson 2014).
"""

from collections.abc import Mapping, Set

import numpy as np

from canary.attribution.world import Bools, Floats

Holdings = Mapping[str, Set[str]]


def guilt(holdings: Holdings, leaked: Set[str], p: float) -> dict[str, float]:
    """Return Pr{G_i | S} = 1 - prod over t in S and R_i of (1 - (1 - p) / |V_t|).

    `p` is the chance that an object was guessed rather than leaked.
    """
    holders = {one: sum(one in held for held in holdings.values()) for one in leaked}
    found = {}
    for agent, held in holdings.items():
        innocent = 1.0
        for one in leaked & held:
            innocent *= 1.0 - (1.0 - p) / holders[one]
        found[agent] = 1.0 - innocent
    return found


def guilt_differences(holdings: Holdings, p: float) -> dict[tuple[str, str], float]:
    """Return Delta(i, j) = Pr{G_i | R_i} - Pr{G_j | R_i} for every ordered pair."""
    found = {}
    for agent, held in holdings.items():
        odds = guilt(holdings, held, p)
        for other in holdings:
            if other != agent:
                found[agent, other] = odds[agent] - odds[other]
    return found


def overlap_sum(holdings: Holdings) -> float:
    """Return the sum objective: over agents, shared objects with the others by own size."""
    return sum(
        sum(len(held & other) for name, other in holdings.items() if name != agent) / len(held)
        for agent, held in holdings.items()
        if held
    )


def next_fake_object(holdings: Holdings) -> str:
    """Choose whom to give a fake object: argmax of (1/|R| - 1/(|R|+1)) sum |R and R_j|."""

    def worth(agent: str) -> float:
        held = holdings[agent]
        shared = sum(len(held & other) for name, other in holdings.items() if name != agent)
        return (1.0 / len(held) - 1.0 / (len(held) + 1)) * shared if held else 0.0

    return max(sorted(holdings), key=worth)


def comp(holds: Bools, positive: Bools) -> Bools:
    """Accuse everybody none of whose tests is negative; `holds` is [sources, tests]."""
    return np.asarray(~(holds & ~positive).any(axis=1) & holds.any(axis=1))


def dd(holds: Bools, positive: Bools) -> Bools:
    """Accuse who alone can explain some positive test."""
    possible = comp(holds, positive)
    alone = (holds[possible].sum(axis=0) == 1) & positive
    definite = np.zeros(len(holds), dtype=np.bool_)
    definite[possible] = (holds[possible] & alone).any(axis=1)
    return definite


def scomp(holds: Bools, positive: Bools) -> Bools:
    """Extend DD greedily until every positive test that can be explained is."""
    possible, chosen = comp(holds, positive), dd(holds, positive)
    while True:
        open_tests = positive & ~holds[chosen].any(axis=0)
        gain = (holds & open_tests).sum(axis=1) * (possible & ~chosen)
        if gain.max(initial=0) == 0:
            return chosen
        chosen[int(np.argmax(gain))] = True


def naive_count(holds: Bools, positive: Bools) -> Floats:
    """Return each source's share of the positive tests."""
    return np.asarray((holds & positive).sum(axis=1) / max(1, int(positive.sum())))


def guilt_of_tests(holds: Bools, positive: Bools, p: float = 0.2) -> Floats:
    """Return the guilt model's probability where every positive test is one leaked object."""
    holders = np.maximum(holds.sum(axis=0), 1)
    log_innocent = np.where(holds & positive, np.log1p(-(1.0 - p) / holders), 0.0).sum(axis=1)
    return np.asarray(1.0 - np.exp(log_innocent))
