"""Every answer can be said in both languages, in the agreed wording."""

import re

import pytest

from canary.attribution.answer import Cap, ExclusionCode
from canary.attribution.explain import explain, verbal_scale
from canary.attribution.infer import attribute
from canary.attribution.reading import read_world
from canary.attribution.wording import CAPS, LANGUAGES, SENTENCES

EACH_ITS_OWN = [[(source, 10.0)] for source in range(40) for _ in range(4)]
SEEN = [(20, 30.0), (21, 40.0), (22, 55.0)]


def test_both_languages_take_the_same_values():
    for key, sentence in SENTENCES.items():
        slots = [set(re.findall(r"{(\w+)}", sentence[lang])) for lang in LANGUAGES]
        assert slots[0] == slots[1], key


def test_every_cap_has_words():
    assert set(CAPS) == {cap.value for cap in Cap}
    assert {"chance_only", *ExclusionCode} - {"chance"} <= set(SENTENCES)


@pytest.mark.parametrize(("lang", "word"), [("en", "surfaced"), ("zh", "副本")])
def test_named_source_is_told_as_surfaced_copies(make_world, lang, word):
    answer = attribute(read_world(make_world(EACH_ITS_OWN, SEEN)))
    told = explain(answer, lang, names={"S5": "Outlet Five"})
    assert word in told.headline
    assert "Outlet Five" in told.headline
    assert not re.search("guilt|有罪|leaked it", " ".join([told.headline, *told.reasons]))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_base_rate_and_scale_are_stated(make_world, lang):
    answer = attribute(read_world(make_world(EACH_ITS_OWN, SEEN)))
    text = "\n".join(explain(answer, lang).reasons)
    assert {"en": "Base rate", "zh": "事前"}[lang] in text
    assert {"en": "extremely strong", "zh": "极强"}[lang] in text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("seen", [[], [(20, 30.0)], SEEN, [(20, 5.0), (21, 9.0)]])
def test_any_answer_can_be_explained(make_world, lang, seen):
    told = explain(attribute(read_world(make_world(EACH_ITS_OWN, seen))), lang)
    assert told.headline
    assert told.settle
    assert "{" not in "".join([told.headline, *told.reasons, *told.exclusions, *told.settle])


def test_late_holder_is_told_with_its_hours(make_world):
    chain = [[(at % 8, 100.0), (8 + at % 8, 110.0)] for at in range(64)]
    world = make_world(chain, [(at, 101.0) for at in (0, 8, 16)])
    lines = explain(attribute(read_world(world)), "en").exclusions
    assert any(line.startswith("S8: received it 9.0 h after") for line in lines)


@pytest.mark.parametrize(
    ("log10", "words"),
    [(0.1, "no"), (0.9, "weak"), (1.5, "moderate"), (2.5, "moderately strong"), (3.5, "strong")],
)
def test_scale_follows_the_guideline(log10, words):
    assert verbal_scale(log10, "en") == words


def test_twins_are_offered_as_a_small_set(make_world):
    chain = [[(at % 8, 100.0), (8 + at % 8, 100.1)] for at in range(64)]
    answer = attribute(read_world(make_world(chain, [(at, 130.0) for at in (0, 8, 16)])))
    assert answer.named == ()
    assert set(answer.smallest_set) == {"S0", "S8"}
    assert "S0, S8" in " ".join(explain(answer, "en").settle)
    assert set(answer.next[0].sources) <= {"S0", "S8"}


def test_source_that_held_nothing_seen_is_told_so(make_world):
    """With messages on phones, too: the chance of a wrong log makes no exposure."""
    world = make_world(EACH_ITS_OWN, [])
    world["records"]["phone"] = [f"P{at // 4}" for at in range(160)]
    world["sites"].append({**world["sites"][0], "id": "rack", "channel": "sms", "corpus": 0.0})
    world["sightings"] = [
        {
            "id": f"M{at}",
            "time": 30.0 + at,
            "site": 2,
            "shown": {"phone": "P5"},
            "level": {"phone": 2},
            "matches": [20, 21, 22, 23],
            "template": f"text {at}",
        }
        for at in range(2)
    ]
    answer = attribute(read_world(world))
    assert set(answer.suspects) <= {"S5"}
    assert {one.code for key, one in answer.excluded.items() if key != "S5"} == {"never_held"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_probability_is_told_as_certain(make_world, lang):
    many = [(at, 30.0 + at) for at in (20, 21, 22, 23)]
    answer = attribute(read_world(make_world(EACH_ITS_OWN, many)))
    assert "100.0%" not in " ".join(explain(answer, lang).reasons)
    assert answer.sensitivity is not None
    assert answer.sensitivity.posterior <= 0.999


@pytest.mark.parametrize(("lang", "word"), [("en", "bait phones"), ("zh", "诱饵电话")])
def test_messages_are_counted_apart_from_listings(make_world, lang, word):
    answer = attribute(read_world(make_world(EACH_ITS_OWN, SEEN)))
    assert word not in " ".join(explain(answer, lang).reasons)
    assert (answer.seen_events, answer.seen_arrivals, answer.watched_phones) == (3, 0, 0)
