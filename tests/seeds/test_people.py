import pytest

from seeds.errors import SeedError
from seeds.people import (
    MOST_HOLDERS,
    ForbiddenNames,
    count_holders,
    draw_names,
    hash_name,
    load_names,
    mask_name,
    to_pinyin,
    to_traditional,
)
from seeds.tables import read_rows

RANKS = {row["surname"]: row for row in read_rows("surname_freq.csv")}
CHARS = {row["char"]: row for row in read_rows("given_chars.csv")}


def test_surnames_are_rare_but_plausible():
    rows = [RANKS[surname] for surname in load_names().surnames]
    assert all(60 <= int(row["rank"]) <= 400 for row in rows)
    assert {(row["is_numeral"], row["s2t_ambiguous"], row["gb2312"]) for row in rows} == {
        ("0", "0", "1")
    }
    assert len(rows) > 300


def test_given_names_are_safe_to_print(draws):
    names = draw_names(load_names().surnames * 20, draws)
    assert all(name.encode("gb2312") for name in names)
    assert {CHARS[char]["s2t_ambiguous"] for name in names for char in name[1:]} == {"0"}
    assert {len(name) for name in names} == {3}


def test_usual_surnames_follow_the_population():
    usual = load_names().usual
    assert usual.count("王") == 717
    assert usual.count("王") > usual.count("邬") > 0
    assert not set(usual) & {row["surname"] for row in RANKS.values() if row["is_numeral"] == "1"}


def test_city_holds_many_names_under_a_mask():
    table = load_names()
    assert table.city_capacity > 200_000
    assert len(table.surnames) == len(set(table.surnames))


def test_given_names_do_not_mix_genders(draws):
    names = draw_names(load_names().usual[::20], draws)
    hints = {frozenset(CHARS[char]["gender_hint"] for char in name[1:]) for name in names}
    assert frozenset("mf") not in hints


def test_no_name_is_borne_by_many(draws):
    """A common surname gets a rare given name: a bait must not be one of a hundred thousand."""
    table = load_names()
    names = draw_names("王李张" * 3000, draws)
    assert max(count_holders(name, table) for name in names) <= MOST_HOLDERS


@pytest.mark.parametrize("word", ["江苏", "长远", "风流", "景山"])
def test_words_and_places_are_no_given_names(draws, word):
    assert word in load_names().refused
    assert word not in {name[1:] for name in draw_names("石" * 20_000, draws)}


def test_refused_names_are_drawn_again(draws):
    """石 + 景山 makes a district, so a draw that lands there goes on."""
    names = draw_names(["石"] * 20_000, draws)
    assert not set(names) & load_names().refused


@pytest.mark.parametrize(
    ("name", "latin"),
    [
        ("单岚月", "Shan Lanyue"),
        ("查若芷", "Zha Ruozhi"),
        ("仇晴", "Qiu Qing"),
        ("翟伟", "Zhai Wei"),
    ],
)
def test_surnames_have_their_own_reading(name, latin):
    assert to_pinyin(name) == latin


@pytest.mark.parametrize("name", ["", "John", "查饕"])
def test_unknown_character_has_no_reading(name):
    with pytest.raises(SeedError, match="mend"):
        to_pinyin(name)


def test_every_drawn_name_has_its_forms(draws):
    names = draw_names(load_names().surnames, draws)
    assert all(to_pinyin(name).isascii() for name in names)
    assert {len(to_traditional(name)) for name in names} == {3}
    assert to_traditional("贾伟") == "賈偉"


@pytest.mark.parametrize(
    ("name", "keep_last", "masked"),
    [
        ("邬瑶岚", False, "邬**"),
        ("邬瑶岚", True, "邬*岚"),
        ("邬岚", True, "邬*"),
        ("邬", False, "*"),
    ],
)
def test_mask_hides_at_least_one_character(name, keep_last, masked):
    assert mask_name(name, keep_last=keep_last) == masked


def test_forbidden_names_are_known_by_hash_alone():
    forbidden = ForbiddenNames.from_names(b"key", ["邬瑶岚", " 邬 瑶夏 "])
    assert "邬瑶岚" in forbidden
    assert "邬瑶夏" in forbidden
    assert "邬瑶月" not in forbidden
    assert forbidden.digests == {hash_name(b"key", name) for name in ("邬瑶岚", "邬瑶夏")}


def test_other_key_forbids_nothing():
    digests = ForbiddenNames.from_names(b"key", ["邬瑶岚"]).digests
    assert "邬瑶岚" not in ForbiddenNames(b"other", digests)
