"""What the fifteen kinds of worlds need beside a network: venues, natural rates, estimates."""

from dataclasses import dataclass, replace

import numpy as np

from canary.attribution import simulate_network as networks
from canary.attribution.simulate_leaks import Nature
from canary.attribution.simulate_network import Tables
from canary.attribution.world import Campaigns, Operator, Site

_SHOPS = (
    ((1.0, 0.0), (0.02, 0.08), (0.05, 0.1), (0.55, 0.0)),
    ((0.9, 0.1), (0.0, 0.0), (0.0, 0.0), (0.25, 0.0)),
    ((0.5, 0.2), (0.1, 0.4), (0.25, 0.45), (0.8, 0.0)),
)
_MASKING = (
    ((0.0, 0.0), (0.0, 1.0), (0.1, 0.8), (0.65, 0.0)),
    ((0.0, 0.0), (0.0, 0.9), (0.0, 1.0), (0.3, 0.0)),
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
class Recipe:
    """What one scenario needs beyond its network.

    `spread` is the standard deviation of the log of the operator's estimates around the truth.
    """

    sites: tuple[Site, ...]
    nature: Nature
    beta: tuple[float, float] = (1.6, 1.2)
    expected: float = 2.0
    log_errors: float = 0.002
    believed_log_errors: float = 0.002
    spread: float = 0.2
    campaigns: bool = False


def _shops(
    shows: tuple[tuple[tuple[float, float], ...], ...], corpora: tuple[float, ...]
) -> tuple[Site, ...]:
    return tuple(
        Site(id=f"site{at:02d}", channel="resale", corpus=corpus, show=show)
        for at, (show, corpus) in enumerate(zip(shows, corpora, strict=True))
    )


def show_phones(names_shown: float = 0.0) -> tuple[Site, ...]:
    show = ((0.0, 0.0), (1.0, 0.0), (names_shown, 0.0), (0.0, 0.0))
    return (Site(id="site00", channel="sms", corpus=0.0, show=show),)


RESALE_RECIPE = Recipe(sites=_shops(_SHOPS, (2e6, 2e6, 2e6)), nature=_RESALE)
CHAIN_RECIPE = replace(RESALE_RECIPE, expected=1.5)
POOL_RECIPE = Recipe(sites=show_phones(), nature=_SMS, beta=(6.0, 1.5))
MASKED_RECIPE = replace(RESALE_RECIPE, sites=_shops(_MASKING, (3e6, 1e6)))
COPIES_RECIPE = replace(RESALE_RECIPE, nature=replace(_RESALE, storm_copies=27))
DIRTY_RECIPE = replace(CHAIN_RECIPE, log_errors=0.05, believed_log_errors=0.03, spread=0.5)
PRE_PICKUP_RECIPE = replace(
    CHAIN_RECIPE, nature=replace(_RESALE, weight_fast=0.8, mean_fast_h=2.0, mean_slow_h=30.0)
)
TWIN_RECIPE = replace(
    CHAIN_RECIPE, nature=replace(_RESALE, weight_fast=0.7, mean_fast_h=7.0, mean_slow_h=100.0)
)
CAMPAIGN_RECIPE = Recipe(
    sites=show_phones(),
    nature=replace(_SMS, mean_fast_h=100.0),
    expected=1.5,
    campaigns=True,
)


def estimate(rng: np.random.Generator | None, tables: Tables, recipe: Recipe) -> Operator:
    """Return the truth with the mild errors an operator's estimates carry; without rng, exact."""

    def about(value: float, spread: float = recipe.spread) -> float:
        return value if rng is None else float(value * rng.lognormal(0.0, spread))

    nature = recipe.nature
    return Operator(
        expected_leakers=recipe.expected,
        leak_fraction_beta=recipe.beta,
        coverage={key: min(0.98, about(one)) for key, one in nature.coverage.items()},
        weight_fast=nature.weight_fast,
        mean_fast_h=about(nature.mean_fast_h),
        mean_slow_h=about(nature.mean_slow_h),
        since_log_lag_mean_h=about(networks.LOG_LAG_H),
        spam_events_per_phone_per_window=0.0 if recipe.campaigns else about(nature.spam),
        custody_log_error_rate=recipe.log_errors if rng is None else recipe.believed_log_errors,
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
