"""The likelihood of a problem under one setting, and pieces of it laid out for the search."""

from dataclasses import dataclass

import numpy as np

from canary.attribution.campaigns import campaign_links
from canary.attribution.model import Links, Problem, Setting, explanations, silence
from canary.attribution.partition import Piece
from canary.attribution.search import Component, log_sum
from canary.attribution.world import Floats, Ints

_LARGEST_RATIO = 1e30
_LEAST_ERROR_RATE = 1e-4
_TELLING = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The likelihood of a problem under one setting."""

    setting: Setting
    base: Floats
    links: Links


def evidence_under(problem: Problem, setting: Setting, sources: Ints | None = None) -> Evidence:
    """Compute silence and explanations, displays and campaigns together."""
    shown = explanations(problem, setting)
    told, quiet = campaign_links(problem, setting)
    base = (
        quiet
        if problem.campaigns and not len(problem.events)
        else quiet + silence(problem, setting, sources)
    )
    links = Links(
        source=np.concatenate([shown.source, told.source]),
        group=np.concatenate([shown.group, told.group]),
        ratio=np.concatenate([shown.ratio, told.ratio]),
    )
    return Evidence(setting=setting, base=base, links=links)


def screening_bound(problem: Problem, evidence: Evidence) -> Floats:
    """Return the most a source can gain in any set, prior odds included, in nats."""
    links = evidence.links
    alone = evidence.base + problem.log_weights[np.newaxis]
    gains = np.log1p(links.ratio)
    for at in range(alone.shape[1]):
        alone[:, at] += np.bincount(
            links.source, weights=gains[:, at], minlength=problem.world.n_sources
        )
    return log_sum(alone, axis=1) + problem.log_prior_odds


def with_log_errors(problem: Problem, links: Links, strong: Ints) -> Links:
    """Link likely leakers to what others of their stage were logged for, at the error rate.

    Without this an innocent the log names by mistake would be judged apart from the leaker.
    Stages so large that the rate per source is negligible are left out.
    """
    n_stages = len(problem.stage_sizes)
    cells, inverse = np.unique(
        links.group * n_stages + problem.stage_of[links.source], return_inverse=True
    )
    summed = np.zeros((len(cells), links.ratio.shape[1]))
    np.add.at(summed, inverse, links.ratio)
    rate = problem.world.operator.custody_log_error_rate / problem.stage_sizes[cells % n_stages]
    summed *= rate[:, np.newaxis]
    telling = np.flatnonzero(
        (summed.max(axis=1, initial=0.0) > _TELLING) & (rate > _LEAST_ERROR_RATE)
    )
    source = np.repeat(strong, len(telling))
    cell = np.tile(telling, len(strong))
    same = problem.stage_of[source] == cells[cell] % n_stages
    source, cell = source[same], cell[same]
    known = np.isin(
        source * problem.n_groups + cells[cell] // n_stages,
        links.source * problem.n_groups + links.group,
    )
    source, cell = source[~known], cell[~known]
    return Links(
        source=np.concatenate([links.source, source]),
        group=np.concatenate([links.group, cells[cell] // n_stages]),
        ratio=np.concatenate([links.ratio, summed[cell]]),
    )


class Bench:
    """The evidence of one setting, with its links in order of group, ready to be cut."""

    def __init__(self, problem: Problem, evidence: Evidence) -> None:
        self.problem, self.evidence = problem, evidence
        links = evidence.links
        order = np.argsort(links.group, kind="stable")
        self._order = order
        self._starts = np.searchsorted(links.group[order], np.arange(problem.n_groups + 1))

    def links_to(self, groups: Ints) -> Ints:
        """Return the rows of all links to these groups."""
        runs = [self._order[self._starts[one] : self._starts[one + 1]] for one in groups.tolist()]
        return np.concatenate(runs) if runs else np.zeros(0, dtype=np.int64)

    def dense(self, piece: Piece) -> Component:
        """Lay a piece out as arrays, errors of the custody log included."""
        problem, links = self.problem, self.evidence.links
        near = self.links_to(piece.groups)
        column = np.searchsorted(piece.groups, links.group[near])
        row = np.searchsorted(piece.sources, links.source[near])
        row = np.minimum(row, len(piece.sources) - 1)
        inside = piece.sources[row] == links.source[near]
        ratio = np.zeros((len(piece.sources), len(problem.levels), len(piece.groups)))
        ratio[row[inside], :, column[inside]] = links.ratio[near[inside]]
        ratio += self._log_errors(piece, near, column, ratio)
        return Component(
            sources=piece.sources,
            groups=piece.groups,
            ratio=np.minimum(ratio, _LARGEST_RATIO),
            base=self.evidence.base[piece.sources] + problem.log_weights[np.newaxis],
            odds=problem.log_prior_odds[piece.sources],
            floor=self._floor(piece, near, column),
        )

    def _floor(self, piece: Piece, near: Ints, column: Ints) -> Floats:
        """Return what background and the fixed sources explain of each group."""
        floor = np.ones(len(piece.groups))
        level_of = dict(piece.fixed)
        for at, where in zip(near.tolist(), column.tolist(), strict=True) if level_of else ():
            level = level_of.get(int(self.evidence.links.source[at]))
            if level is not None:
                floor[where] += self.evidence.links.ratio[at, level]
        return np.minimum(floor, _LARGEST_RATIO)

    def _log_errors(self, piece: Piece, near: Ints, column: Ints, ratio: Floats) -> Floats:
        """Let a source of the same stage explain what it was not logged for, at a small rate."""
        problem, links = self.problem, self.evidence.links
        stages, stage_of = np.unique(problem.stage_of[piece.sources], return_inverse=True)
        place = np.searchsorted(stages, problem.stage_of[links.source[near]])
        place = np.minimum(place, len(stages) - 1)
        same = stages[place] == problem.stage_of[links.source[near]]
        by_stage = np.zeros((len(stages), ratio.shape[1], ratio.shape[2]))
        where = (place[same][:, np.newaxis], np.arange(ratio.shape[1]), column[same][:, np.newaxis])
        np.add.at(by_stage, where, links.ratio[near[same]])
        rate = problem.world.operator.custody_log_error_rate / problem.stage_sizes[stages]
        extra = rate[:, np.newaxis, np.newaxis] * by_stage
        return np.where(ratio > 0, 0.0, extra[stage_of])
