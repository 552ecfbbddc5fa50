"""The domain's own decisions: canonical forms, masks, trees, verdicts, states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.domain.baits import BaitState, can_become
from canary.domain.errors import Conflict, Flaw, Invalid
from canary.domain.identifiers import (
    BaitValues,
    canonical_name,
    canonical_number,
    canonical_phone,
    mask_address,
    mask_name,
    mask_number,
    mask_phone,
)
from canary.domain.incidents import Decision, IncidentState, decide, find_scope
from canary.domain.sources import find_common_ancestor, find_cycle, list_ancestors
from canary.domain.verdicts import Verdict, lower_of

TREE: dict[str, str | None] = {"SYS": None, "A": "SYS", "B": "SYS", "A1": "A", "A2": "A", "B1": "B"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("yt2012345678901", "YT2012345678901"),
        ("ＹＴ２０１２３４５６７８９０１", "YT2012345678901"),
        (" YT 2012-3456\u200b78901 ", "YT2012345678901"),
        ("", ""),
        ("圆通", ""),
    ],
)
def test_number_has_one_form(text: str, number: str) -> None:
    assert canonical_number(text) == number


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("19340271865", "19340271865"),
        ("+86 193-4027-1865", "19340271865"),
        ("0086 19340271865", "19340271865"),
        ("019340271865", "19340271865"),
        ("１９３４０２７１８６５", "19340271865"),
        ("19340271865-8462", "19340271865-8462"),
        ("19340271865转8462", "19340271865-8462"),
        ("19340271865 分机 8462", "19340271865-8462"),
        ("19340271865[8462]", "19340271865-8462"),
        ("19340271865,8462#", "19340271865-8462"),
        ("", ""),
        ("电话", ""),
    ],
)
def test_phone_has_one_form(text: str, phone: str) -> None:
    assert canonical_phone(text) == phone


@given(st.text(max_size=40))
def test_canonical_twice_equals_once(text: str) -> None:
    for canonical in (canonical_number, canonical_name):
        assert canonical(canonical(text)) == canonical(text)


@given(st.text(max_size=60))
def test_any_text_has_a_canonical_phone(text: str) -> None:
    found = canonical_phone(text)
    assert all(char in "0123456789-" for char in found)
    assert canonical_phone(found) == found


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (mask_phone("19340271865"), "193****1865"),
        (mask_phone("19340271865-8462"), "193****1865"),
        (mask_phone("1234567"), "*******"),
        (mask_phone(None), ""),
        (mask_name("欧阳喆玥"), "欧***"),
        (mask_name("林"), "林"),
        (mask_name(None), ""),
        (mask_number("YT2012345678901"), "YT20********901"),
        (mask_number("1234567"), "*******"),
        (mask_number(None), ""),
        (
            mask_address(BaitValues(city="杭州市", district="滨江区", detail="长河路1号")),
            "杭州市滨江区****",
        ),
    ],
)
def test_masks_hide_the_middle(shown: str, wanted: str) -> None:
    assert shown == wanted


@given(st.text(st.characters(categories=["Nd", "Lu"]), min_size=8, max_size=30))
def test_masked_number_keeps_its_length(number: str) -> None:
    masked = mask_number(number)
    assert len(masked) == len(number)
    assert masked.count("*") >= len(number) - 7


@pytest.mark.parametrize(
    ("codes", "common"),
    [
        (["A1"], "A1"),
        (["A1", "A2"], "A"),
        (["A1", "A"], "A"),
        (["A1", "B1"], "SYS"),
        (["SYS", "B1"], "SYS"),
        (["A1", "X"], None),
        ([], None),
    ],
)
def test_nearest_common_ancestor_is_found(codes: list[str], common: str | None) -> None:
    assert find_common_ancestor(codes, {**TREE, "X": None}) == common


def test_circle_does_not_hang_ancestors() -> None:
    assert list_ancestors("A", {"A": "B", "B": "A"}) == ["B", "A"]


def test_deep_chain_is_walked_quickly() -> None:
    """A hundred thousand levels, which nobody has, take no quadratic time."""
    chain: dict[str, str | None] = {str(place): str(place + 1) for place in range(100_000)}
    chain["100000"] = None
    assert find_cycle(chain) == []
    assert sorted(find_cycle({**chain, "100000": "99999"})) == ["100000", "99999"]


@given(st.dictionaries(st.sampled_from("ABCDEF"), st.sampled_from([*"ABCDEF", None])))
def test_found_circle_is_one(parents: dict[str, str | None]) -> None:
    cycle = find_cycle(parents)
    for code, parent in zip(cycle, [*cycle[1:], *cycle[:1]], strict=True):
        assert parents[code] == parent
    if not cycle:
        assert all(code not in list_ancestors(code, parents) for code in parents)


@pytest.mark.parametrize(
    ("homes", "scope"),
    [
        (set(), "controls"),
        ({"A1"}, "source:A1"),
        ({"A1", "A2"}, "source:A"),
        ({"A1", "B1"}, "source:SYS"),
        ({"A1", "X"}, "network"),
    ],
)
def test_scope_holds_all_homes(homes: set[str], scope: str) -> None:
    assert find_scope(homes, {**TREE, "X": None}).name == scope


@pytest.mark.parametrize("state", list(IncidentState))
@pytest.mark.parametrize("decision", list(Decision))
def test_decisions_follow_the_states(state: IncidentState, decision: Decision) -> None:
    allowed = {
        (IncidentState.OPEN, Decision.CONFIRM): IncidentState.CONFIRMED,
        (IncidentState.OPEN, Decision.DISMISS): IncidentState.DISMISSED,
        (IncidentState.CONFIRMED, Decision.REOPEN): IncidentState.OPEN,
        (IncidentState.DISMISSED, Decision.REOPEN): IncidentState.OPEN,
    }
    if (state, decision) in allowed:
        assert decide(state, decision) == allowed[state, decision]
    else:
        with pytest.raises(Conflict):
            decide(state, decision)


def test_bait_never_comes_back() -> None:
    order = list(BaitState)
    for before in order:
        for after in order:
            if can_become(before, after):
                assert order.index(after) > order.index(before)
    assert not any(can_become(BaitState.RETIRED, after) for after in order)


def test_source_is_named_from_probable_on() -> None:
    assert [step.names_a_source for step in Verdict] == [False, False, True, True]
    assert lower_of(Verdict.CONFIRMED, Verdict.WEAK) is Verdict.WEAK


@pytest.mark.parametrize(
    ("flaw", "sentence"),
    [
        (Flaw(problem="p"), "p"),
        (Flaw(problem="p", mend="m"), "p; mend: m"),
        (Flaw(problem="p", mend="m", row=7, field="f"), "row 7, field f: p; mend: m"),
        (Flaw(problem="p", row=0), "row 0: p"),
    ],
)
def test_flaw_is_one_sentence(flaw: Flaw, sentence: str) -> None:
    assert str(flaw) == sentence
    assert str(Invalid(flaws=[flaw, flaw])) == f"{sentence}\n{sentence}"
