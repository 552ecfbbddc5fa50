import re
from random import Random

import pytest

from seeds.errors import CapacityShort
from seeds.goods import load_goods, mark_goods
from seeds.places import load_places
from seeds.tables import read_json

LINES = read_json("goods.json")["lines"]
KINDS = {goods: line for line in LINES for goods in line["goods"]}
SENDERS = read_json("goods.json")["senders"]


def test_goods_weight_and_sender_agree(draws):
    book = load_goods(Random(7))
    for parcel in book.draw_parcels(["440106", "330782", "650102"] * 300, draws):
        line = KINDS[parcel.goods]
        assert line["grams"][0] - 5 <= parcel.weight_g <= line["grams"][2] + 5
        assert parcel.sender_name.endswith(tuple(SENDERS[line["kind"]]))


def test_city_ships_its_own_trades(draws):
    book = load_goods(Random(7))
    kinds = {KINDS[parcel.goods]["kind"] for parcel in book.draw_parcels(["350582"] * 300, draws)}
    assert kinds == {"鞋业", "服饰", "母婴", "百货"}


def test_other_cities_ship_general_goods(draws):
    parcels = load_goods(Random(7)).draw_parcels(["650102"] * 100, draws)
    assert {KINDS[parcel.goods]["kind"] for parcel in parcels} == {"百货"}


def test_every_origin_is_a_place(draws):
    origins = load_goods(Random(7)).draw_origins(2000, draws)
    assert all(load_places().has_region(origin) for origin in set(origins))
    assert set(origins) == {home for line in LINES for home in line["home"]}


def test_weights_are_positive_tens(draws):
    parcels = load_goods(Random(7)).draw_parcels(["330782"] * 500, draws)
    assert all(parcel.weight_g > 0 and parcel.weight_g % 10 == 0 for parcel in parcels)


def test_goods_marks_are_rare_words():
    marks = [mark_goods(i) for i in range(20)]
    assert len(set(marks)) == 20
    assert not set(marks) & set(KINDS)


def test_too_many_marks_are_refused():
    with pytest.raises(CapacityShort, match="mend: mark fewer sources"):
        mark_goods(20)


def test_senders_bear_no_citys_name(draws):
    parcels = load_goods(Random(7)).draw_parcels(["650102"] * 2000, draws)
    endings = "|".join(SENDERS["百货"])
    stems = {re.sub(f"({endings})$", "", parcel.sender_name) for parcel in parcels}
    cities = {city[:2] for city in load_places().list_cities("")}
    assert not [stem for stem in stems if any(city in stem for city in cities)]
