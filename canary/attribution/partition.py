"""Split a problem into pieces that share no open evidence, and settle what needs no search."""

from dataclasses import dataclass

import numpy as np

from canary.attribution.model import Links, Problem, total_by
from canary.attribution.reduce import reduce_component
from canary.attribution.world import Bools, Floats, Ints

_LARGEST_DENSE = 60_000
_HOPELESS_TOGETHER = 0.03
_LEAST_LINK = 1e-9
_MOST_OPEN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Candidates to be searched together, and the rows already certain beside them.

    `fixed` holds (source, level) pairs whose share of the groups is taken as given.
    """

    sources: Ints
    groups: Ints
    fixed: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """The pieces, and the log odds of the sources settled without a search (NaN: not settled)."""

    pieces: tuple[Piece, ...]
    settled: Floats


def partition(
    problem: Problem, links: Links, base: Floats, bound: Floats, candidate: Bools
) -> Partition:
    """Split the candidates; `base` [sources, L] includes the level weights."""
    n_sources = problem.world.n_sources
    kept = np.flatnonzero(candidate[links.source] & (links.ratio.max(axis=1) > _LEAST_LINK))
    source, group = links.source[kept], links.group[kept]
    label = component_labels(source, group, n_sources, problem.n_groups)
    settled = np.full(n_sources, np.nan)
    chance = np.exp(np.minimum(bound, 50.0))
    present = np.unique(source)
    together = total_by(label[present], chance[present], n_sources + 1)
    hopeless = present[together[label[present]] < _HOPELESS_TOGETHER]
    settled[hopeless] = np.log(chance[hopeless] / (1.0 + together[label[hopeless]]))
    pieces: list[Piece] = []
    order = np.argsort(label[source], kind="stable")
    edges = np.flatnonzero(np.diff(label[source[order]], prepend=-1, append=n_sources + 1))
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = kept[order[low:high]]
        members = np.unique(links.source[rows])
        if np.isnan(settled[members[0]]):
            pieces += _pieces_of(problem, _select(links, rows), members, base, settled)
    return Partition(pieces=tuple(pieces), settled=settled)


def component_labels(source: Ints, group: Ints, n_sources: int, n_groups: int) -> Ints:
    """Return the least source each source is connected to through shared groups."""
    of_source = np.arange(n_sources)
    of_group = np.full(max(1, n_groups), n_sources)
    while True:
        before = of_source.copy()
        np.minimum.at(of_group, group, of_source[source])
        np.minimum.at(of_source, source, of_group[group])
        of_source = of_source[of_source]
        if np.array_equal(before, of_source):
            return of_source


def _select(links: Links, rows: Ints) -> Links:
    return Links(source=links.source[rows], group=links.group[rows], ratio=links.ratio[rows])


def _pieces_of(
    problem: Problem, links: Links, members: Ints, base: Floats, settled: Floats
) -> list[Piece]:
    """Return one piece when it is small enough; otherwise reduce it first."""
    groups = np.unique(links.group)
    if len(members) * len(groups) <= _LARGEST_DENSE:
        return [Piece(sources=members, groups=groups)]
    row, column = np.searchsorted(members, links.source), np.searchsorted(groups, links.group)
    local = Links(source=row, group=column, ratio=links.ratio)
    reduced = reduce_component(local, base[members], problem.log_prior_odds[members], len(groups))
    settled[members[~reduced.open]] = reduced.odds[~reduced.open]
    settled[members[[at for at, _ in reduced.fixed]]] = np.nan
    fixed = tuple((int(members[at]), level) for at, level in reduced.fixed)
    found = [
        Piece(
            sources=members[at : at + 1],
            groups=groups[np.unique(column[row == at])],
            fixed=tuple(one for one in fixed if one[0] != members[at]),
        )
        for at, _ in reduced.fixed
    ]
    still = reduced.open[row]
    label = component_labels(row[still], column[still], len(members), len(groups))
    for one in np.unique(label[row[still]]):
        of_one = still & (label[row] == one)
        rows = np.unique(row[of_one])
        if len(rows) > _MOST_OPEN:
            ranked = rows[np.argsort(-reduced.odds[rows], kind="stable")]
            beyond = ranked[_MOST_OPEN:]
            settled[members[beyond]] = reduced.odds[beyond]
            rows = np.sort(ranked[:_MOST_OPEN])
        found.append(
            Piece(sources=members[rows], groups=groups[np.unique(column[of_one])], fixed=fixed)
        )
    return found
