"""One access, one list: whose own silence does not clear it."""

import numpy as np
import pytest

from canary.attribution.access import PRIOR, find_accesses, mix_silence
from canary.attribution.reading import read_world

HOLDERS = [[(0, 20.0)] for _ in range(4)] + [[(1, 20.0)] for _ in range(4)]


def _accesses(world, seen):
    rows = np.flatnonzero(np.isin(world.exp_record, seen))
    return find_accesses(
        world, world.exp_source[rows], world.exp_record[rows], world.exp_since[rows]
    )


def test_copied_list_is_an_access_of_its_own(make_world):
    holders = [[*row, (1, 400.0)] for row in HOLDERS[:4]] + HOLDERS[4:]
    world = read_world(make_world(holders, []))
    found = _accesses(world, [0, 1, 2, 3])
    of_copier = world.exp_source[found.rows] == 1
    assert set(found.sources.tolist()) == {0, 1}
    assert sorted(world.exp_record[found.rows][of_copier].tolist()) == [0, 1, 2, 3]


def test_baits_got_over_days_are_no_single_access(make_world):
    holders = [[*row, (1, 400.0 + 24 * at)] for at, row in enumerate(HOLDERS[:4])] + HOLDERS[4:]
    found = _accesses(read_world(make_world(holders, [])), [0, 1, 2, 3])
    assert found.sources.tolist() == [0]


def test_single_bait_is_no_list(make_world):
    assert not len(_accesses(read_world(make_world(HOLDERS, [])), [0]).sources)


def test_account_above_may_sell_one_day(make_world):
    holders = [[*row, (2, 20.0)] for row in HOLDERS[:4]] + [
        [*row, (2, 300.0)] for row in HOLDERS[4:]
    ]
    world = make_world(holders, [])
    world["sources"]["parent"] = [2, 2, None]
    found = _accesses(read_world(world), [0, 1])
    assert found.sources.tolist() == [0, 2]


def test_any_day_might_have_been_sold(make_world):
    """Else two chance finds of one day speak louder than the silence of all other days."""
    holders = [[(0, 20.0)], [(0, 21.0)], *([(0, 20.0 + 24 * day)] for day in range(1, 10))]
    found = _accesses(read_world(make_world(holders, [])), [0, 1])
    assert found.days.tolist() == [10]
    mixed = mix_silence(found, np.array([[-50.0]]), np.array([[0.0]]))
    assert np.exp(mixed[0, 0]) == pytest.approx(PRIOR / 10)
