"""Why not the others: one code with its number for every source that is no suspect."""

from collections.abc import Mapping

import numpy as np

from canary.attribution.answer import Exclusion, ExclusionCode
from canary.attribution.campaigns import phones_of
from canary.attribution.chance import pattern_codes
from canary.attribution.delays import delay_density
from canary.attribution.model import Problem, total_by
from canary.attribution.weigh import LEAST_GAIN, Weighing
from canary.attribution.world import FIELDS, Bools, Floats, Ints

_CLEAR_NATS = 2.0
_WOULD_BE_SUSPECT = -1.0
_GRACE_LAGS = 3.0


def exclusions(weighing: Weighing, suspects: frozenset[int], held: Ints) -> Mapping[str, Exclusion]:
    """Return why each other source is excluded; empty when nothing was seen.

    `held` counts the baits each could read. What is told of a source rests on its exposures
    alone, never on the chance of a wrong log.
    """
    problem = weighing.problem
    world = problem.world
    if not len(problem.events) and not problem.campaigns:
        return {}
    seen, gain = count_seen(problem), weighing.gain
    late, field = _penalties(weighing)
    hidden = _hidden_fields(weighing)
    in_time = held_in_time(problem)
    silent = -(weighing.evidence.base @ np.exp(problem.log_weights))
    delta = _latest(weighing)
    found: dict[str, Exclusion] = {}
    for source in range(world.n_sources):
        if source in suspects:
            continue
        code, params = _reason(
            held=int(held[source]),
            linked=bool(seen[source]),
            in_time=bool(in_time[source]),
            bound=float(weighing.bound[source]),
            gain=float(gain[source]),
            late=float(late[source]),
            field=float(field[source]),
            silent=float(silent[source]),
        )
        extra: dict[str, float | int | str] = {"held": int(held[source]), **params}
        if code is ExclusionCode.TOO_LATE:
            extra["hours_late"] = round(float(delta[source]), 3)
        elif code is ExclusionCode.FIELD_NOT_VISIBLE:
            extra["field"] = FIELDS[int(hidden[source])]
        elif code in (ExclusionCode.SILENT, ExclusionCode.CHANCE):
            extra["seen"] = int(seen[source])
        found[world.source_ids[source]] = Exclusion(code=code, params=extra)
    return found


def count_held(problem: Problem) -> Ints:
    """Count the distinct baits each source could read."""
    return _count_distinct(problem, np.ones(len(problem.world.exp_record), dtype=np.bool_))


def count_seen(problem: Problem) -> Ints:
    """Count the distinct baits each source could read that were seen, or whose phone rang."""
    world = problem.world
    seen = np.zeros(world.n_records, dtype=np.bool_)
    seen[problem.events.matches] = True
    for campaign in problem.campaigns:
        seen[phones_of(problem, campaign)] = True
    return _count_distinct(problem, seen[world.exp_record])


def held_in_time(problem: Problem) -> Bools:
    """Tell who could read something before it was seen, or soon enough for a late log."""
    world, events = problem.world, problem.events
    grace = _GRACE_LAGS * world.operator.since_log_lag_mean_h
    soon = problem.link_since <= events.time[problem.link_event] + grace
    found = np.zeros(world.n_sources, dtype=np.bool_)
    found[problem.link_source[soon]] = True
    for campaign in problem.campaigns:
        rung = np.isin(world.exp_record, phones_of(problem, campaign))
        last = float(campaign.first_time.max()) + grace
        found[world.exp_source[rung & (world.exp_since <= last)]] = True
    return found


def _count_distinct(problem: Problem, chosen: Bools) -> Ints:
    world = problem.world
    # Sorted by hand: numpy's unique hashes, which takes half a minute for millions of pairs.
    pairs = np.sort(world.exp_source[chosen] * world.n_records + world.exp_record[chosen])
    first = np.ones(len(pairs), dtype=np.bool_)
    first[1:] = pairs[1:] != pairs[:-1]
    counts = np.bincount(pairs[first] // max(1, world.n_records), minlength=world.n_sources)
    return np.asarray(counts, dtype=np.int64)


def _reason(
    *,
    held: int,
    linked: bool,
    in_time: bool,
    bound: float,
    gain: float,
    late: float,
    field: float,
    silent: float,
) -> tuple[ExclusionCode, dict[str, float | int | str]]:
    if not held or not linked:
        return ExclusionCode.NEVER_HELD, {}
    if not in_time:
        return ExclusionCode.TOO_LATE, {"log10_factor": round(-late / np.log(10.0), 2)}
    # In a small network the base rate alone could make a suspect: the evidence must speak too.
    if bound > _WOULD_BE_SUSPECT and gain > LEAST_GAIN:
        return ExclusionCode.COVERED, {"log10_gain_alone": round(bound / np.log(10.0), 2)}
    worst = max(late, field, silent)
    if worst < _CLEAR_NATS:
        return ExclusionCode.CHANCE, {}
    factor = {"log10_factor": round(-worst / np.log(10.0), 2)}
    if worst == late:
        return ExclusionCode.TOO_LATE, {**factor}
    if worst == field:
        return ExclusionCode.FIELD_NOT_VISIBLE, {**factor}
    return ExclusionCode.SILENT, {**factor}


def _penalties(weighing: Weighing) -> tuple[Floats, Floats]:
    """Return the nats each source loses by coming late and by not seeing a field."""
    problem = weighing.problem
    world = problem.world
    count = world.n_sources
    if not len(problem.link_event):
        return np.zeros(count), np.zeros(count)
    delay = problem.events.time[problem.link_event] - problem.link_since
    operator = world.operator
    at_rest = delay_density(np.zeros(1), operator)[0]
    early = np.log(at_rest / np.maximum(delay_density(np.minimum(delay, 0.0), operator), 1e-300))
    late = total_by(problem.link_source, np.where(delay < 0, early, 0.0), count)
    shown = _shown(weighing)
    best = np.zeros(len(problem.events))
    np.maximum.at(best, problem.link_event, shown)
    ratio = np.log(np.maximum(best[problem.link_event], 1e-300) / np.maximum(shown, 1e-300))
    return late, total_by(problem.link_source, ratio, count)


def _shown(weighing: Weighing) -> Floats:
    problem = weighing.problem
    codes = pattern_codes(problem.events.level.astype(np.int64))
    site = problem.events.site[problem.link_event]
    return np.asarray(problem.displays.by_holder[site, problem.link_vis, codes[problem.link_event]])


def _hidden_fields(weighing: Weighing) -> Ints:
    """Return, per source, the field most often shown clearer than it could see it."""
    problem = weighing.problem
    world = problem.world
    shortfall = np.zeros((world.n_sources, len(FIELDS)))
    if len(problem.link_event):
        shown = problem.events.level[problem.link_event]
        visible = world.vis[problem.link_vis]
        np.add.at(shortfall, problem.link_source, (shown > visible).astype(np.float64))
    return np.asarray(shortfall.argmax(axis=1), dtype=np.int64)


def _latest(weighing: Weighing) -> Floats:
    """Return by how many hours each source came too late at most."""
    problem = weighing.problem
    late = np.zeros(problem.world.n_sources)
    if len(problem.link_event):
        delay = problem.link_since - problem.events.time[problem.link_event]
        np.maximum.at(late, problem.link_source, delay)
    return late
