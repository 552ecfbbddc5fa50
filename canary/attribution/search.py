"""Search the sets of leakers of one component: a beam whose levels are summed, not chosen."""

from dataclasses import dataclass, field, replace

import numpy as np

from canary.attribution.world import Floats, Ints

WIDTH = 14
ADDITIONS = 20
CONFIGS = 14
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

    def of_groups(self, kept: Ints) -> "Component":
        """Return the component with some of its evidence groups only."""
        return replace(
            self,
            groups=self.groups[kept],
            ratio=self.ratio[:, :, kept],
            floor=self.floor[kept],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A set with its weightiest level configurations: explained [K, U], log weight [K].

    `open` lists the candidates still worth adding: gains only shrink as a set grows.
    """

    members: Members
    explained: Floats
    log_weight: Floats
    score: float
    open: Ints


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


def sum_of_logs(values: Floats) -> Floats:
    """Return the sum of logs over the last axis; one log for eight factors, each in [1, 1e35]."""
    length = values.shape[-1]
    whole = length - length % 8
    product = values[..., :whole:8].copy()
    for at in range(1, 8):
        product *= values[..., at:whole:8]
    return np.asarray(np.log(product).sum(axis=-1) + np.log(values[..., whole:]).sum(axis=-1))


class Scorer:
    """Scores sets of one component; sets that begin alike share their work."""

    def __init__(self, component: Component) -> None:
        self.component = component
        root = _Node(
            members=(),
            explained=component.floor[np.newaxis],
            log_weight=np.zeros(1),
            score=float(np.log(component.floor).sum()),
            open=np.arange(len(component.sources)),
        )
        self._nodes: dict[Members, _Node] = {(): root}

    def node(self, members: Members) -> _Node:
        """Return the set with its weightiest configurations."""
        found = self._nodes.get(members)
        if found is None:
            found = _extend(self.component, self.node(members[:-1]), members[-1])
            self._nodes[members] = found
        return found

    def score(self, members: Members) -> float:
        """Return the log weight of a set of ascending rows, prior odds included."""
        return self.node(members).score


def search(component: Component) -> Visited:
    """Visit the likeliest sets, from the empty one up."""
    root = Scorer(component).node(())
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


def _next_beam(component: Component, beam: list[_Node], visited: Visited) -> list[_Node]:
    grown: dict[Members, _Node] = {}
    for node in beam:
        estimates = _estimate_additions(component, node)
        viable = node.open[estimates > node.score - _GIVE_UP]
        ranked = node.open[np.argsort(-estimates, kind="stable")[:ADDITIONS]]
        for candidate in ranked.tolist():
            members = tuple(sorted({*node.members, candidate}))
            if candidate in node.members or members in grown:
                continue
            grown[members] = _extend(component, replace(node, open=viable), candidate)
            visited.scores[members] = grown[members].score
        for candidate, estimate in zip(node.open.tolist(), estimates.tolist(), strict=True):
            if estimate > node.score - _GIVE_UP:
                members = tuple(sorted({*node.members, candidate}))
                visited.scores.setdefault(members, estimate)
    return sorted(grown.values(), key=lambda node: (-node.score, node.members))[:WIDTH]


def _estimate_additions(component: Component, node: _Node) -> Floats:
    """Score the one-larger sets of the open candidates from two weighty configurations."""
    keep = min(2, len(node.log_weight))
    explained, log_weight = node.explained[:keep], node.log_weight[:keep]
    before = log_sum(log_weight + sum_of_logs(explained))
    grown = component.ratio[node.open, np.newaxis] + explained[np.newaxis, :, np.newaxis, :]
    likelihood = sum_of_logs(grown)
    likelihood += component.base[node.open, np.newaxis] + log_weight[np.newaxis, :, np.newaxis]
    flat = likelihood.reshape(len(node.open), -1)
    estimates = node.score + log_sum(flat, axis=1) - before + component.odds[node.open]
    return np.where(np.isin(node.open, node.members), -np.inf, estimates)


def _extend(component: Component, node: _Node, candidate: int) -> _Node:
    grown = node.explained[:, np.newaxis] + component.ratio[candidate][np.newaxis]
    log_weight = (node.log_weight[:, np.newaxis] + component.base[candidate]).reshape(-1)
    explained = grown.reshape(-1, grown.shape[2])
    likelihood = log_weight + sum_of_logs(explained)
    total = float(log_sum(likelihood))
    kept = np.argsort(-likelihood, kind="stable")[:CONFIGS]
    lost = total - float(log_sum(likelihood[kept]))
    members = tuple(sorted({*node.members, candidate}))
    return _Node(
        members=members,
        explained=explained[kept],
        log_weight=log_weight[kept] + lost,
        score=total + float(component.odds[list(members)].sum()),
        open=node.open,
    )
