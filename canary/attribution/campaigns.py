"""Campaigns of messages: whose list was it, a storm over all lines, or single strays.

Formulas: ATTRIBUTION.md section 2.4. One campaign is one evidence group.
"""

import math

import numpy as np

from canary.attribution.delays import delay_share
from canary.attribution.events import Campaign
from canary.attribution.model import Links, Problem, Setting
from canary.attribution.world import Campaigns, Floats, Ints

_STRAY = 0.01
_SINGLE_MORE = 0.5


def campaign_links(problem: Problem, setting: Setting) -> tuple[Links, Floats]:
    """Return who could explain each campaign, and the silence of buyers, [sources, L]."""
    if not problem.campaigns:
        return _no_links(problem)
    holds, since, phone_at = _lists(problem)
    expected = problem.world.operator.campaigns or Campaigns(
        buyers_per_leaker=2.0, single_templates=2.0, storms=1.0
    )
    coverage = problem.world.operator.coverage.get("sms", 0.85) * setting.coverage
    share = np.minimum(problem.levels * coverage, 0.98)
    sources = np.flatnonzero(holds.any(axis=1))
    parts = [
        _explain(problem, campaign, holds[sources], since[sources], phone_at, share)
        - math.log(_otherwise(campaign, len(phone_at), expected, setting))
        for campaign in problem.campaigns
    ]
    log_ratio = np.stack(parts, axis=1) + math.log(max(expected.buyers_per_leaker, 1e-6))
    size = holds.sum(axis=1)
    rings = 1.0 - (1.0 - share[np.newaxis]) ** size[:, np.newaxis]
    groups = problem.events.n_groups + np.arange(len(problem.campaigns))
    links = Links(
        source=np.repeat(sources, len(groups)),
        group=np.tile(groups, len(sources)),
        ratio=np.exp(np.minimum(log_ratio, 600.0)).reshape(-1, len(problem.levels)),
    )
    return links, -expected.buyers_per_leaker * rings


def _no_links(problem: Problem) -> tuple[Links, Floats]:
    nothing = np.zeros(0, dtype=np.int64)
    links = Links(source=nothing, group=nothing, ratio=np.zeros((0, len(problem.levels))))
    return links, np.zeros((problem.world.n_sources, len(problem.levels)))


def _lists(
    problem: Problem,
) -> tuple["np.ndarray[tuple[int, int], np.dtype[np.bool_]]", Floats, dict[str, int]]:
    """Return who holds which phone, [sources, phones], since when, and the phones' columns."""
    world = problem.world
    phones = sorted({phone for phone in world.phones if phone})
    phone_at = {phone: at for at, phone in enumerate(phones)}
    column = np.array([phone_at.get(phone, -1) for phone in world.phones], dtype=np.int64)
    rows = np.flatnonzero(column[world.exp_record] >= 0)
    holds = np.zeros((world.n_sources, len(phones)), dtype=np.bool_)
    since = np.full((world.n_sources, len(phones)), np.inf)
    where = (world.exp_source[rows], column[world.exp_record[rows]])
    holds[where] = True
    np.minimum.at(since, where, world.exp_since[rows])
    return holds, since, phone_at


def _explain(
    problem: Problem,
    campaign: Campaign,
    holds: "np.ndarray[tuple[int, int], np.dtype[np.bool_]]",
    since: Floats,
    phone_at: dict[str, int],
    share: Floats,
) -> Floats:
    """Return log P(phones rung | the list is this source's), [sources, L]."""
    reached = np.array([phone_at[phone] for phone in campaign.phones], dtype=np.int64)
    known = holds[:, reached]
    delay = np.where(known, campaign.first_time[np.newaxis] - since[:, reached], 0.0)
    early = np.log(np.maximum(delay_share(np.minimum(delay, 0.0), problem.world.operator), 1e-30))
    at_rest = math.log(delay_share(np.zeros(1), problem.world.operator)[0])
    punished = np.where(known & (delay < 0), early - at_rest, 0.0).sum(axis=1)
    rung = known.sum(axis=1)
    silent = holds.sum(axis=1) - rung
    strays = len(reached) - rung
    quiet = holds.shape[1] - holds.sum(axis=1) - strays
    outside = strays * math.log(_STRAY) + quiet * math.log1p(-_STRAY) + punished
    inside = rung[:, np.newaxis] * np.log(share) + silent[:, np.newaxis] * np.log1p(-share)
    return np.asarray(outside[:, np.newaxis] + inside)


def _otherwise(campaign: Campaign, n_phones: int, expected: Campaigns, setting: Setting) -> float:
    """Return the expected number of storms and strays that ring exactly these phones."""
    rung = len(campaign.phones)
    log_choices = _log_choose(n_phones, rung)
    storm = expected.storms * math.exp(-math.log(n_phones + 1) - log_choices)
    single = expected.single_templates * _SINGLE_MORE**rung * math.exp(-log_choices)
    return max(setting.noise * (storm + single), 1e-280)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def phones_of(problem: Problem, campaign: Campaign) -> Ints:
    """Return the records whose phone the campaign rang."""
    rung = set(campaign.phones)
    return np.array(
        [at for at, phone in enumerate(problem.world.phones) if phone in rung], dtype=np.int64
    )
