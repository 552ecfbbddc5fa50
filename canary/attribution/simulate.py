"""Invented worlds with known truth: the fifteen kinds of ATTRIBUTION.md, and trial of a plan."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from canary.attribution import simulate_leaks as leaks
from canary.attribution import simulate_network as networks
from canary.attribution.simulate_leaks import Access, Draft, Nature, Truth
from canary.attribution.simulate_network import Network, Tables
from canary.attribution.world import Campaigns, Operator, Sightings, Site, World

_SHOPS = (
    ((1.0, 0.0), (0.02, 0.08), (0.05, 0.1), (0.55, 0.0)),
    ((0.9, 0.1), (0.0, 0.0), (0.0, 0.0), (0.25, 0.0)),
    ((0.5, 0.2), (0.1, 0.4), (0.25, 0.45), (0.8, 0.0)),
)
_MASKING = (
    ((0.0, 0.0), (0.0, 1.0), (0.1, 0.8), (0.65, 0.0)),
    ((0.0, 0.0), (0.0, 0.9), (0.0, 1.0), (0.3, 0.0)),
)
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
_RESALE = Nature(
    coverage={"resale": 0.3, "sms": 0.85}, weight_fast=0.6, mean_fast_h=18.0, mean_slow_h=240.0
)
_SMS = Nature(
    coverage={"resale": 0.3, "sms": 0.85},
    weight_fast=0.7,
    mean_fast_h=60.0,
    mean_slow_h=240.0,
    spam=0.06,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A world and what really happened in it."""

    world: World
    truth: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """What one scenario needs beyond its network."""

    sites: tuple[Site, ...]
    nature: Nature
    beta: tuple[float, float] = (1.6, 1.2)
    expected: float = 2.0
    log_errors: float = 0.002
    campaigns: bool = False


def _shops(
    shows: tuple[tuple[tuple[float, float], ...], ...], corpora: tuple[float, ...]
) -> tuple[Site, ...]:
    return tuple(
        Site(id=f"site{at:02d}", channel="resale", corpus=corpus, show=show)
        for at, (show, corpus) in enumerate(zip(shows, corpora, strict=True))
    )


def _phones(names_shown: float = 0.0) -> tuple[Site, ...]:
    show = ((0.0, 0.0), (1.0, 0.0), (names_shown, 0.0), (0.0, 0.0))
    return (Site(id="site00", channel="sms", corpus=0.0, show=show),)


_RESALE_RECIPE = _Recipe(sites=_shops(_SHOPS, (2e6, 2e6, 2e6)), nature=_RESALE)
_CHAIN_RECIPE = replace(_RESALE_RECIPE, expected=1.5)
_POOL_RECIPE = _Recipe(sites=_phones(), nature=_SMS, beta=(6.0, 1.5))


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
    return _world(network, tables, _RESALE_RECIPE, rng, ("unique", 0))


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
    return _finish(world, draft, leakers, "")


def _finish(world: World, draft: Draft, fractions: dict[int, float], note: str) -> Simulated:
    truth = Truth(
        leakers=tuple(sorted(fractions)),
        leak_fraction=fractions,
        provenance=draft.provenance,
        note=note,
    )
    return Simulated(world=leaks.with_sightings(world, draft), truth=truth)


def _world(
    network: Network,
    tables: Tables,
    recipe: _Recipe,
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
        operator=_estimates(rng, tables, recipe),
    )


def _estimates(rng: np.random.Generator, tables: Tables, recipe: _Recipe) -> Operator:
    """Return the truth with the mild errors an operator's estimates carry."""

    def about(value: float, spread: float = 0.2) -> float:
        return float(value * rng.lognormal(0.0, spread))

    nature = recipe.nature
    return Operator(
        expected_leakers=recipe.expected,
        leak_fraction_beta=recipe.beta,
        coverage={key: min(0.98, about(one)) for key, one in nature.coverage.items()},
        weight_fast=nature.weight_fast,
        mean_fast_h=about(nature.mean_fast_h),
        mean_slow_h=about(nature.mean_slow_h),
        since_log_lag_mean_h=about(networks.LOG_LAG_H, 0.15),
        spam_events_per_phone_per_window=0.0 if recipe.campaigns else about(nature.spam),
        custody_log_error_rate=recipe.log_errors,
        name_dependence=2.0,
        surname=tables.surname,
        given=tables.given,
        district=tables.district,
        campaigns=Campaigns(
            buyers_per_leaker=about(2.0, 0.1),
            single_templates=about(2.4, 0.1),
            storms=about(1.0, 0.1),
        )
        if recipe.campaigns
        else None,
    )


def _run(
    rng: np.random.Generator,
    network: Network,
    tables: Tables,
    recipe: _Recipe,
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
    draft, note = Draft(), ""
    if recipe.campaigns:
        leaks.campaigns(rng, world, access, recipe.nature, fractions, draft)
        return _finish(world, draft, fractions, note)
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
    return _finish(world, draft, fractions, note)


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


def _single(
    recipe: _Recipe, counts: tuple[int, ...], n_phones: int = 0
) -> Callable[..., Simulated]:
    def make(rng: np.random.Generator, scenario: str, seed: int) -> Simulated:
        tables = networks.make_tables(rng)
        network = networks.single_network(rng, tables, n_sources=400, baits=12, n_phones=n_phones)
        leakers = _pick(rng, network, int(rng.choice(counts)), None)
        return _run(rng, network, tables, recipe, leakers, (scenario, seed))

    return make


def _chain(
    recipe: _Recipe,
    stage: str | None,
    *,
    n_records: int = 1500,
    n_platforms: int = 8,
    twins: bool = False,
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
    recipe: _Recipe,
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
        _single(_RESALE_RECIPE, (0,)),
        _pool(_POOL_RECIPE, (0,), n_phones=60, per_source=20),
        _single(_MASKED_RECIPE, (0,), n_phones=200),
    )
    return kinds[int(rng.integers(len(kinds)))](rng, scenario, seed)


_MASKED_RECIPE = replace(_RESALE_RECIPE, sites=_shops(_MASKING, (3e6, 1e6)))
_COPIES_RECIPE = replace(_RESALE_RECIPE, nature=replace(_RESALE, storm_copies=27))
_PRE_PICKUP_RECIPE = replace(
    _CHAIN_RECIPE, nature=replace(_RESALE, weight_fast=0.8, mean_fast_h=3.0, mean_slow_h=30.0)
)
_TWIN_RECIPE = replace(
    _CHAIN_RECIPE, nature=replace(_RESALE, weight_fast=0.7, mean_fast_h=7.0, mean_slow_h=100.0)
)
_CAMPAIGN_RECIPE = _Recipe(
    sites=_phones(),
    nature=replace(_SMS, mean_fast_h=100.0),
    expected=1.5,
    campaigns=True,
)

_SCENARIOS: dict[str, Callable[..., Simulated]] = {
    "unique": _single(_RESALE_RECIPE, (1, 2, 3)),
    "copies": _single(_COPIES_RECIPE, (0, 1, 1, 2)),
    "masked": _single(_MASKED_RECIPE, (1, 1, 2), n_phones=200),
    "noise_only": _noise_only,
    "custody_chain": _chain(_CHAIN_RECIPE, "any"),
    "dirty_custody": _chain(replace(_CHAIN_RECIPE, log_errors=0.03), "any"),
    "confounded_chain": _chain(_TWIN_RECIPE, "pickup", n_records=1200, n_platforms=60, twins=True),
    "pre_pickup_leak": _chain(
        _PRE_PICKUP_RECIPE, "platform", n_records=1200, n_platforms=60, twins=True
    ),
    "upstream_breach": _chain(replace(_CHAIN_RECIPE, beta=(1.2, 8.0)), "system", system=True),
    "shared_phones_k1": _pool(_POOL_RECIPE, (1,), n_phones=40, per_source=17),
    "shared_phones_k2": _pool(_POOL_RECIPE, (2,), n_phones=72, per_source=22),
    "shared_phones_k3": _pool(_POOL_RECIPE, (3,), n_phones=104, per_source=24),
    "shared_phones_named": _pool(
        replace(_POOL_RECIPE, sites=_phones(0.4)), (1, 2, 3), n_phones=24, per_source=8
    ),
    "campaigns": _pool(_CAMPAIGN_RECIPE, (0, 1, 2, 3), n_phones=48, per_source=16, n_control=12),
    "collusion": _pool(_POOL_RECIPE, (2, 3), n_sources=500, n_phones=100, per_source=30),
}
