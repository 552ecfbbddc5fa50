"""The ladder: what each channel class may carry, and what caps a verdict."""

from dataclasses import replace

import numpy as np
import pytest

from canary.attribution.answer import Cap
from canary.attribution.infer import attribute
from canary.attribution.reading import read_world
from canary.attribution.verdict import DEFAULT, Batch, Support, grade
from canary.attribution.world import ChannelClass
from canary.domain.verdicts import Verdict, lower_of

OWN, CONTRACTED, ARRIVAL = ChannelClass.OWN, ChannelClass.CONTRACTED, ChannelClass.ARRIVAL
EACH_ITS_OWN = [[(source, 10.0)] for source in range(40) for _ in range(4)]
SEEN = [(20, 30.0), (21, 40.0), (22, 55.0)]


def _support(*exclusive, **changes):
    plain = Support(
        posterior=0.999,
        worst=0.998,
        without_strongest=0.995,
        untimed=0.995,
        events=3,
        strongest_bits=38.0,
        classes=frozenset(kind for _, _, kind in exclusive) or frozenset({OWN}),
        exclusive=exclusive,
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("support", "verdict", "cap"),
    [
        (_support((1, 0, OWN), (2, 0, OWN), (3, 0, OWN)), "confirmed", None),
        (_support((1, 0, OWN), (2, 1, OWN)), "confirmed", None),
        (_support((1, 0, OWN), (2, 0, OWN)), "probable", Cap.FEW_BAITS),
        (_support((1, 0, OWN), (1, 1, OWN)), "probable", Cap.FEW_BAITS),
        (_support(), "probable", Cap.NOT_EXCLUSIVE),
        (_support((1, 0, CONTRACTED), (2, 0, CONTRACTED), (3, 0, CONTRACTED)), "probable", "one"),
        (_support((1, 0, CONTRACTED), (2, 1, ARRIVAL)), "confirmed", None),
        (_support((1, 0, ChannelClass.OWN_TIP), (2, 1, ChannelClass.OWN_TIP)), "probable", "tip"),
        (_support((1, 0, OWN), events=1), "weak", Cap.SINGLE_EVENT),
        (_support((1, 0, OWN), events=1, strongest_bits=50.0), "probable", Cap.FEW_BAITS),
        (_support((1, 0, OWN), posterior=0.98), "weak", Cap.POSTERIOR),
        (_support((1, 0, OWN), posterior=0.4), "unattributable", Cap.POSTERIOR),
        (_support((1, 0, OWN), worst=0.5, without_strongest=0.5), "weak", Cap.NOT_ROBUST),
        (_support((1, 0, OWN), untimed=0.5), "weak", Cap.DELAYS_ONLY),
        (_support((1, 0, ChannelClass.MANUAL), (2, 1, ChannelClass.RELAY)), "weak", "untrusted"),
    ],
)
def test_support_reaches_its_step(support, verdict, cap):
    reached, caps = grade(support, Batch(), DEFAULT)
    assert reached == verdict
    assert (cap is None and not caps) or any(str(cap).split("_")[0] in one for one in caps)


@pytest.mark.parametrize(
    ("batch", "verdict"),
    [
        (Batch(), Verdict.CONFIRMED),
        (Batch(control_seen=True), Verdict.PROBABLE),
        (Batch(copied_odds=5.0), Verdict.PROBABLE),
        (Batch(copied_odds=0.1), Verdict.WEAK),
        (Batch(neighbours=True), Verdict.PROBABLE),
    ],
)
def test_batch_caps_the_verdict(batch, verdict):
    support = _support((1, 0, OWN), (2, 0, OWN), (3, 1, OWN))
    assert grade(support, batch, DEFAULT)[0] is verdict


def test_lower_of_two_verdicts_wins():
    assert lower_of(Verdict.WEAK, Verdict.CONFIRMED) is Verdict.WEAK
    assert [one for one in Verdict if one.names_a_source] == ["probable", "confirmed"]


@pytest.mark.parametrize("kind", ["relay", "manual", "anonymous"])
def test_untrusted_channels_name_nobody(make_world, kind):
    world = make_world(EACH_ITS_OWN, SEEN)
    for site in world["sites"]:
        site["class"] = kind
    answer = attribute(read_world(world))
    assert (answer.verdict, answer.named) == (Verdict.WEAK, ())
    assert answer.untrusted_only
    assert Cap.UNTRUSTED_ONLY in answer.caps


def test_interested_party_cannot_accuse_another(make_world):
    world = make_world(EACH_ITS_OWN, SEEN)
    for site in world["sites"]:
        site["party"] = "S9"
    assert attribute(read_world(world)).named == ()


def test_untrusted_flood_changes_no_ranking(make_world):
    clean = make_world(EACH_ITS_OWN, SEEN)
    flooded = make_world(EACH_ITS_OWN, SEEN)
    for at in range(300):
        false = {**flooded["sightings"][0], "id": f"F{at}", "class": "anonymous"}
        flooded["sightings"].append({**false, "matches": [at % 160], "time": 50.0})
    first, second = (attribute(read_world(one)) for one in (clean, flooded))
    assert first.posteriors == second.posteriors


def test_contracted_crawler_alone_stays_probable(make_world):
    world = make_world(EACH_ITS_OWN, SEEN, site_of=lambda _: 0)
    world["sites"][0]["class"] = "contracted"
    assert attribute(read_world(world)).verdict is Verdict.PROBABLE


def test_control_bait_in_batch_prevents_confirmation(make_world):
    holders = [*EACH_ITS_OWN, []]
    answer = attribute(read_world(make_world(holders, [*SEEN, (160, 60.0)])))
    assert answer.verdict is Verdict.PROBABLE
    assert Cap.CONTROL_SEEN in answer.caps


def test_sweep_over_all_sources_names_nobody_surely(make_world):
    seen = [(at, 30.0 + at / 10) for at in range(0, 160, 2)]
    holders = [*EACH_ITS_OWN, *[[] for _ in range(8)]]
    seen += [(at, 60.0) for at in range(160, 168)]
    answer = attribute(read_world(make_world(holders, seen)))
    assert answer.verdict is not Verdict.CONFIRMED


def test_run_of_neighbours_is_not_confirmed(make_world):
    world = make_world(EACH_ITS_OWN, SEEN)
    for at in (20, 21, 22):
        world["records"]["waybill"][at] = f"97000000{at:04d}"
    answer = attribute(read_world(world))
    assert answer.verdict is Verdict.PROBABLE
    assert Cap.NEIGHBOURS in answer.caps


def test_reader_of_a_reveal_is_a_suspect(make_world):
    holders = [list(row) for row in EACH_ITS_OWN]
    for at in (20, 21, 22):
        holders[at].append((40, 12.0))
    world = make_world(holders, SEEN)
    world["exposures"]["kind"] = [
        "reveal" if one == 40 else "custody" for one in world["exposures"]["source"]
    ]
    answer = attribute(read_world(world))
    assert answer.verdict is not Verdict.CONFIRMED
    assert "S40" in answer.suspects


def test_silent_account_above_does_not_prevent_confirmation(make_world):
    holders = [[*row, (40, 10.0)] for row in EACH_ITS_OWN] * 5
    for at in range(160, 800):
        holders[at] = [(at % 40, 10.0), (40, 10.0)]
    world = make_world(holders, [(at, 30.0 + at / 50) for at in (20, 21, 22, 23, 165, 205, 245)])
    world["sources"]["parent"] = [40] * 40 + [None]
    answer = attribute(read_world(world))
    assert answer.named == ("S5",)
    assert answer.verdict is Verdict.CONFIRMED


def test_single_rich_display_stays_below_confirmed(make_world):
    """One display of 46 bits or more may name (ATTRIBUTION section 7), never confirm."""
    world = make_world(EACH_ITS_OWN, [(20, 30.0)], level={"waybill": 2, "phone": 2})
    answer = attribute(read_world(world))
    assert (answer.verdict, answer.named) == (Verdict.PROBABLE, ("S5",))
    assert Cap.FEW_BAITS in answer.caps


@pytest.mark.parametrize("shown", [20, 60])
def test_sweep_over_time_names_nobody(make_world, shown):
    """Everybody's baits and the controls alike: the store leaked, or somebody counts through."""
    holders = [*EACH_ITS_OWN, *[[] for _ in range(8)]]
    drawn = np.random.default_rng(5).choice(len(holders), shown, replace=False).tolist()
    seen = [(record, 30.0 + 11 * at) for at, record in enumerate(drawn)]
    answer = attribute(read_world(make_world(holders, seen)))
    assert answer.named == ()
    assert Cap.SWEEP in answer.caps
