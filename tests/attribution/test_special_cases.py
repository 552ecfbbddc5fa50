"""The special cases of ATTRIBUTION.md section 2 fall out of the one model."""

import pytest

from canary.attribution.answer import Cap
from canary.attribution.infer import attribute
from canary.attribution.reading import read_world
from canary.domain.verdicts import Verdict

EACH_ITS_OWN = [[(source, 10.0)] for source in range(40) for _ in range(4)]


def test_exclusive_baits_confirm_their_source(make_world):
    world = make_world(EACH_ITS_OWN, [(20, 30.0), (21, 40.0), (22, 55.0)])
    answer = attribute(read_world(world))
    assert answer.named == ("S5",)
    assert answer.verdict is Verdict.CONFIRMED


def test_single_bare_number_names_nobody(make_world):
    answer = attribute(read_world(make_world(EACH_ITS_OWN, [(20, 30.0)])))
    assert answer.named == ()
    assert answer.verdict is Verdict.WEAK


def test_reposts_count_as_one_sighting(make_world):
    once = attribute(read_world(make_world(EACH_ITS_OWN, [(20, 30.0)])))
    often = attribute(read_world(make_world(EACH_ITS_OWN, [(20, 30.0 + at) for at in range(9)])))
    assert often.posteriors == once.posteriors


def test_sale_before_pickup_clears_later_holders(make_world):
    chain = [[(at % 8, 100.0), (8 + at % 8, 110.0), (16, 130.0)] for at in range(64)]
    seen = [(at, 101.0) for at in (0, 8, 16)]
    world = make_world(chain, seen, stages=["platform"] * 8 + ["pickup"] * 8 + ["transit"])
    answer = attribute(read_world(world))
    assert answer.named == ("S0",)
    assert answer.excluded["S8"].code == "too_late"


def test_many_outlets_point_to_account_above(make_world):
    chain = [[(at % 30, 100.0), (30, 100.5)] for at in range(120)]
    seen = [(at, 120.0 + at) for at in range(0, 30, 3)]
    world = make_world(chain, seen, stages=["outlet"] * 30 + ["system"])
    answer = attribute(read_world(world))
    assert answer.named == ("S30",)
    assert max(answer.posteriors[f"S{at}"] for at in range(30)) < 0.5


def test_two_leakers_are_both_named(make_world):
    seen = [(20, 30.0), (21, 40.0), (22, 55.0), (80, 33.0), (81, 60.0), (83, 70.0)]
    answer = attribute(read_world(make_world(EACH_ITS_OWN, seen)))
    assert set(answer.named) == {"S5", "S20"}


def test_doubtful_finding_weighs_less_beside_a_leaker(make_world):
    """A leak mostly has one source: once it is known, a coincidence is no second one."""

    def suspicion(*beside):
        world = make_world(EACH_ITS_OWN, [(80, 60.0), *beside])
        world["sightings"][0]["level"] = {"waybill": 1}
        world["operator"] = {"chance": {"waybill": [2e-12, 2e-9]}}
        return attribute(read_world(world)).posteriors["S20"]

    assert 0.3 < suspicion() < 0.9
    assert suspicion((20, 30.0), (21, 40.0), (22, 55.0)) < suspicion() - 0.05


def test_chance_matches_leave_background_winning(make_world):
    world = make_world(EACH_ITS_OWN, [(20, 30.0), (90, 40.0)], level={"phone": 1})
    world["operator"] = {"chance": {"phone": [6e-10, 2e-5]}, "report_only_if_match_p_below": 1.0}
    answer = attribute(read_world(world))
    assert answer.verdict is Verdict.UNATTRIBUTABLE
    assert answer.p_background > 0.9


def test_empty_window_names_nobody(make_world):
    answer = attribute(read_world(make_world(EACH_ITS_OWN, [])))
    assert answer.named == ()
    assert answer.verdict is Verdict.UNATTRIBUTABLE
    assert answer.excluded == {}


def test_one_page_is_one_delay(make_world):
    """Rows of one page were got together: holders a day apart cannot be told apart by many rows."""
    chain = [[(at % 8, 100.0), (8 + at % 8, 124.0)] for at in range(160)]
    page = [(at, 160.0) for at in range(0, 160, 8)]
    world = make_world(chain, page, stages=["pickup"] * 8 + ["sorting"] * 8, site_of=lambda _: 0)
    answer = attribute(read_world(world))
    assert answer.named == ()
    assert set(answer.smallest_set) == {"S0", "S8"}


def test_one_page_is_one_list_not_two(make_world):
    """Two leakers below an account would both have had to sell to the same page at once."""
    chain = [[(at % 2, 10.0), (2, 10.0)] for at in range(90)]
    page = [(at, 490.0) for at in [*range(0, 40, 2), *range(1, 33, 2)]]
    own = [[(2, 10.0)] for _ in range(4)]
    world = make_world(chain + own, page, stages=["sorting"] * 2 + ["system"], site_of=lambda _: 0)
    assert attribute(read_world(world)).named == ("S2",)


def test_copier_of_a_list_is_not_cleared_by_its_own_baits(make_world):
    """Who copied another's whole list may sell just that; then neither may be named."""
    holders = [[(source, 20.0)] for source in range(6) for _ in range(12)]
    for row in holders[:12]:
        row.append((5, 400.0))
    world = make_world(holders, [(at, 500.0) for at in range(12)], site_of=lambda _: 0)
    answer = attribute(read_world(world))
    assert answer.named == ()
    assert answer.posteriors["S5"] > 0.05


@pytest.mark.parametrize("hours_apart", [1.0, 6.0, 24.0])
def test_list_put_up_over_days_names_no_later_holder(make_world, hours_apart):
    """Delays of one list are one delay: the later of two who had it all is not the likelier."""
    holders = [[(source, 20.0)] for source in range(6) for _ in range(12)]
    for row in holders[:12]:
        row.append((5, 400.0))
    world = make_world(holders, [(at, 410.0 + hours_apart * at) for at in range(12)])
    answer = attribute(read_world(world))
    assert answer.named == ()
    assert Cap.DELAYS_ONLY in answer.caps


def test_list_got_after_the_campaign_explains_nothing(make_world):
    holders = [[(at % 8, 10.0 if at < 40 else 500.0)] for at in range(80)]
    world = make_world(holders, [(at, 100.0) for at in (0, 8, 40, 48, 56)], level={"phone": 2})
    world["records"]["phone"] = [f"P{at}" for at in range(80)]
    world["sites"][0]["channel"] = "sms"
    for seen in world["sightings"]:
        seen.update(site=0, template="T")
    world["exposures"]["source"][40:] = [8 + at % 4 for at in range(40)]
    world["sources"] = {"id": [f"S{at}" for at in range(12)], "stage": ["single"] * 12}
    answer = attribute(read_world(world))
    assert max(answer.posteriors, key=answer.posteriors.__getitem__) == "S0"
    assert answer.excluded["S8"].code == "too_late"


def test_late_holder_in_a_small_network_is_told_so(make_world):
    """Among three sources the base rate alone would make a suspect of anybody."""
    holders = [[(source, 20.0)] for source in range(3) for _ in range(4)]
    for row in holders[:4]:
        row.append((2, 172.0))
    answer = attribute(read_world(make_world(holders, [(at, 100.0 + at) for at in range(4)])))
    assert answer.named == ("S0",)
    assert "S2" not in answer.suspects
    assert answer.excluded["S2"].code == "too_late"
    assert answer.excluded["S2"].params["hours_late"] == 72.0


def test_list_of_one_day_may_come_from_above(make_world):
    """Only one outlet got baits that day: an account that sells the day's list shows the same."""
    holders = [[(at // 6, 48.0 * (at // 6)), (8, 48.0 * (at // 6))] for at in range(48)]
    world = make_world(
        holders,
        [(at, 300.0) for at in range(12, 17)],
        stages=["outlet"] * 8 + ["system"],
        site_of=lambda _: 0,
    )
    world["sources"]["parent"] = [8] * 8 + [None]
    answer = attribute(read_world(world))
    assert answer.named == ()
    assert answer.posteriors["S8"] > 0.01
