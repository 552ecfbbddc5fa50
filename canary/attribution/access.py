"""One access, one list: whoever got baits within a day may have let out just that day's list.

Sellers offer the lists of a day. Somebody who copied another's list is not cleared by the silence
of what it held before, nor is an account above by what others below it got on other days.
"""

from dataclasses import dataclass

import numpy as np

from canary.attribution.world import Floats, Ints, World

PRIOR = 0.05
_ONE_DAY_H = 23.0
_EDGE_H = 2.0
_LEAST_SEEN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Accesses:
    """Sources all of whose seen baits came within a day, and what they got around that day.

    `days` counts the days on which each of them got baits: any of them might have been sold.
    """

    sources: Ints
    rows: Ints
    days: Ints


def find_accesses(world: World, source: Ints, record: Ints, since: Floats) -> Accesses:
    """Find them from the exposures of seen baits: parallel arrays of source, record and time."""
    first = np.full(world.n_sources, np.inf)
    last = np.full(world.n_sources, -np.inf)
    np.minimum.at(first, source, since)
    np.maximum.at(last, source, since)
    pairs = np.unique(source * world.n_records + record)
    seen = np.bincount(pairs // max(1, world.n_records), minlength=world.n_sources)
    alone = (seen >= _LEAST_SEEN) & (last - first <= _ONE_DAY_H)
    rows = np.flatnonzero(alone[world.exp_source])
    at, of = world.exp_since[rows], world.exp_source[rows]
    inside = (at >= first[of] - _EDGE_H) & (at <= last[of] + _EDGE_H)
    sources = np.flatnonzero(alone)
    days = _count_days(of, at, world.n_sources)
    return Accesses(sources=sources, rows=rows[inside], days=days[sources])


def _count_days(source: Ints, since: Floats, n_sources: int) -> Ints:
    """Count the days on which each source got something."""
    day = np.floor(since / _ONE_DAY_H).astype(np.int64)
    span = int(day.max(initial=0)) + 1
    return np.bincount(np.unique(source * span + day) // span, minlength=n_sources)


def mix_silence(accesses: Accesses, whole: Floats, of_access: Floats) -> Floats:
    """Mix "anything it held" with "that access alone": silence [sources, L], both given so."""
    mixed = whole.copy()
    at = accesses.sources
    alone = np.log(PRIOR / accesses.days)[:, np.newaxis]
    mixed[at] = np.logaddexp(np.log1p(-PRIOR) + whole[at], alone + of_access[at])
    return mixed
