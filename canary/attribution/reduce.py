"""Make large components small: fix what is certain, set aside what is hopeless.

Gains are conditional on the best explanation found so far, all candidates at once. What stays
open falls apart into small components that the beam can search.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from canary.attribution.model import Links, total_by
from canary.attribution.search import log_sum
from canary.attribution.world import Bools, Floats, Ints

_ROUNDS = 40
_HOPELESS = -7.0
_CERTAIN = 9.0
_TOUCHES = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """The outcome for the candidates [C] of one component.

    `odds` are conditional log odds; `open` what the beam must still decide; `fixed` pairs of
    (row, level) that are certainly in.
    """

    odds: Floats
    open: Bools
    fixed: tuple[tuple[int, int], ...]


class Greedy:
    """The best explanation so far: which rows are in, at which level, and what they explain."""

    def __init__(self, links: Links, base: Floats, odds: Floats, n_groups: int) -> None:
        """Take links whose source and group columns are rows and columns of this component."""
        self.links, self.base, self.odds = links, base, odds
        self.explained = np.ones(n_groups)
        self.level: dict[int, int] = {}
        order = np.argsort(links.source, kind="stable")
        bounds = np.searchsorted(links.source[order], np.arange(len(odds) + 1))
        self._of_row = [order[low:high] for low, high in itertools.pairwise(bounds)]

    def gains(self) -> Floats:
        """Return log odds [C, L] of each row and level given all others now in."""
        links, inside = self.links, np.zeros(len(self.links.source))
        level = np.array([self.level.get(row, -1) for row in range(len(self.odds))])
        active = level[links.source] >= 0
        inside[active] = links.ratio[active, level[links.source[active]]]
        rest = np.maximum(self.explained[links.group] - inside, 1.0)
        gain = np.log1p(links.ratio / rest[:, np.newaxis])
        summed = np.stack(
            [total_by(links.source, gain[:, at], len(self.odds)) for at in range(gain.shape[1])],
            axis=1,
        )
        return np.asarray(self.base + summed + self.odds[:, np.newaxis])

    def totals_of(self, rows: Ints) -> Floats:
        """Return the log odds of some rows that are not in."""
        found = np.zeros(len(rows))
        for at, row in enumerate(rows.tolist()):
            own = self._of_row[row]
            gain = np.log1p(
                self.links.ratio[own] / self.explained[self.links.group[own]][:, np.newaxis]
            )
            found[at] = log_sum(self.base[row] + gain.sum(axis=0)) + self.odds[row]
        return found

    def put(self, row: int, level: int | None) -> None:
        """Switch a row on at a level, or off."""
        at = self._of_row[row]
        groups = self.links.group[at]
        before = self.level.pop(row, None)
        if before is not None:
            self.explained[groups] -= self.links.ratio[at, before]
        if level is not None:
            self.explained[groups] += self.links.ratio[at, level]
            self.level[row] = level

    def groups_of(self, row: int, level: int) -> Ints:
        """Return the groups a row explains to a share worth noticing."""
        at = self._of_row[row]
        large = self.links.ratio[at, level] > _TOUCHES * self.explained[self.links.group[at]]
        return np.asarray(self.links.group[at][large])

    def climb(self) -> None:
        """Add the best non-overlapping rows, drop what no longer pays, until nothing moves."""
        for _ in range(_ROUNDS):
            gains = self.gains()
            total = np.asarray(log_sum(gains, axis=1))
            moved = self._drop(total) or self._add(gains, total)
            if not moved:
                return

    def _add(self, gains: Floats, total: Floats) -> bool:
        touched: set[int] = set()
        moved = False
        for row in np.argsort(-total, kind="stable").tolist():
            if total[row] <= 0.0:
                break
            level = int(np.argmax(gains[row]))
            groups = set(self.groups_of(row, level).tolist())
            if row in self.level or groups & touched:
                continue
            touched |= groups
            self.put(row, level)
            moved = True
        return moved

    def _drop(self, total: Floats) -> bool:
        worst = min(self.level, key=lambda row: total[row], default=-1)
        if worst < 0 or total[worst] > 0.0:
            return False
        self.put(worst, None)
        return True


def reduce_component(links: Links, base: Floats, odds: Floats, n_groups: int) -> Reduced:
    """Explain greedily, then sort the candidates into fixed, open and hopeless."""
    greedy = Greedy(links, base, odds, n_groups)
    greedy.climb()
    total = np.asarray(log_sum(greedy.gains(), axis=1))
    is_open = total > _HOPELESS
    fixed = []
    for row, level in sorted(greedy.level.items()):
        rivals = _rivals(greedy, row, float(total[row]))
        is_open[rivals] = True
        if total[row] > _CERTAIN and not len(rivals):
            is_open[row] = False
            fixed.append((row, level))
    return Reduced(odds=total, open=is_open, fixed=tuple(fixed))


def _rivals(greedy: Greedy, row: int, gain: float) -> Ints:
    """Return the rows that would explain nearly as well in this row's stead."""
    level = greedy.level[row]
    groups = greedy.groups_of(row, level)
    greedy.put(row, None)
    near = np.unique(greedy.links.source[np.isin(greedy.links.group, groups)])
    near = near[[one != row and one not in greedy.level for one in near.tolist()]]
    total = greedy.totals_of(near)
    greedy.put(row, level)
    return np.asarray(near[total > gain - _CERTAIN])
