"""Invented worlds with known truth: the fifteen kinds of ATTRIBUTION.md, and trial of a plan."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from canary.attribution import simulate_leaks as leaks
from canary.attribution import simulate_network as networks
from canary.attribution.simulate_leaks import Access, Draft, Nature, Truth
from canary.attribution.simulate_network import Network, Tables
from canary.attribution.simulate_recipes import (
    CAMPAIGN_RECIPE,
    CHAIN_RECIPE,
    COPIES_RECIPE,
    DIRTY_RECIPE,
    MASKED_RECIPE,
    POOL_RECIPE,
    PRE_PICKUP_RECIPE,
    RESALE_RECIPE,
    TWIN_RECIPE,
    Recipe,
    estimate,
    show_phones,
)
from canary.attribution.world import Operator, Sightings, World

_EMPTY = Sightings(
    ids=(),
    time=np.zeros(0),
    site=np.zeros(0, dtype=np.int64),
    level=np.zeros((0, 4), dtype=np.int8),
    shown=(),
    match_starts=np.zeros(1, dtype=np.int64),
    matches=np.zeros(0, dtype=np.int64),
    template=(),
    channel_class=(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A world, what really happened in it, and the rates the operator only estimates."""

    world: World
    truth: Truth
    rates: Operator


def scenario_names() -> tuple[str, ...]:
    """Return the fifteen kinds of worlds."""
    return tuple(_SCENARIOS)


def simulate(scenario: str, rng: np.random.Generator, *, seed: int = 0) -> Simulated:
    """Make one world of a kind; the same generator state gives the same world.

    Raises KeyError for an unknown kind.
    """
    return _SCENARIOS[scenario](rng, scenario, seed)


def base_world(rng: np.random.Generator, *, n_sources: int, baits: int) -> World:
    """Make a network of sources with baits of their own and nothing sighted yet."""
    tables = networks.make_tables(rng)
    network = networks.single_network(rng, tables, n_sources=n_sources, baits=baits)
    return _world(network, tables, RESALE_RECIPE, rng, ("unique", 0))


def simulate_plan(
    world: World, leakers: dict[int, float], nature: Nature, rng: np.random.Generator
) -> Simulated:
    """Try a seeding plan: let given sources leak with given fractions and see what is sighted."""
    access = Access(
        record=world.exp_record,
        source=world.exp_source,
        since=world.exp_since,
        vis_of=world.exp_vis,
    )
    draft = Draft()
    leaks.leak(rng, world, access, nature, leakers, draft)
    leaks.coincide(rng, world, nature, draft)
    if any(site.channel == "sms" for site in world.sites):
        leaks.spam(rng, world, nature, draft)
    return _finish(world, draft, leakers, "", world.operator)


def _finish(
    world: World, draft: Draft, fractions: dict[int, float], note: str, rates: Operator
) -> Simulated:
    truth = Truth(
        leakers=tuple(sorted(fractions)),
        leak_fraction=fractions,
        provenance=draft.provenance,
        note=note,
    )
    return Simulated(world=leaks.with_sightings(world, draft), truth=truth, rates=rates)


def _world(
    network: Network,
    tables: Tables,
    recipe: Recipe,
    rng: np.random.Generator,
    label: tuple[str, int],
) -> World:
    count, n_sources = len(network.waybills), len(network.stages)
    held = np.zeros(count, dtype=np.bool_)
    held[network.record] = True
    return World(
        scenario=label[0],
        seed=label[1],
        start=0.0,
        end=networks.HOURS,
        source_ids=tuple(f"S{at:05d}" for at in range(n_sources)),
        stages=network.stages,
        parent=np.full(n_sources, -1, dtype=np.int64),
        record_ids=tuple(f"R{at:06d}" for at in range(count)),
        waybills=network.waybills,
        phones=network.phones,
        names=network.names,
        districts=network.districts,
        issued=network.issued,
        control=~held,
        sealed=np.zeros(count, dtype=np.bool_),
        vis=network.vis,
        exp_record=network.record,
        exp_source=network.source,
        exp_since=network.since,
        exp_vis=network.vis_of,
        exp_reveal=np.zeros(len(network.record), dtype=np.bool_),
        sites=recipe.sites,
        sightings=_EMPTY,
        operator=estimate(rng, tables, recipe),
    )


def _run(
    rng: np.random.Generator,
    network: Network,
    tables: Tables,
    recipe: Recipe,
    leakers: list[int],
    label: tuple[str, int],
) -> Simulated:
    world = _world(network, tables, recipe, rng, label)
    access = Access(
        record=network.record,
        source=network.true_source,
        since=network.true_since,
        vis_of=network.vis_of,
    )
    fractions = {one: float(rng.beta(*recipe.beta)) for one in leakers}
    draft, note, rates = Draft(), "", estimate(None, tables, recipe)
    if recipe.campaigns:
        leaks.campaigns(rng, world, access, recipe.nature, fractions, draft)
        return _finish(world, draft, fractions, note, rates)
    held_back: frozenset[str] = frozenset()
    if label[0] == "collusion":
        note, held_back = _collude(rng, network, leakers)
    leaks.leak(rng, world, access, recipe.nature, fractions, draft, held_back=held_back)
    leaks.coincide(rng, world, recipe.nature, draft)
    if recipe.sites[0].channel == "sms":
        leaks.spam(rng, world, recipe.nature, draft)
    if recipe.nature.storm_copies and draft.rows:
        originals = [key for key, (_, _, of) in draft.provenance.items() if of is None]
        one = str(rng.choice(originals))
        storm, source = recipe.nature.storm_copies, draft.provenance[one][0]
        leaks.repost(rng, world, recipe.nature, draft, one, source, storm)
    return _finish(world, draft, fractions, note, rates)


def _collude(
    rng: np.random.Generator, network: Network, leakers: list[int]
) -> tuple[str, frozenset[str]]:
    """Return a strategy of the coalition and the phones it keeps back."""
    note = str(rng.choice(["union", "hide_singles", "hide_common"]))
    lists = [
        {network.phones[at] for at in network.record[network.source == one].tolist()}
        for one in leakers
    ]
    everything = set().union(*lists)
    holders = {phone: sum(phone in one for one in lists) for phone in everything}
    if note == "hide_singles":
        return note, frozenset(phone for phone, held in holders.items() if held == 1)
    if note == "hide_common":
        return note, frozenset(phone for phone, held in holders.items() if held == len(lists))
    return note, frozenset()


def _pick(rng: np.random.Generator, network: Network, count: int, stage: str | None) -> list[int]:
    stages = np.array(network.stages)
    if stage == "any":
        stage = str(rng.choice(np.unique(stages)))
    pool = np.arange(len(stages)) if stage is None else np.flatnonzero(stages == stage)
    return sorted(int(one) for one in rng.choice(pool, count, replace=False))


def _single(recipe: Recipe, counts: tuple[int, ...], n_phones: int = 0) -> Callable[..., Simulated]:
    def make(rng: np.random.Generator, scenario: str, seed: int) -> Simulated:
        tables = networks.make_tables(rng)
        network = networks.single_network(rng, tables, n_sources=400, baits=12, n_phones=n_phones)
        leakers = _pick(rng, network, int(rng.choice(counts)), None)
        return _run(rng, network, tables, recipe, leakers, (scenario, seed))

    return make


def _chain(
    recipe: Recipe,
    stage: str | None,
    *,
    n_records: int = 1500,
    n_platforms: int = 8,
    twins: float = 0.0,
    system: bool = False,
) -> Callable[..., Simulated]:
    def make(rng: np.random.Generator, scenario: str, seed: int) -> Simulated:
        tables = networks.make_tables(rng)
        network = networks.chain_network(
            rng,
            tables,
            n_records=n_records,
            n_platforms=n_platforms,
            twins=twins,
            system=system,
            log_errors=recipe.log_errors,
        )
        leakers = _pick(rng, network, 1, stage)
        return _run(rng, network, tables, recipe, leakers, (scenario, seed))

    return make


def _pool(
    recipe: Recipe,
    counts: tuple[int, ...],
    *,
    n_sources: int = 1000,
    n_phones: int,
    per_source: int,
    n_control: int = 0,
) -> Callable[..., Simulated]:
    def make(rng: np.random.Generator, scenario: str, seed: int) -> Simulated:
        tables = networks.make_tables(rng)
        network = networks.pool_network(
            rng,
            tables,
            n_sources=n_sources,
            n_phones=n_phones,
            per_source=per_source,
            n_control=n_control,
        )
        leakers = _pick(rng, network, int(rng.choice(counts)), None)
        return _run(rng, network, tables, recipe, leakers, (scenario, seed))

    return make


def _noise_only(rng: np.random.Generator, scenario: str, seed: int) -> Simulated:
    kinds = (
        _single(RESALE_RECIPE, (0,)),
        _pool(POOL_RECIPE, (0,), n_phones=60, per_source=20),
        _single(MASKED_RECIPE, (0,), n_phones=200),
    )
    return kinds[int(rng.integers(len(kinds)))](rng, scenario, seed)


_SCENARIOS: dict[str, Callable[..., Simulated]] = {
    "unique": _single(RESALE_RECIPE, (1, 2, 3)),
    "copies": _single(COPIES_RECIPE, (0, 1, 1, 2)),
    "masked": _single(MASKED_RECIPE, (1, 1, 2), n_phones=200),
    "noise_only": _noise_only,
    "custody_chain": _chain(CHAIN_RECIPE, "any"),
    "dirty_custody": _chain(DIRTY_RECIPE, "any"),
    "confounded_chain": _chain(TWIN_RECIPE, "pickup", n_records=1200, n_platforms=60, twins=0.9),
    "pre_pickup_leak": _chain(
        PRE_PICKUP_RECIPE, "platform", n_records=1200, n_platforms=60, twins=0.95
    ),
    "upstream_breach": _chain(replace(CHAIN_RECIPE, beta=(1.2, 8.0)), "system", system=True),
    "shared_phones_k1": _pool(POOL_RECIPE, (1,), n_phones=40, per_source=17),
    "shared_phones_k2": _pool(POOL_RECIPE, (2,), n_phones=72, per_source=22),
    "shared_phones_k3": _pool(POOL_RECIPE, (3,), n_phones=104, per_source=24),
    "shared_phones_named": _pool(
        replace(POOL_RECIPE, sites=show_phones(0.4)), (1, 2, 3), n_phones=24, per_source=8
    ),
    "campaigns": _pool(CAMPAIGN_RECIPE, (0, 1, 2, 3), n_phones=48, per_source=16, n_control=12),
    "collusion": _pool(POOL_RECIPE, (2, 3), n_sources=500, n_phones=100, per_source=30),
}
