"""Leaks, copies, coincidences, spam and campaigns for the simulator."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from canary.attribution.chance import PATTERNS, FieldChances, display_tables, field_chances
from canary.attribution.world import FULL, MASKED, Floats, Ints, Sightings, World

_COPY_GAP_H = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What really happened: leakers, their leak fractions, and where each sighting came from.

    `provenance[sighting] = (source or -1, record, id of the original or None)`.
    """

    leakers: tuple[int, ...]
    leak_fraction: dict[int, float]
    provenance: dict[str, tuple[int, int, str | None]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """The true rates the operator only estimates; times in hours."""

    coverage: dict[str, float]
    weight_fast: float
    mean_fast_h: float
    mean_slow_h: float
    spam: float = 0.0
    copies_mean: float = 0.9
    storm_copies: int = 0


@dataclass(slots=True)
class Draft:
    """Sightings in the making."""

    rows: list[tuple[str, float, int, tuple[int, ...], int, str]] = field(default_factory=list)
    provenance: dict[str, tuple[int, int, str | None]] = field(default_factory=dict)

    def add(
        self,
        time: float,
        site: int,
        level: tuple[int, ...],
        record: int,
        source: int,
        copy_of: str | None = None,
        template: str = "",
    ) -> str:
        """Write one sighting down and return its id."""
        name = f"Y{len(self.rows):05d}"
        self.rows.append((name, time, site, level, record, template))
        self.provenance[name] = (source, record, copy_of)
        return name


def mask(kind: int, text: str) -> str:
    """Mask a waybill, phone or name the way sites do."""
    if kind == 0:
        return text[:9] + "*" * (len(text) - 9)
    if kind == 1:
        return text[:3] + "****" + text[-4:]
    return text[:1] + "*" * (len(text) - 1)


def draw_delay(rng: np.random.Generator, nature: Nature, count: int) -> Floats:
    """Draw delays from access to sighting."""
    fast = rng.random(count) < nature.weight_fast
    mean = np.where(fast, nature.mean_fast_h, nature.mean_slow_h)
    return np.asarray(rng.exponential(1.0, count) * mean)


def draw_levels(
    rng: np.random.Generator, world: World, site: int, visible: Sequence[int]
) -> tuple[int, ...]:
    """Draw what a listing shows of what the seller can see."""
    levels = []
    for at, (full, masked) in enumerate(world.sites[site].show):
        seen = FULL if rng.random() < world.operator.enrichment_rate else visible[at]
        luck = rng.random()
        wanted = FULL if luck < full else MASKED if luck < full + masked else 0
        levels.append(min(wanted, seen))
    return tuple(levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who really had which record, from when, seeing what."""

    record: Ints
    source: Ints
    since: Floats
    vis_of: Ints


def leak(
    rng: np.random.Generator,
    world: World,
    access: Access,
    nature: Nature,
    fractions: dict[int, float],
    draft: Draft,
    *,
    held_back: frozenset[str] = frozenset(),
) -> None:
    """Let each leaker pass its records on; only what a monitor reports is written down."""
    chances = field_chances(world)
    channels = [site.channel for site in world.sites]
    for source, fraction in fractions.items():
        rows = np.flatnonzero(access.source == source)
        passed = rows[rng.random(len(rows)) < fraction]
        delays = draw_delay(rng, nature, len(passed))
        for row, delay in zip(passed.tolist(), delays.tolist(), strict=True):
            record = int(access.record[row])
            site = int(rng.integers(len(world.sites)))
            time = float(access.since[row]) + delay
            if world.phones[record] in held_back or time > world.end:
                continue
            if rng.random() >= nature.coverage[channels[site]]:
                continue
            level = draw_levels(rng, world, site, world.vis[access.vis_of[row]].tolist())
            if _is_reported(world, chances, record, level, site):
                original = draft.add(time, site, level, record, source)
                repost(rng, world, nature, draft, original, source)


def _is_reported(
    world: World, chances: FieldChances, record: int, level: tuple[int, ...], site: int
) -> bool:
    if not any(level):
        return False
    if world.sites[site].channel == "sms":
        return level[1] == FULL
    chance = chances.of_display(np.array([record]), np.array([level]))[0]
    return bool(chance < world.operator.report_only_if_match_p_below)


def repost(
    rng: np.random.Generator,
    world: World,
    nature: Nature,
    draft: Draft,
    original: str,
    source: int,
    count: int | None = None,
) -> None:
    _, time, _, level, record, _ = draft.rows[int(original[1:])]
    copies = int(rng.geometric(1 / (1 + nature.copies_mean)) - 1) if count is None else count
    for gap in rng.exponential(_COPY_GAP_H, copies).tolist():
        if time + gap <= world.end:
            site = int(rng.integers(len(world.sites)))
            draft.add(time + gap, site, level, record, source, copy_of=original)


def coincide(rng: np.random.Generator, world: World, nature: Nature, draft: Draft) -> None:
    """Add strangers' listings that agree with a bait by chance, at the stated rates."""
    chances = field_chances(world)
    displays = display_tables(world, chances)
    limit = world.operator.report_only_if_match_p_below
    everyone = np.arange(world.n_records)
    for code, pattern in enumerate(PATTERNS):
        levels = np.tile(np.array(pattern, dtype=np.int64), (world.n_records, 1))
        chance = chances.of_display(everyone, levels) if code else np.ones(world.n_records)
        chance = np.where(chance < limit, chance, 0.0)
        for at, site in enumerate(world.sites):
            true_share = _habit(site.show, pattern)
            expected = site.corpus * true_share * chance
            if site.channel == "sms" or displays.by_stranger[at, code] <= 0.0:
                continue
            for _ in range(int(rng.poisson(expected.sum()))):
                record = int(rng.choice(everyone, p=expected / expected.sum()))
                time = float(rng.uniform(world.start, world.end))
                original = draft.add(time, at, pattern, record, -1)
                repost(rng, world, nature, draft, original, -1)


def _habit(show: tuple[tuple[float, float], ...], pattern: tuple[int, ...]) -> float:
    share = 1.0
    for (full, masked), level in zip(show, pattern, strict=True):
        share *= (1.0 - full - masked, masked, full)[level]
    return share


def spam(rng: np.random.Generator, world: World, nature: Nature, draft: Draft) -> None:
    """Ring bait phones for reasons that have nothing to do with a leak."""
    record_of: dict[str, int] = {}
    for at, phone in enumerate(world.phones):
        record_of.setdefault(phone, at)
    for record in record_of.values():
        for _ in range(int(rng.poisson(nature.spam))):
            time = float(rng.uniform(world.start, world.end))
            original = draft.add(time, 0, (0, FULL, 0, 0), record, -1)
            storm = int(rng.integers(6, 18)) if rng.random() < 0.2 else None
            repost(rng, world, nature, draft, original, -1, storm)


def campaigns(
    rng: np.random.Generator,
    world: World,
    access: Access,
    nature: Nature,
    fractions: dict[int, float],
    draft: Draft,
) -> None:
    """Let buyers text the lists they bought, add storms over all lines and single strays."""
    expected = world.operator.campaigns
    assert expected is not None
    names = (f"T{at:03d}" for at in itertools.count(1))
    coverage = nature.coverage["sms"]
    for source, fraction in fractions.items():
        records = access.record[access.source == source]
        for _ in range(int(rng.poisson(2.0))):
            start = float(draw_delay(rng, nature, 1)[0])
            rung = records[rng.random(len(records)) < fraction * coverage]
            _burst(rng, world, draft, rung, start, source, next(names))
    phones = {phone: at for at, phone in reversed(list(enumerate(world.phones)))}
    lines = np.array(sorted(phones.values()))
    for _ in range(int(rng.poisson(1.0))):
        rung = lines[rng.random(len(lines)) < rng.uniform(0.1, 0.9)]
        _burst(rng, world, draft, rung, float(rng.uniform(0, world.end)), -1, next(names))
    for _ in range(int(rng.poisson(2.4))):
        name = next(names)
        for record in rng.choice(lines, int(rng.geometric(0.5)), replace=False).tolist():
            time = float(rng.uniform(world.start, world.end))
            draft.add(time, 0, (0, FULL, 0, 0), int(record), -1, template=name)


def _burst(
    rng: np.random.Generator,
    world: World,
    draft: Draft,
    records: Ints,
    start: float,
    source: int,
    template: str,
) -> None:
    for record in records.tolist():
        time = start + float(rng.exponential(12.0))
        if time <= world.end:
            draft.add(time, 0, (0, FULL, 0, 0), int(record), source, template=template)


def with_sightings(world: World, draft: Draft) -> World:
    """Put the drafted sightings into the world, in order of time, with everything they match."""
    rows = sorted(draft.rows, key=lambda row: (row[1], row[0]))
    shown = [_shown(world, row[4], row[3]) for row in rows]
    matches = _compatible(world, [row[3] for row in rows], shown, [row[4] for row in rows])
    sizes = [len(one) for one in matches]
    sightings = Sightings(
        ids=tuple(row[0] for row in rows),
        time=np.array([row[1] for row in rows], dtype=np.float64),
        site=np.array([row[2] for row in rows], dtype=np.int64),
        level=np.array([row[3] for row in rows], dtype=np.int8).reshape(-1, 4),
        shown=tuple(shown),
        match_starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        matches=np.array([one for row in matches for one in row], dtype=np.int64),
        template=tuple(row[5] for row in rows),
        channel_class=tuple(world.sites[row[2]].channel_class for row in rows),
    )
    return replace(world, sightings=sightings)


def _shown(world: World, record: int, level: tuple[int, ...]) -> tuple[str, ...]:
    columns = (world.waybills, world.phones, world.names, world.districts)
    return tuple(
        "" if not step else column[record] if step == FULL else mask(kind, column[record])
        for kind, (step, column) in enumerate(zip(level, columns, strict=True))
    )


def _compatible(
    world: World,
    levels: Sequence[tuple[int, ...]],
    shown: Sequence[tuple[str, ...]],
    records: Sequence[int],
) -> list[list[int]]:
    """Return every record compatible with each display of a record."""
    numbered = len(set(world.waybills)) == world.n_records
    told = {level for level in levels if level[0] == FULL and numbered}
    by_pattern: dict[tuple[int, ...], dict[tuple[str, ...], list[int]]] = {}
    for level in set(levels) - told:
        index: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for record in range(world.n_records):
            index[_shown(world, record, level)].append(record)
        by_pattern[level] = index
    return [
        [record] if level in told else by_pattern[level][text]
        for level, text, record in zip(levels, shown, records, strict=True)
    ]
