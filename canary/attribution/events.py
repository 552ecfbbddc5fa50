"""Sightings to independent leak events: reposts collapse to the first, messages to campaigns."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from canary.attribution.world import Floats, Ints, Sightings, Small, World

_COPY_RATE_PER_H = 2e-4
_SAME_PAGE_H = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Independent events, one row each: the first sighting of every distinct display.

    `group` joins events that show the same single record: together they are one leak, of which
    a later, poorer display is most likely a copy (`is_copy`). `page` joins what one venue showed
    at one time: it was got together, so its delays are one delay, not many.
    """

    first_row: Ints
    rows: tuple[tuple[int, ...], ...]
    time: Floats
    site: Ints
    level: Small
    match_starts: Ints
    matches: Ints
    group: Ints
    n_groups: int
    is_copy: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    page: Ints

    def __len__(self) -> int:
        return len(self.first_row)

    def matched_by(self, event: int) -> Ints:
        """Return the records compatible with the event's display."""
        return self.matches[self.match_starts[event] : self.match_starts[event + 1]]


def copy_rate() -> float:
    """Return the rate per hour at which another display of a known leak is a mere copy."""
    return _COPY_RATE_PER_H


def collapse(world: World, rows: Ints) -> Events:
    """Collapse the sightings in `rows` (with matches) to events, in order of first time."""
    seen = world.sightings
    order = rows[np.argsort(seen.time[rows], kind="stable")]
    same: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in order.tolist():
        same[seen.shown[row]].append(row)
    first = np.array([members[0] for members in same.values()], dtype=np.int64)
    sizes = (seen.match_starts[first + 1] - seen.match_starts[first]).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    matches = (
        np.concatenate([seen.matched_by(row) for row in first.tolist()])
        if len(first)
        else np.zeros(0, dtype=np.int64)
    )
    group, is_copy = _groups(seen, first, starts, matches)
    return Events(
        first_row=first,
        rows=tuple(tuple(members) for members in same.values()),
        time=seen.time[first],
        site=seen.site[first],
        level=seen.level[first],
        match_starts=starts,
        matches=matches,
        group=group,
        n_groups=int(group.max(initial=-1)) + 1,
        is_copy=is_copy,
        page=_pages(world, seen.time[first], seen.site[first]),
    )


def _pages(world: World, time: Floats, site: Ints) -> Ints:
    """Number the pages: listings of one venue with no more than minutes between them."""
    order = np.lexsort((time, site))
    messages = np.array([one.channel == "sms" for one in world.sites] or [False])[site[order]]
    apart = np.diff(time[order], prepend=-np.inf) > _SAME_PAGE_H
    apart |= (np.diff(site[order], prepend=-1) != 0) | messages
    page = np.zeros(len(order), dtype=np.int64)
    page[order] = np.cumsum(apart) - 1
    return page


def _groups(
    seen: Sightings, first: Ints, starts: Ints, matches: Ints
) -> tuple[Ints, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]:
    group = np.zeros(len(first), dtype=np.int64)
    is_copy = np.zeros(len(first), dtype=np.bool_)
    of_record: dict[int, int] = {}
    earlier: dict[int, list[int]] = defaultdict(list)
    count = 0
    for event, row in enumerate(first.tolist()):
        alone = starts[event + 1] - starts[event] == 1
        record = int(matches[starts[event]]) if alone else -1
        if alone and record in of_record:
            group[event] = of_record[record]
            is_copy[event] = any(
                bool((seen.level[row] <= seen.level[before]).all()) for before in earlier[record]
            )
        else:
            group[event] = count
            if alone:
                of_record[record] = count
            count += 1
        if alone:
            earlier[record].append(row)
    return group, is_copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Messages of one template: which phones it reached, and when first."""

    template: str
    rows: tuple[int, ...]
    phones: tuple[str, ...]
    first_time: Floats


def gather_campaigns(world: World, rows: Ints) -> tuple[Campaign, ...]:
    """Gather the sightings in `rows` by template."""
    seen = world.sightings
    together: dict[str, dict[str, float]] = defaultdict(dict)
    members: dict[str, list[int]] = defaultdict(list)
    for row in rows.tolist():
        phones = {world.phones[record] for record in seen.matched_by(row).tolist()}
        for phone in phones:
            before = together[seen.template[row]].get(phone, np.inf)
            together[seen.template[row]][phone] = min(before, float(seen.time[row]))
        members[seen.template[row]].append(row)
    return tuple(
        Campaign(
            template=template,
            rows=tuple(members[template]),
            phones=tuple(sorted(reached)),
            first_time=np.array([reached[phone] for phone in sorted(reached)]),
        )
        for template, reached in sorted(together.items())
    )
