"""How likely a display is by coincidence, and which displays a monitor would report at all.

Formulas: ATTRIBUTION.md section 4 (chance matches) and 2 (display habits, keep).
"""

import itertools
from dataclasses import dataclass

import numpy as np

from canary.attribution.world import FIELDS, FULL, HIDDEN, MASKED, Floats, Ints, Operator, World

PATTERNS = tuple(itertools.product(range(3), repeat=len(FIELDS)))
_PLAIN_SURNAME = 0.0268
_PLAIN_GIVEN = 0.01
_PLAIN_DISTRICT = 3.5e-4
_LEAST_HABIT = 1e-4
_PLACE_VALUES = np.array([27, 9, 3, 1], dtype=np.int64)


def pattern_codes(levels: Ints) -> Ints:
    """Number the displays: levels [n, 4] to indices into PATTERNS."""
    codes: Ints = levels.astype(np.int64) @ _PLACE_VALUES
    return codes


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChances:
    """Probability that a stranger's listing agrees with a record, per field and level.

    `masked[f]` and `full[f]` are arrays over records.
    """

    masked: tuple[Floats, ...]
    full: tuple[Floats, ...]

    def of_display(self, records: Ints, levels: Ints) -> Floats:
        """Multiply the fields shown: records [n] with levels [n, 4] to probabilities [n]."""
        chance = np.ones(len(records))
        for at in range(len(FIELDS)):
            step = levels[:, at]
            chance *= np.where(
                step == FULL,
                self.full[at][records],
                np.where(step == MASKED, self.masked[at][records], 1.0),
            )
        return chance


def field_chances(world: World) -> FieldChances:
    """Look the coincidence rate of every record's fields up in the operator's tables."""
    operator, count = world.operator, world.n_records
    surname, given = _name_chances(world.names, operator)
    district = _district_chances(world.districts, operator)
    whole_name = np.minimum(surname * given * operator.name_dependence, surname)
    return FieldChances(
        masked=(
            np.full(count, operator.chance_waybill[1]),
            np.full(count, operator.chance_phone[1]),
            surname,
            district,
        ),
        full=(
            np.full(count, operator.chance_waybill[0]),
            np.full(count, operator.chance_phone[0]),
            whole_name,
            district,
        ),
    )


def _name_chances(names: tuple[str, ...], operator: Operator) -> tuple[Floats, Floats]:
    """Return P(surname) and P(given name), the latter as a product of characters."""
    chars = _code_points(names)
    compound = {key: share for key, share in operator.surname.items() if len(key) > 1}
    surname = _by_code_point(operator.surname, _PLAIN_SURNAME)[chars[:, 0]]
    per_char = _by_code_point(operator.given, _PLAIN_GIVEN)[chars[:, 1:]]
    per_char[chars[:, 1:] == 0] = 1.0
    given = per_char.prod(axis=1)
    for at in np.flatnonzero([name[:2] in compound for name in names]) if compound else []:
        surname[at] = compound[names[at][:2]]
        given[at] = per_char[at, 1:].prod()
    return surname, given


def _code_points(names: tuple[str, ...]) -> Ints:
    if not names:
        return np.zeros((0, 8), dtype=np.int64)
    table = np.array(names, dtype="U8").view(np.uint32).reshape(len(names), 8)
    return np.minimum(table, 0xFFFF).astype(np.int64)


def _by_code_point(shares: dict[str, float], plain: float) -> Floats:
    least = min((share for share in shares.values() if share > 0), default=plain)
    table = np.full(0x10000, min(plain, least) if shares else plain)
    for key, share in shares.items():
        if len(key) == 1:
            table[min(ord(key), 0xFFFF)] = max(share, 1e-9)
    return table


def _district_chances(districts: tuple[str, ...], operator: Operator) -> Floats:
    least = min((s for s in operator.district.values() if s > 0), default=_PLAIN_DISTRICT)
    plain = min(_PLAIN_DISTRICT, least)
    shares = {key: max(share, 1e-9) for key, share in operator.district.items()}
    look_up = shares.get
    return np.array([look_up(one, plain) for one in districts], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Displays:
    """Display habits turned into tables over (site, visibility profile, pattern)."""

    by_holder: Floats
    by_stranger: Floats
    keep: dict[str, Floats]
    expected_chance: float


def display_tables(world: World, chances: FieldChances) -> Displays:
    """Tabulate P(display | what the holder sees, site), P(display | site), and what is reported.

    `keep[channel]` is [profiles, records]: the share of listings precise enough to be reported.
    """
    by_holder = np.zeros((len(world.sites), len(world.vis), len(PATTERNS)))
    by_stranger = np.zeros((len(world.sites), len(PATTERNS)))
    for at, site in enumerate(world.sites):
        levels = _level_chances(site.show, world.operator.enrichment_rate)
        by_stranger[at] = _pattern_chances(levels[FULL][np.newaxis], np.full((1, 4), 0))[0]
        by_holder[at] = _pattern_chances(levels, world.vis.astype(np.int64))
    keep, expected = _reported(world, chances, by_holder, by_stranger)
    return Displays(
        by_holder=by_holder, by_stranger=by_stranger, keep=keep, expected_chance=expected
    )


def _level_chances(show: tuple[tuple[float, float], ...], enrichment: float) -> Floats:
    """Return P(level shown | level visible), [visible, field, shown]."""
    table = np.zeros((3, len(FIELDS), 3))
    for at, (full, masked) in enumerate(show):
        table[FULL, at] = (1.0 - full - masked, masked, full)
        table[MASKED, at] = (1.0 - full - masked, masked + full * (1 - enrichment), 0.0)
        table[MASKED, at, FULL] = enrichment * full
        table[HIDDEN, at] = (0.0, enrichment * masked, enrichment * full)
        table[HIDDEN, at, HIDDEN] = 1.0 - table[HIDDEN, at].sum()
    floors = np.array([1.0, enrichment, enrichment])[::-1][:, np.newaxis, np.newaxis]
    return np.maximum(table, _LEAST_HABIT * floors)


def _pattern_chances(levels: Floats, profiles: Ints) -> Floats:
    """Multiply over the fields: [profiles, patterns]."""
    patterns = np.array(PATTERNS)
    chance = np.ones((len(profiles), len(PATTERNS)))
    for at in range(len(FIELDS)):
        chance *= levels[profiles[:, at], at][:, patterns[:, at]]
    return chance


def _reported(
    world: World, chances: FieldChances, by_holder: Floats, by_stranger: Floats
) -> tuple[dict[str, Floats], float]:
    """Sum the displays a monitor reports; also the expected number of coincidences."""
    limit = world.operator.report_only_if_match_p_below
    shape = (len(world.vis), world.n_records)
    channels = sorted({site.channel for site in world.sites})
    keep = {channel: np.zeros(shape) for channel in channels}
    always = {channel: np.zeros((len(world.vis), 1)) for channel in channels}
    sites_of = {
        channel: [at for at, site in enumerate(world.sites) if site.channel == channel]
        for channel in channels
    }
    corpus = np.array([site.corpus for site in world.sites])
    tails = _Tails(chances, limit)
    expected = 0.0
    for code, pattern in enumerate(PATTERNS):
        if code == 0 or _is_rare(by_stranger[:, code], by_holder[..., code]):
            continue
        reported, total = tails.reported(pattern)
        for channel, members in sites_of.items():
            weight = by_holder[members, :, code].mean(axis=0)[:, np.newaxis]
            if channel == "sms":
                always[channel] += weight * (1.0 if pattern[1] else 0.0)
            elif isinstance(reported, float):
                always[channel] += weight * reported
            elif reported is not None:
                keep[channel] += weight * reported
        expected += float((corpus * by_stranger[:, code]).sum()) * total
    for channel, table in keep.items():
        np.minimum(table + always[channel], 1.0, out=table)
    return keep, expected


class _Tails:
    """Chance of a pattern over all records, quick where name and district do not matter."""

    def __init__(self, chances: FieldChances, limit: float) -> None:
        self.chances, self.limit = chances, limit
        self._cache: dict[tuple[int, ...], tuple[Floats, float, float, float]] = {}

    def reported(self, pattern: tuple[int, ...]) -> tuple[Floats | float | None, float]:
        """Return which records' matches are reported (1.0: all, None: none) and their sum."""
        tail, least, most, total = self._tail(pattern[2:])
        if not len(tail):
            return None, 0.0
        head = self._head(pattern)
        if head * most < self.limit:
            return 1.0, head * total
        if head * least >= self.limit:
            return None, 0.0
        chosen = head * tail < self.limit
        return chosen.astype(np.float64), head * float(tail[chosen].sum())

    def _head(self, pattern: tuple[int, ...]) -> float:
        head = 1.0
        for at in (0, 1):
            column = self.chances.full if pattern[at] == FULL else self.chances.masked
            head *= float(column[at][0]) if pattern[at] else 1.0
        return head

    def _tail(self, levels: tuple[int, ...]) -> tuple[Floats, float, float, float]:
        found = self._cache.get(levels)
        if found is None:
            tail = np.ones(len(self.chances.full[0]))
            for at, level in zip((2, 3), levels, strict=True):
                column = self.chances.full if level == FULL else self.chances.masked
                tail = tail * column[at] if level else tail
            least, most = float(tail.min(initial=1.0)), float(tail.max(initial=0.0))
            found = (tail, least, most, float(tail.sum()))
            self._cache[levels] = found
        return found


def _is_rare(by_stranger: Floats, by_holder: Floats) -> bool:
    most = max(by_stranger.max(initial=0.0), by_holder.max(initial=0.0))
    return bool(most <= 2 * _LEAST_HABIT)
