"""Bad worlds are refused with the path of the field; odd ones are handled as documented."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canary.attribution.infer import attribute, attribute_files
from canary.attribution.reading import load_world, read_world
from canary.attribution.writing import write_world
from canary.domain.errors import Invalid

NAN = float("nan")
HOLDERS = [[(0, 10.0)], [(1, 10.0)]]


def _set(path, value):
    def change(world):
        *parents, last = path
        place = world
        for step in parents:
            place = place[step]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (_set(["exposures", "record", 0], 99), "exposures.record[0]"),
        (_set(["exposures", "source", 1], -1), "exposures.source[1]"),
        (_set(["exposures", "source", 1], 1.5), "exposures.source[1]"),
        (_set(["exposures", "source", 1], True), "exposures.source[1]"),
        (_set(["exposures", "source", 1], 2**70), "exposures.source"),
        (_set(["exposures", "since", 0], -3.0), "exposures.since[0]"),
        (_set(["exposures", "since", 0], NAN), "exposures.since[0]"),
        (_set(["exposures", "since", 0], 1e9), "exposures.since[0]"),
        (_set(["exposures", "since"], [1.0]), "exposures.since"),
        (_set(["exposures", "vis", 0], 7), "exposures.vis[0]"),
        (_set(["exposures"], []), "exposures"),
        (_set(["sources", "id", 1], "S0"), "sources.id[1]"),
        (_set(["sources", "id", 1], ""), "sources.id[1]"),
        (_set(["sources", "parent"], [1, 1]), "sources.parent[1]"),
        (_set(["records", "id"], None), "records.id"),
        (_set(["records", "waybill", 0], 12), "records.waybill[0]"),
        (_set(["records", "waybill", 0], "\ud800"), "records.waybill[0]"),
        (_set(["window", "end"], 0.0), "window.end"),
        (_set(["window", "start"], float("inf")), "window.start"),
        (_set(["vis_profiles", 0, "phone"], 3), "vis_profiles[0].phone"),
        (_set(["sites", 0, "channel"], "telepathy"), "sites[0].channel"),
        (_set(["sites", 0, "class"], "royal"), "sites[0].class"),
        (_set(["sites", 0, "show", "phone"], [0.9, 0.9]), "sites[0].show.phone"),
        (_set(["sites", 1, "id"], "resale"), "sites.id[1]"),
        (_set(["sightings", 0, "time"], NAN), "sightings[0].time"),
        (_set(["sightings", 0, "time"], -1.0), "sightings[0].time"),
        (_set(["sightings", 0, "site"], 5), "sightings[0].site"),
        (_set(["sightings", 0, "matches"], [44]), "sightings[0].matches[0]"),
        (_set(["sightings", 0, "level"], {"waybill": 9}), "sightings[0].level.waybill"),
        (_set(["sightings", 0, "shown"], {}), "sightings[0].shown.waybill"),
        (_set(["sightings", 1, "id"], "Y0"), "sightings[1].id"),
        (_set(["operator", "coverage"], {"resale": 2}), "operator.coverage.resale"),
        (
            _set(["operator", "delay_mixture"], {"mean_fast_h": 0}),
            "operator.delay_mixture.mean_fast_h",
        ),
        (_set(["schema"], "something/2"), "schema"),
    ],
)
def test_bad_field_is_refused_by_path(make_world, change, field):
    world = make_world(HOLDERS, [(0, 30.0), (1, 40.0)])
    change(world)
    with pytest.raises(Invalid) as refused:
        read_world(world)
    assert refused.value.flaws[0].field == field


@pytest.mark.parametrize("obj", [None, 3, "x", [], {}, {"window": 3}, {"window": {}}])
def test_what_is_no_world_is_refused(obj):
    with pytest.raises(Invalid):
        read_world(obj)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), value=JSON)
def test_only_our_own_error_leaves_reading(make_world, data, value):
    world = make_world(HOLDERS, [(0, 30.0), (1, 40.0)])
    place = world
    for _ in range(data.draw(st.integers(0, 3))):
        inner = [key for key in _keys(place) if isinstance(place[key], dict | list)]
        if not inner:
            break
        place = place[data.draw(st.sampled_from(inner))]
    keys = _keys(place)
    if keys:
        place[data.draw(st.sampled_from(keys))] = value
    try:
        answer = attribute(read_world(world))
    except Invalid:
        return
    json.dumps(answer.to_json(), allow_nan=False)


def _keys(place):
    return list(place) if isinstance(place, dict) else list(range(len(place)))


def test_written_world_reads_back_equal(make_world):
    world = read_world(make_world(HOLDERS, [(0, 30.0), (1, 40.0)]))
    again = read_world(json.loads(json.dumps(write_world(world))))
    assert write_world(again) == write_world(world)
    assert attribute(again).to_json() == attribute(world).to_json()


def test_same_sighting_twice_is_kept_once(make_world):
    given_once = make_world(HOLDERS, [(0, 30.0)])
    given_twice = make_world(HOLDERS, [(0, 30.0)])
    given_twice["sightings"] *= 2
    assert len(read_world(given_twice).sightings) == 1
    assert (
        attribute(read_world(given_twice)).posteriors
        == attribute(read_world(given_once)).posteriors
    )


def test_sighting_that_matches_nothing_carries_nothing(make_world):
    world = make_world(HOLDERS, [(0, 30.0)])
    world["sightings"][0]["matches"] = []
    answer = attribute(read_world(world))
    assert answer.seen_events == 0
    assert answer.named == ()


def test_source_without_baits_is_no_suspect(make_world):
    world = make_world(HOLDERS, [(0, 30.0)], n_sources=3)
    answer = attribute(read_world(world))
    assert answer.posteriors["S2"] == 0.0
    assert answer.excluded["S2"].code == "never_held"


def test_world_of_nothing_is_answered(make_world):
    answer = attribute(read_world(make_world([], [], n_sources=1)))
    assert answer.named == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"window": NaN}',
        b"[" * 200_000,
        b"1" * 5000,
        b"\x1f\x8b\x08broken",
        gzip.compress(b"{}", mtime=0)[:-4],
    ],
)
def test_broken_file_is_refused(tmp_path, content):
    path = tmp_path / "broken.world.json"
    path.write_bytes(content)
    with pytest.raises(Invalid):
        load_world(path)


@pytest.mark.parametrize("written", [NAN, float("-inf")])
def test_no_number_in_a_file_is_refused_by_path(make_world, tmp_path, written):
    world = make_world(HOLDERS, [(0, 30.0)])
    world["exposures"]["since"][1] = written
    path = tmp_path / "odd.world.json"
    path.write_text(json.dumps(world))
    with pytest.raises(Invalid) as refused:
        load_world(path)
    assert refused.value.flaws[0].field == "exposures.since[1]"


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(Invalid):
        load_world(tmp_path / "nowhere.json")


def test_several_files_are_keyed_by_stem(make_world, tmp_path):
    world = make_world(HOLDERS, [(0, 30.0)])
    plain, packed = tmp_path / "a-1.world.json", tmp_path / "b.c.world.json.gz"
    plain.write_text(json.dumps(world))
    packed.write_bytes(gzip.compress(json.dumps(world).encode()))
    answers = attribute_files([plain, packed])
    assert set(answers) == {"a-1", "b"}
    assert attribute_files([plain]) == answers["a-1"]


def test_several_files_say_which_is_wrong(make_world, tmp_path):
    good, bad = make_world(HOLDERS, [(0, 30.0)]), make_world(HOLDERS, [(0, -30.0)])
    paths = [tmp_path / "good.json", tmp_path / "bad.json"]
    for path, world in zip(paths, (good, bad), strict=True):
        path.write_text(json.dumps(world))
    with pytest.raises(Invalid, match=r"sightings\[0\]\.time: .* \(in bad\.json\)"):
        attribute_files(paths)


def test_two_files_of_one_name_are_refused(make_world, tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "a.world.json"]
    for path in paths:
        path.write_text(json.dumps(make_world(HOLDERS, [(0, 30.0)])))
    with pytest.raises(Invalid, match="two files would answer as 'a'"):
        attribute_files(paths)
