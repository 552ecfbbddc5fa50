"""Trials for the figures: framing campaigns, honest leaks, and a national network."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from canary.attribution import simulate_leaks as leaks
from canary.attribution import simulate_network as networks
from canary.attribution.answer import Cap
from canary.attribution.infer import attribute
from canary.attribution.simulate import base_world
from canary.attribution.simulate_leaks import Draft, Nature
from canary.attribution.world import FULL, MASKED, ChannelClass, Ints, Operator, Sightings, World

_UNTRUSTED = (ChannelClass.RELAY, ChannelClass.MANUAL, ChannelClass.ANONYMOUS)
_SOURCES, _BAITS = 60, 12


@lru_cache(maxsize=1)
def _small_world() -> World:
    return base_world(np.random.default_rng(7), n_sources=_SOURCES, baits=_BAITS)


def framing_trial(rng: np.random.Generator) -> int:
    """Frame one innocent source through untrusted channels; return how many sources are named."""
    world, victim = _small_world(), int(rng.integers(_SOURCES))
    theirs = np.flatnonzero(world.exp_source == victim)
    seen = rng.choice(theirs, int(rng.integers(1, len(theirs) + 1)), replace=False)
    draft = Draft()
    for row in np.repeat(seen, int(rng.integers(1, 4))).tolist():
        time = min(world.end, float(world.exp_since[row]) + float(rng.exponential(40.0)))
        site = int(rng.integers(len(world.sites)))
        draft.add(time, site, _display(rng), int(world.exp_record[row]), -1)
    framed = leaks.with_sightings(world, draft)
    classes = tuple(_UNTRUSTED[at] for at in rng.integers(0, 3, len(framed.sightings)).tolist())
    framed = replace(framed, sightings=replace(framed.sightings, channel_class=classes))
    return len(attribute(framed).named)


def honest_trial(rng: np.random.Generator) -> tuple[int, int]:
    """Let three baits of one source be found by own monitors; return (named right, named wrong)."""
    world, leaker = _small_world(), int(rng.integers(_SOURCES))
    theirs = np.flatnonzero(world.exp_source == leaker)
    draft = Draft()
    for row in rng.choice(theirs, 3, replace=False).tolist():
        time = min(world.end, float(world.exp_since[row]) + float(rng.exponential(40.0)))
        site = int(rng.integers(len(world.sites)))
        draft.add(time, site, (FULL, 0, 0, 0), int(world.exp_record[row]), leaker)
    leaks.coincide(rng, world, _NATURE, draft)
    named = set(attribute(leaks.with_sightings(world, draft)).named)
    right = world.source_ids[leaker]
    return int(right in named), len(named - {right})


@lru_cache(maxsize=1)
def _world_with_controls() -> World:
    """Return the small world with every twentieth bait kept at home."""
    world = _small_world()
    control = np.arange(world.n_records) % 20 == 0
    kept = ~control[world.exp_record]
    return replace(
        world,
        control=control,
        exp_record=world.exp_record[kept],
        exp_source=world.exp_source[kept],
        exp_since=world.exp_since[kept],
        exp_vis=world.exp_vis[kept],
        exp_reveal=world.exp_reveal[kept],
    )


def sweep_trial(rng: np.random.Generator) -> tuple[int, bool]:
    """Let somebody count through everything; return (sources named, whether it was noticed)."""
    world = _world_with_controls()
    seen = rng.choice(world.n_records, int(rng.integers(20, 201)), replace=False)
    answer = attribute(_put_up(rng, world, seen, together=bool(rng.random() < 0.5)))
    return len(answer.named), Cap.SWEEP in answer.caps


def list_trial(rng: np.random.Generator) -> bool:
    """Let one source sell part of its list; tell whether that is mistaken for a sweep."""
    world, leaker = _world_with_controls(), int(rng.integers(_SOURCES))
    theirs = world.exp_record[world.exp_source == leaker]
    sold = rng.choice(theirs, int(rng.integers(3, len(theirs) + 1)), replace=False)
    strays = rng.choice(world.n_records, int(rng.integers(0, 2)), replace=False)
    seen = np.union1d(sold, strays)
    answer = attribute(_put_up(rng, world, seen, together=bool(rng.random() < 0.5)))
    return Cap.SWEEP in answer.caps


def _put_up(rng: np.random.Generator, world: World, records: Ints, *, together: bool) -> World:
    """Show these records in full numbers, on one page or one by one over two weeks."""
    draft = Draft()
    at = float(rng.uniform(900.0, 1000.0))
    for record in records.tolist():
        time, site = (at, 0) if together else (at + float(rng.uniform(0, 336.0)), record % 3)
        draft.add(time, site, (FULL, 0, 0, 0), record, -1)
    return leaks.with_sightings(world, draft)


_NATURE = Nature(
    coverage={"resale": 0.3, "sms": 0.85}, weight_fast=0.6, mean_fast_h=18.0, mean_slow_h=240.0
)


def _display(rng: np.random.Generator) -> tuple[int, ...]:
    return (FULL, int(rng.integers(3)), int(rng.integers(3)), FULL if rng.random() < 0.5 else 0)


def national_world(
    rng: np.random.Generator,
    *,
    n_records: int = 1_000_000,
    n_sightings: int = 100_000,
    n_leakers: int = 60,
) -> tuple[World, tuple[int, ...]]:
    """Make 30,000 sources in five stages with five holders a record, and its leakers."""
    sizes = (2000, 8000, 800, 1200, 18000)
    tables = networks.make_tables(rng)
    first = np.concatenate([[0], np.cumsum(sizes)])
    source = np.concatenate(
        [first[at] + rng.integers(0, size, n_records) for at, size in enumerate(sizes)]
    )
    gaps = ((0.0, 0.1), (0.5, 14.0), (2.0, 8.0), (4.0, 20.0), (6.0, 30.0))
    issued = rng.uniform(0.0, networks.ISSUED_UNTIL, n_records)
    waits = np.stack([rng.uniform(low, high, n_records) for low, high in gaps])
    since = (np.cumsum(waits, axis=0) + issued).ravel()
    small = _small_world()
    count = int(first[-1])
    stages = [
        stage for stage, size in zip(networks.CHAIN_STAGES, sizes, strict=True) for _ in range(size)
    ]
    world = replace(
        small,
        source_ids=tuple(f"S{at:05d}" for at in range(count)),
        stages=tuple(stages),
        parent=np.full(count, -1, dtype=np.int64),
        record_ids=tuple(f"R{at:07d}" for at in range(n_records)),
        waybills=networks.waybill_numbers(rng, n_records),
        phones=("",) * n_records,
        names=networks.draw_names(rng, tables, n_records),
        districts=networks.draw_districts(rng, tables, n_records),
        issued=issued,
        control=np.zeros(n_records, dtype=np.bool_),
        sealed=np.zeros(n_records, dtype=np.bool_),
        vis=networks.CHAIN_VIS,
        exp_record=np.tile(np.arange(n_records), len(sizes)),
        exp_source=source,
        exp_since=since,
        exp_vis=np.repeat(np.arange(len(sizes)), n_records),
        exp_reveal=np.zeros(len(since), dtype=np.bool_),
        operator=replace(
            small.operator,
            expected_leakers=float(n_leakers),
            surname=tables.surname,
            given=tables.given,
            district=tables.district,
        ),
    )
    leakers = tuple(sorted(rng.choice(count, n_leakers, replace=False).tolist()))
    return _crowded(rng, world, leakers, n_sightings), leakers


def _crowded(
    rng: np.random.Generator, world: World, leakers: tuple[int, ...], n_sightings: int
) -> World:
    """Add leaks, coincidences and as many reposts as make the wanted number of sightings."""
    rows: list[tuple[float, int, int]] = []
    operator: Operator = world.operator
    fraction = dict(zip(leakers, rng.beta(*operator.leak_fraction_beta, len(leakers)), strict=True))
    for row in np.flatnonzero(np.isin(world.exp_source, leakers)).tolist():
        if rng.random() < fraction[int(world.exp_source[row])] * 0.3:
            mean = operator.mean_fast_h if rng.random() < 0.6 else operator.mean_slow_h
            time = float(world.exp_since[row] + rng.exponential(mean))
            rows.append((time, int(world.exp_record[row]), FULL))
    rows += [
        (float(rng.uniform(0, world.end)), int(rng.integers(world.n_records)), MASKED)
        for _ in range(600)
    ]
    rows = [row for row in rows if row[0] <= world.end]
    for at in rng.integers(0, len(rows), n_sightings - len(rows)).tolist():
        time, record, level = rows[at]
        rows.append((min(world.end, time + float(rng.exponential(30.0))), record, level))
    return replace(world, sightings=_bare_numbers(rng, world, sorted(rows)))


def _bare_numbers(
    rng: np.random.Generator, world: World, rows: list[tuple[float, int, int]]
) -> Sightings:
    level = np.zeros((len(rows), 4), dtype=np.int8)
    level[:, 0] = [row[2] for row in rows]
    return Sightings(
        ids=tuple(f"Y{at:06d}" for at in range(len(rows))),
        time=np.array([row[0] for row in rows]),
        site=rng.integers(0, len(world.sites), len(rows)),
        level=level,
        shown=tuple(_shown(world, record, step) for _, record, step in rows),
        match_starts=np.arange(len(rows) + 1, dtype=np.int64),
        matches=np.array([row[1] for row in rows], dtype=np.int64),
        template=("",) * len(rows),
        channel_class=(ChannelClass.OWN,) * len(rows),
    )


def _shown(world: World, record: int, step: int) -> tuple[str, ...]:
    number = world.waybills[record]
    masked = f"{number[:3]}***{number[6:]}"
    return (number if step == FULL else masked, "", "", "")
