import re

import pytest

from seeds.errors import BadPlan, CapacityShort
from seeds.places import (
    Address,
    draw_details,
    join_address,
    load_places,
    make_drop_unit,
    read_drop,
)

DROP = Address("330206", "浙江省", "宁波市", "北仑区", "科技路18号蜂巢园")


@pytest.mark.parametrize(
    ("prefix", "city"),
    [
        ("330206", "宁波市"),
        ("3302", "宁波市"),
        ("330200", "宁波市"),
        ("110105", "北京市"),
        ("500229", "重庆市"),
        ("429004", "仙桃市"),
        ("441900", "东莞市"),
    ],
)
def test_region_code_leads_to_its_city(prefix, city):
    assert load_places().list_cities(prefix) == [city]


def test_province_code_spans_its_cities():
    assert len(load_places().list_cities("330000")) == len(load_places().list_cities("33")) == 11


def test_every_district_has_streets():
    places = load_places()
    assert all(places.has_region(code) for code in places.districts)


def test_street_codes_belong_to_their_district(draws):
    drawn = load_places().draw_streets(["33"] * 500, draws)
    assert {district.code[:2] for district, _ in drawn} == {"33"}
    assert {district.province for district, _ in drawn} == {"浙江省"}


@pytest.mark.parametrize("prefix", ["99", "339999", "330206999"])
def test_unknown_region_names_the_mend(prefix):
    with pytest.raises(BadPlan, match="mend: use a division code of 2023"):
        load_places().get_streets(prefix)


def test_telling_part_lies_before_the_room(draws):
    """Labels hide building and room, so road and number alone must tell baits apart."""
    details = draw_details(["大碶街道"] * 3000, draws)
    assert len({road for road, _ in details}) > 2990
    assert not any(re.search(r"\d(室|单元|幢|栋)", road) for road, _ in details)


def test_village_address_has_no_building(draws):
    assert {inside for _, inside in draw_details(["漫江乡"] * 50, draws)} == {""}


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (("浙江省", "宁波市", "北仑区", "大碶街道1号"), "浙江省宁波市北仑区大碶街道1号"),
        (("北京市", "北京市", "朝阳区", "1号"), "北京市朝阳区1号"),
        (("广东省", "东莞市", "东莞市", "1号"), "广东省东莞市1号"),
    ],
)
def test_joined_address_names_places_once(parts, line):
    assert join_address(*parts) == line


def test_each_source_gets_its_own_unit():
    units = [make_drop_unit(DROP, place) for place in range(5000)]
    assert len({unit.detail for unit in units}) == 5000
    assert units[0].detail == "科技路18号蜂巢园A区1排01号"
    assert {unit.code for unit in units} == {"330206"}


def test_full_drop_says_how_many_fit():
    with pytest.raises(CapacityShort, match="has 235224 unit codes"):
        make_drop_unit(DROP, 10**6)


def test_drop_address_takes_its_names_from_the_table():
    assert read_drop("330206", " 科技路18号蜂巢园 ") == DROP


@pytest.mark.parametrize(("code", "detail"), [("999999", "科技路18号"), ("330206", " ")])
def test_drop_address_nowhere_is_refused(code, detail):
    with pytest.raises(BadPlan, match="mend: give the six digits"):
        read_drop(code, detail)
