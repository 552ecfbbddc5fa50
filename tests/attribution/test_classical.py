"""Published examples are reproduced to 1e-6."""

import numpy as np
import pytest

from canary.attribution import classical

ALL16 = {f"t{at}" for at in range(16)}
HALF = {f"t{at}" for at in range(8)}


@pytest.mark.parametrize(
    ("p", "everything", "half"),
    [(0.2, 1.0000, 0.9832), (0.5, 0.9996, 0.8999), (0.9, 0.7144, 0.3366)],
)
def test_guilt_agrees_with_the_paper(p, everything, half):
    found = classical.guilt({"U1": ALL16, "U2": HALF}, ALL16, p)
    shared, single = 1 - (1 - p) / 2, 1 - (1 - p)
    assert found["U1"] == pytest.approx(1 - shared**8 * single**8, abs=1e-6)
    assert found["U2"] == pytest.approx(1 - shared**8, abs=1e-6)
    assert (found["U1"], found["U2"]) == pytest.approx((everything, half), abs=5e-5)


def test_guilt_blames_every_holder_alike():
    holdings = {f"U{at}": {f"t{n}" for n in range(500)} for at in range(100)}
    found = classical.guilt(holdings, {f"t{n}" for n in range(500)}, 0.2)
    assert found["U7"] == pytest.approx(1 - (1 - 0.8 / 100) ** 500, abs=1e-6)


def test_single_hit_gives_the_complement_of_p():
    found = classical.guilt({"U1": {f"t{n}" for n in range(1000)}}, {"t3"}, 0.2)
    assert found["U1"] == pytest.approx(0.8, abs=1e-6)


def test_fake_object_lowers_the_sum_objective():
    before = {"U1": {"t1", "t2"}, "U2": {"t1"}}
    assert classical.overlap_sum(before) == pytest.approx(1.5, abs=1e-6)
    first = {"U1": {"t1", "t2", "f"}, "U2": {"t1"}}
    second = {"U1": {"t1", "t2"}, "U2": {"t1", "f"}}
    assert classical.overlap_sum(first) == pytest.approx(4 / 3, abs=1e-6)
    assert classical.overlap_sum(second) == pytest.approx(1.0, abs=1e-6)
    assert classical.next_fake_object(before) == "U2"


def test_differences_are_one_for_disjoint_holdings_without_guessing():
    found = classical.guilt_differences({"U1": {"a"}, "U2": {"b"}}, 0.0)
    assert found == {("U1", "U2"): 1.0, ("U2", "U1"): 1.0}


def test_group_testing_decoders_agree_with_definitions():
    holds = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]], dtype=bool)
    positive = np.array([True, True, False, False])
    for decode in (classical.comp, classical.dd, classical.scomp):
        assert decode(holds, positive).tolist() == [True, False, False]


def test_scomp_explains_every_positive_test():
    rng = np.random.default_rng(3)
    holds = rng.random((60, 30)) < 0.3
    positive = holds[[4, 17, 33]].any(axis=0)
    chosen = classical.scomp(holds, positive)
    assert holds[chosen].any(axis=0).tolist() == positive.tolist()
