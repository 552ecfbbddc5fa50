"""The timed, field-aware noisy-OR with background, as arrays (ATTRIBUTION.md section 2).

    log P(data | S, q) = const + sum base_i(q_i) + sum_u log(1 + sum_i ratio_iu(q_i))

Times in hours. Levels are points of the leak fraction q with weights from its Beta prior.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from canary.attribution.access import Accesses, find_accesses, mix_silence
from canary.attribution.chance import (
    Displays,
    FieldChances,
    display_tables,
    field_chances,
    pattern_codes,
)
from canary.attribution.delays import delay_density, delay_share
from canary.attribution.events import Campaign, Events, collapse, copy_rate, gather_campaigns
from canary.attribution.priors import leak_fractions, log_prior_odds
from canary.attribution.world import FULL, Bools, Floats, Ints, Operator, World

Density = Callable[[Floats, Operator], Floats]

_MOST_COVERAGE = 0.98
_LEAST_SPAM = 0.01
_MANY_EXPOSURES = 500_000
_LEAST_BACKGROUND = 1e-22
_PAGE_SPAN_H = 24.0
_LATE_LAGS = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One way the operator's estimates may be wrong: factors on coverage and on noise."""

    coverage: float = 1.0
    noise: float = 1.0


PLAIN = Setting()
SETTINGS = (
    PLAIN,
    Setting(coverage=0.65),
    Setting(coverage=1.45),
    # A monitor that sees nearly all of a list: else the list's abundance asks for more leakers.
    Setting(coverage=3.0),
    Setting(noise=0.5),
    Setting(noise=2.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Who could explain what: one row per (source, group) with the ratio at each level.

    `ratio[k, l]` is the rate at which the source explains the group over the background rate.
    """

    source: Ints
    group: Ints
    ratio: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything inference needs that does not depend on the setting.

    `lived` is, per exposure, the share of its delay distribution that passed before the record
    was first sighted or the window ended.
    """

    world: World
    chances: FieldChances
    displays: Displays
    events: Events
    campaigns: tuple[Campaign, ...]
    levels: Floats
    log_weights: Floats
    log_prior_odds: Floats
    has_baits: Bools
    stage_of: Ints
    stage_sizes: Ints
    lived: Floats
    link_source: Ints
    link_event: Ints
    link_record: Ints
    link_since: Floats
    link_vis: Ints
    background: Floats
    accesses: Accesses

    @property
    def n_groups(self) -> int:
        """Return the number of evidence groups: display groups, then campaigns."""
        return self.events.n_groups + len(self.campaigns)


def build_problem(world: World, rows: Ints) -> Problem:
    """Prepare the sightings in `rows` for inference."""
    seen = world.sightings
    sizes = seen.match_starts[1:] - seen.match_starts[:-1]
    rows = rows[sizes[rows] > 0]
    templated = np.array([bool(seen.template[row]) for row in rows.tolist()], dtype=np.bool_)
    chances = field_chances(world)
    events = collapse(world, rows[~templated])
    levels, log_weights = leak_fractions(world.operator.leak_fraction_beta)
    link_event, link_record, order = _holders(world, events)
    has_baits = np.bincount(world.exp_source, minlength=world.n_sources) > 0
    stage_of = np.unique(np.array(world.stages or ("",)), return_inverse=True)[1]
    stage_of = stage_of[: world.n_sources].astype(np.int64)
    return Problem(
        world=world,
        chances=chances,
        displays=display_tables(world, chances),
        events=events,
        campaigns=gather_campaigns(world, rows[templated]),
        levels=levels,
        log_weights=log_weights,
        log_prior_odds=log_prior_odds(world, has_baits, stage_of),
        has_baits=has_baits,
        stage_of=stage_of,
        stage_sizes=np.bincount(stage_of),
        lived=delay_share(
            _first_seen(world, events)[world.exp_record] - world.exp_since, world.operator
        ),
        link_source=world.exp_source[order],
        link_event=link_event,
        link_record=link_record,
        link_since=world.exp_since[order],
        link_vis=world.exp_vis[order],
        background=_background(world, chances, events),
        accesses=_accesses(world, events, link_event, link_record, order),
    )


def _accesses(
    world: World, events: Events, link_event: Ints, link_record: Ints, order: Ints
) -> Accesses:
    """Find who got all of its seen baits in one go, in time to have let them out."""
    since = world.exp_since[order]
    in_time = events.time[link_event] - since > -_LATE_LAGS * world.operator.since_log_lag_mean_h
    return find_accesses(
        world, world.exp_source[order][in_time], link_record[in_time], since[in_time]
    )


def total_by(index: Ints, values: Floats, count: int) -> Floats:
    """Sum `values` by `index` into an array of `count`."""
    return np.asarray(np.bincount(index, weights=values, minlength=count), dtype=np.float64)


def _holders(world: World, events: Events) -> tuple[Ints, Ints, Ints]:
    """Join events, their records and the exposures of those: parallel index arrays."""
    sighted = np.zeros(world.n_records, dtype=np.bool_)
    sighted[events.matches] = True
    order = np.flatnonzero(sighted[world.exp_record])
    order = order[np.argsort(world.exp_record[order], kind="stable")]
    held = world.exp_record[order]
    event_of = np.repeat(np.arange(len(events)), np.diff(events.match_starts))
    low = np.searchsorted(held, events.matches, side="left")
    count = np.searchsorted(held, events.matches, side="right") - low
    link_event = np.repeat(event_of, count)
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    rows = np.repeat(low, count) + within
    return link_event, np.repeat(events.matches, count), order[rows]


def _first_seen(world: World, events: Events) -> Floats:
    """Return when each record was first sighted; the end of the window if never."""
    first = np.full(world.n_records, world.end)
    event_of = np.repeat(np.arange(len(events)), np.diff(events.match_starts))
    np.minimum.at(first, events.matches, events.time[event_of])
    return first


def _background(world: World, chances: FieldChances, events: Events) -> Floats:
    """Return the rate per hour at which coincidence makes each event's display."""
    rate = np.zeros(len(events))
    event_of = np.repeat(np.arange(len(events)), np.diff(events.match_starts))
    levels = events.level.astype(np.int64)
    chance = chances.of_display(events.matches, levels[event_of])
    summed = np.bincount(event_of, weights=chance, minlength=len(events))
    habits = _stranger_habits(world, events, levels)
    corpus = np.array([site.corpus for site in world.sites] or [0.0])[events.site]
    spam = max(world.operator.spam_events_per_phone_per_window, _LEAST_SPAM)
    is_sms = np.array([site.channel == "sms" for site in world.sites] or [False])[events.site]
    beside_phone = levels.copy()
    beside_phone[:, 1] = 0
    beside = chances.of_display(events.matches, beside_phone[event_of])
    spam_share = np.bincount(event_of, weights=beside, minlength=len(events))
    spam_share = np.where((beside_phone > 0).any(axis=1), np.minimum(spam_share, 1.0), 1.0)
    rate = np.where(is_sms, spam * spam_share, corpus * habits * summed) / world.hours
    return np.maximum(rate, _LEAST_BACKGROUND)


def expected_noise(problem: Problem) -> float:
    """Return how many coincidences, bare rings, storms and strays were to be expected.

    A phone that has rung tells nothing more: its later rings are the same display.
    """
    world, events = problem.world, problem.events
    quiet_h = dict.fromkeys({phone for phone in world.phones if phone}, world.hours)
    bare = (events.level[:, 1] == FULL) & ((events.level > 0).sum(axis=1) == 1)
    for event in np.flatnonzero(bare).tolist():
        phone = world.phones[int(events.matched_by(event)[0])]
        quiet_h[phone] = min(quiet_h[phone], float(events.time[event]) - world.start)
    listens = any(site.channel == "sms" for site in world.sites)
    rings = world.operator.spam_events_per_phone_per_window * sum(quiet_h.values()) / world.hours
    mass = world.operator.campaigns
    messages = mass.storms + mass.single_templates if mass and problem.campaigns else 0.0
    return problem.displays.expected_chance + (rings if listens else 0.0) + messages


def _stranger_habits(world: World, events: Events, levels: Ints) -> Floats:
    """Return P(display pattern | site) for a listing all of whose fields are known."""
    if not len(events):
        return np.zeros(0)
    habits = np.ones(len(events))
    show = np.array([site.show for site in world.sites])
    for at in range(levels.shape[1]):
        full, masked = show[events.site, at, 0], show[events.site, at, 1]
        by_level = np.stack([1.0 - full - masked, masked, full], axis=1)
        habits *= np.maximum(by_level[np.arange(len(events)), levels[:, at]], 1e-4)
    return habits


def reach(problem: Problem, setting: Setting, vis: Ints, record: Ints) -> Floats:
    """Return P(a leaked record is reported at last) for holders who see it so, [n]."""
    missed = np.ones(len(record))
    for channel, keep in problem.displays.keep.items():
        missed *= 1.0 - _coverage(problem.world.operator, channel, setting) * keep[vis, record]
    return np.minimum(1.0 - missed, _MOST_COVERAGE)


def _coverage(operator: Operator, channel: str, setting: Setting) -> float:
    return min(_MOST_COVERAGE, operator.coverage.get(channel, 0.3) * setting.coverage)


def silence(problem: Problem, setting: Setting, sources: Ints | None = None) -> Floats:
    """Return base_i(q), [sources, L]: the log probability of what was not seen.

    With `sources`, only their rows are filled.
    """
    world = problem.world
    rows = np.arange(len(world.exp_record))
    if sources is not None:
        wanted = np.zeros(world.n_sources, dtype=np.bool_)
        wanted[sources] = True
        rows = np.flatnonzero(wanted[world.exp_source])
    whole = _silence_of(problem, setting, rows)
    accesses = problem.accesses
    return mix_silence(accesses, whole, _silence_of(problem, setting, accesses.rows))


def _silence_of(problem: Problem, setting: Setting, rows: Ints) -> Floats:
    """Sum the log probability that these exposures were not seen, [sources, L]."""
    world = problem.world
    record, source = world.exp_record[rows], world.exp_source[rows]
    share = problem.lived[rows] * reach(problem, setting, world.exp_vis[rows], record)

    def column(q: float) -> Floats:
        return total_by(source, np.log1p(-q * share), world.n_sources)

    if len(rows) < _MANY_EXPOSURES:
        return np.stack([column(q) for q in problem.levels.tolist()], axis=1)
    with ThreadPoolExecutor(max_workers=2) as threads:
        return np.stack(list(threads.map(column, problem.levels.tolist())), axis=1)


def explanations(problem: Problem, setting: Setting, *, timed: bool = True) -> Links:
    """Return the links of all holders to all display groups under one setting.

    Not `timed`: any moment after access is as likely as any other.
    """
    events, operator = problem.events, problem.world.operator
    delay = events.time[problem.link_event] - problem.link_since
    site = events.site[problem.link_event]
    codes = pattern_codes(events.level.astype(np.int64))
    shown = problem.displays.by_holder[site, problem.link_vis, codes[problem.link_event]]
    background = problem.background * setting.noise
    background = np.where(events.is_copy, np.maximum(background, copy_rate()), background)
    density = delay_density if timed else _any_time(problem)
    rate = shown * _appearance(problem, setting, delay, density) / background[problem.link_event]
    reached = reach(problem, setting, problem.link_vis, problem.link_record)
    lived = reached * delay_share(delay, operator)
    q = problem.levels[np.newaxis, :]
    ratio = rate[:, np.newaxis] * q / (1.0 - lived[:, np.newaxis] * q)
    key = problem.link_source * max(1, events.n_groups) + events.group[problem.link_event]
    pairs, inverse = np.unique(key, return_inverse=True)
    summed: Floats = np.stack(
        [
            np.bincount(inverse, weights=ratio[:, at], minlength=len(pairs))
            for at in range(ratio.shape[1])
        ],
        axis=1,
    )
    return Links(
        source=pairs // max(1, events.n_groups),
        group=pairs % max(1, events.n_groups),
        ratio=summed,
    )


def _any_time(problem: Problem) -> Density:
    """Return the density of a source that waits for no particular time."""
    hours = problem.world.hours
    return lambda delay, operator: np.asarray(
        np.exp(np.minimum(delay, 0.0) / operator.since_log_lag_mean_h) / hours
    )


def _appearance(problem: Problem, setting: Setting, delay: Floats, density: Density) -> Floats:
    """Return the rate per hour at which each link's record is put up where it was seen, found.

    One page was got at one time and put up at one venue: a source that explains m of its rows
    pays for that once, from the latest of them on, spread evenly over the m.
    """
    world, operator = problem.world, problem.world.operator
    site = problem.events.site[problem.link_event]
    coverage, per_site = _site_shares(world, setting)
    put_up = per_site[site] * density(delay, operator)
    page = problem.events.page[problem.link_event]
    in_time = delay > -_LATE_LAGS * operator.since_log_lag_mean_h
    rows = np.flatnonzero(_is_crowded(problem)[page] & in_time)
    if len(rows):
        key = problem.link_source[rows] * (int(page.max()) + 1) + page[rows]
        pair = np.unique(key, return_inverse=True)[1]
        latest = np.full(int(pair.max()) + 1, np.inf)
        np.minimum.at(latest, pair, np.maximum(delay[rows], 0.0))
        span = min(_PAGE_SPAN_H, world.hours)
        once = per_site[site[rows]] * density(latest, operator)[pair] * span
        late = np.exp(np.minimum(delay[rows], 0.0) / operator.since_log_lag_mean_h)
        put_up[rows] = once ** (1.0 / np.bincount(pair)[pair]) * late / world.hours
    return np.asarray(coverage[site] * put_up)


def _is_crowded(problem: Problem) -> Bools:
    """Tell of each page whether it showed more than one display."""
    return np.asarray(np.bincount(problem.events.page) > 1)


def _site_shares(world: World, setting: Setting) -> tuple[Floats, Floats]:
    channels = [site.channel for site in world.sites]
    coverage = [_coverage(world.operator, channel, setting) for channel in channels]
    shares = [1.0 / channels.count(channel) for channel in channels]
    return np.array(coverage or [0.0]), np.array(shares or [0.0])
