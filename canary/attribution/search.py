"""Search the sets of leakers of one component: a beam whose levels are summed, not chosen."""

from dataclasses import dataclass, field, replace

import numpy as np

from canary.attribution.world import Floats, Ints

WIDTH = 14
ADDITIONS = 20
CONFIGS = 24
DEEPEST = 9
_GIVE_UP = 14.0

Members = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Candidates that share evidence. Rows are candidates, columns evidence groups.

    `ratio` is [C, L, U], `base` [C, L] with level weights added, `odds` [C] log prior odds,
    `floor` [U] what already explains each group (1 for background alone).
    """

    sources: Ints
    groups: Ints
    ratio: Floats
    base: Floats
    odds: Floats
    floor: Floats

    def with_background(self, factor: float) -> "Component":
        """Return the component as if coincidence were `factor` times as frequent."""
        return replace(self, ratio=self.ratio / factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A set with its weightiest level configurations: explained [K, U] and log weight [K]."""

    members: Members
    explained: Floats
    log_weight: Floats
    score: float


@dataclass(slots=True)
class Visited:
    """The sets the search has scored: log weight, prior odds included."""

    scores: dict[Members, float] = field(default_factory=dict)

    def weightiest(self, within: float, most: int) -> list[Members]:
        """Return the sets within `within` nats of the best, best first."""
        ranked = sorted(self.scores, key=lambda members: (-self.scores[members], members))
        best = self.scores[ranked[0]]
        return [one for one in ranked[:most] if self.scores[one] >= best - within]


def log_sum(values: Floats, axis: int | None = None) -> Floats:
    """Return log(sum(exp(values))) without overflow."""
    peak = np.max(values, axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    total = np.log(np.sum(np.exp(values - peak), axis=axis, keepdims=True)) + peak
    return np.asarray(np.squeeze(total, axis=axis), dtype=np.float64)


def search(component: Component) -> Visited:
    """Visit the likeliest sets, from the empty one up."""
    root = _Node(
        members=(),
        explained=component.floor[np.newaxis],
        log_weight=np.zeros(1),
        score=float(np.log(component.floor).sum()),
    )
    visited = Visited({(): root.score})
    beam, best, stale = [root], root.score, 0
    for _ in range(min(DEEPEST, len(component.sources))):
        beam = _next_beam(component, beam, visited)
        if not beam:
            break
        top = beam[0].score
        stale = 0 if top > best else stale + 1
        best = max(best, top)
        if stale >= 2 or top < best - _GIVE_UP:
            break
    return visited


def score_of(component: Component, members: Members) -> float:
    """Score one set from scratch under this component's numbers."""
    node = _Node(
        members=(),
        explained=component.floor[np.newaxis],
        log_weight=np.zeros(1),
        score=float(np.log(component.floor).sum()),
    )
    for member in members:
        node = _extend(component, node, member)
    return node.score


def _next_beam(component: Component, beam: list[_Node], visited: Visited) -> list[_Node]:
    grown: dict[Members, _Node] = {}
    for node in beam:
        estimates = _estimate_additions(component, node)
        for candidate in np.argsort(-estimates, kind="stable")[:ADDITIONS].tolist():
            members = tuple(sorted({*node.members, candidate}))
            if not np.isfinite(estimates[candidate]) or members in grown:
                continue
            grown[members] = _extend(component, node, candidate)
            visited.scores[members] = grown[members].score
        for candidate in np.flatnonzero(estimates > node.score - _GIVE_UP).tolist():
            members = tuple(sorted({*node.members, candidate}))
            visited.scores.setdefault(members, float(estimates[candidate]))
    return sorted(grown.values(), key=lambda node: (-node.score, node.members))[:WIDTH]


def _estimate_additions(component: Component, node: _Node) -> Floats:
    """Score all one-larger sets from the two weightiest configurations."""
    keep = min(2, len(node.log_weight))
    explained = node.explained[:keep]
    log_weight = node.log_weight[:keep]
    before = log_sum(log_weight + np.log(explained).sum(axis=1))
    grown = component.ratio[:, np.newaxis] + explained[np.newaxis, :, np.newaxis, :]
    likelihood = np.log(grown).sum(axis=3)
    likelihood += component.base[:, np.newaxis, :] + log_weight[np.newaxis, :, np.newaxis]
    flat = likelihood.reshape(len(component.sources), -1)
    estimates = node.score + log_sum(flat, axis=1) - before + component.odds
    estimates[list(node.members)] = -np.inf
    return estimates


def _extend(component: Component, node: _Node, candidate: int) -> _Node:
    grown = node.explained[:, np.newaxis] + component.ratio[candidate][np.newaxis]
    log_weight = node.log_weight[:, np.newaxis] + component.base[candidate][np.newaxis]
    explained = grown.reshape(-1, grown.shape[2])
    log_weight = log_weight.reshape(-1)
    likelihood = log_weight + np.log(explained).sum(axis=1)
    total = float(log_sum(likelihood))
    prior = component.odds[[*node.members, candidate]].sum()
    kept = np.argsort(-likelihood, kind="stable")[:CONFIGS]
    lost = total - float(log_sum(likelihood[kept]))
    return _Node(
        members=tuple(sorted({*node.members, candidate})),
        explained=explained[kept],
        log_weight=log_weight[kept] + lost,
        score=total + float(prior),
    )
