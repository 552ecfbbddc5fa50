"""Does a name stand on less: without its strongest piece, or without how soon things surfaced?

The model takes each bait's delay for itself. A list got long ago and put up over days breaks
that: then a later holder of the same baits seems far likelier than it is.
"""

from dataclasses import replace

import numpy as np

from canary.attribution.averaging import Weighed
from canary.attribution.evidence import Bench, Evidence
from canary.attribution.model import PLAIN, Links, explanations
from canary.attribution.partition import Piece
from canary.attribution.search import Component, Scorer, log_sum, sum_of_logs
from canary.attribution.weigh import Weighing
from canary.attribution.world import Ints

_RIVALS = 8
_SETS = 12
_LEAST_RATIO = 1e-3


def without_group(part: Weighed, strongest: int, row: int) -> float:
    """Return the posterior of a row once one evidence group is taken away."""
    component = part.component
    kept = np.delete(np.arange(len(component.groups)), strongest)
    if not len(kept):
        alone = float(component.odds[row] + log_sum(component.base[row]))
        return float(1.0 / (1.0 + np.exp(-alone)))
    return _share(part, component.of_groups(kept), row)


class Untimed:
    """The evidence as if it only counted who had what in time, not how soon it surfaced."""

    def __init__(self, weighing: Weighing) -> None:
        self._weighing = weighing
        self._bench: Bench | None = None
        self._components: dict[int, Component] = {}

    def share(self, part: Weighed, row: int) -> float:
        """Return the posterior of a row of this part on such evidence."""
        key = int(part.component.sources[row])
        if key not in self._components:
            piece = Piece(sources=part.component.sources, groups=part.component.groups)
            laid_out = replace(self._open().dense(piece), floor=part.component.floor)
            self._components.update(dict.fromkeys(piece.sources.tolist(), laid_out))
        return _share(part, self._components[key], row)

    def _open(self) -> Bench:
        if self._bench is None:
            problem, known = self._weighing.problem, self._weighing.evidence
            shown = explanations(problem, PLAIN, timed=False)
            told = np.flatnonzero(known.links.group >= problem.events.n_groups)
            links = Links(
                source=np.concatenate([shown.source, known.links.source[told]]),
                group=np.concatenate([shown.group, known.links.group[told]]),
                ratio=np.concatenate([shown.ratio, known.links.ratio[told]]),
            )
            self._bench = Bench(problem, Evidence(setting=PLAIN, base=known.base, links=links))
        return self._bench


def _share(part: Weighed, component: Component, row: int) -> float:
    """Score the likely sets, the same without the row, and with its best rivals instead."""
    sets = [*part.sets[:_SETS], ()]
    rest = [tuple(one for one in members if one != row) for members in sets]
    rivals = _rivals(component, row)
    swapped = [tuple(sorted({*members, one})) for members in rest[:2] for one in rivals.tolist()]
    scorer = Scorer(component)
    everything = sorted({*sets, *rest, *swapped})
    scores = np.array([scorer.score(members) for members in everything])
    holds = np.array([row in members for members in everything])
    weights = np.exp(scores - log_sum(scores))
    return float(weights[holds].sum())


def _rivals(component: Component, row: int) -> Ints:
    """Return who would explain best, alone, what the row explains."""
    touched = np.flatnonzero((component.ratio[row] > _LEAST_RATIO).any(axis=0))
    near = component.of_groups(touched)
    alone = log_sum(near.base + sum_of_logs(1.0 + near.ratio), axis=1) + near.odds
    return np.argsort(-alone, kind="stable")[:_RIVALS]
