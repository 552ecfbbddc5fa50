"""One access, one list: whoever got baits in one go may have let out just those.

Somebody who copied another's list is not cleared by the silence of what it held before. An
account above others has no such single access: it can always query everything below it.
"""

from dataclasses import dataclass

import numpy as np

from canary.attribution.world import Bools, Floats, Ints, World

PRIOR = 0.05
_ONE_GO_H = 12.0
_LEAST_SEEN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Accesses:
    """Sources all of whose seen baits came in one go, and the exposures of that access."""

    sources: Ints
    rows: Ints


def find_accesses(world: World, source: Ints, record: Ints, since: Floats) -> Accesses:
    """Find them from the exposures of seen baits: parallel arrays of source, record and time."""
    first = np.full(world.n_sources, np.inf)
    last = np.full(world.n_sources, -np.inf)
    np.minimum.at(first, source, since)
    np.maximum.at(last, source, since)
    pairs = np.unique(source * world.n_records + record)
    seen = np.bincount(pairs // max(1, world.n_records), minlength=world.n_sources)
    alone = (seen >= _LEAST_SEEN) & (last - first <= _ONE_GO_H) & ~_stands_above(world)
    rows = np.flatnonzero(alone[world.exp_source])
    at, of = world.exp_since[rows], world.exp_source[rows]
    inside = (at >= last[of] - _ONE_GO_H) & (at <= first[of] + _ONE_GO_H)
    return Accesses(sources=np.flatnonzero(alone), rows=rows[inside])


def _stands_above(world: World) -> Bools:
    above = np.zeros(world.n_sources, dtype=np.bool_)
    above[world.parent[world.parent >= 0]] = True
    return above


def mix_silence(accesses: Accesses, whole: Floats, of_access: Floats) -> Floats:
    """Mix "anything it held" with "that access alone": silence [sources, L], both given so."""
    mixed = whole.copy()
    at = accesses.sources
    mixed[at] = np.logaddexp(np.log1p(-PRIOR) + whole[at], np.log(PRIOR) + of_access[at])
    return mixed
