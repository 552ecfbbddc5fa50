import random
from datetime import date
from itertools import islice
from random import Random

import numpy as np
import pytest
from faker import Faker

from seeds.draws import Draws
from seeds.errors import BadPlan, CapacityShort, PoolEmpty, UnknownCarrier
from seeds.make import NothingTaken, Taken, TakenValues, make_waybills
from seeds.numbers import is_valid
from seeds.people import ForbiddenNames, NameStyle, load_names, mask_name
from seeds.places import Address, load_places
from seeds.ranges import NumberRange, ReservedNumbers
from seeds.recipes import Recipe
from seeds.tables import read_rows

CARRIERS = ("SF", "YTO", "ZTO", "STO", "YUNDA", "JT", "JD", "DEPPON", "EMS")


def _national(count: int) -> list[Recipe]:
    regions = sorted({code[:4] for code in load_places().districts})
    return [
        Recipe(
            source=f"S{i}",
            carrier=CARRIERS[i % len(CARRIERS)],
            region=regions[i % len(regions)],
            destination=regions[i * 7 % len(regions)] if i % 2 else None,
            count=4,
        )
        for i in range(count // 4)
    ]


@pytest.fixture(scope="module")
def batch():
    """Twenty thousand waybills over the whole country."""
    return list(make_waybills(_national(20_000), taken=NothingTaken(), phones=(), random=Random(7)))


def test_identifiers_never_repeat(batch):
    waybills = [made.waybill for made in batch]
    assert len({waybill.number for waybill in waybills}) == 20_000
    assert len({waybill.name for waybill in waybills}) == 20_000
    assert len({(w.city, w.detail) for w in waybills}) == 20_000


def test_masked_name_with_city_never_repeats(batch):
    masked = {(mask_name(m.waybill.name, keep_last=True), m.waybill.city) for m in batch}
    assert len(masked) == 20_000


def test_every_number_passes_its_carrier(batch):
    assert all(is_valid(made.waybill.carrier, made.waybill.number) for made in batch)
    assert all(made.waybill.carrier == made.recipe.carrier for made in batch)


def test_places_come_from_one_row(batch):
    rows = {row["code6"]: row for row in read_rows("cn_districts.csv")}
    for _, waybill in batch:
        row = rows[waybill.destination]
        assert (waybill.province, waybill.district) == (row["province"], row["district"])
        assert waybill.city in (row["city"], row["province"], row["district"])


def test_parcels_keep_to_their_lane(batch):
    for recipe, waybill in batch:
        assert waybill.destination.startswith(recipe.destination or recipe.region)
        if recipe.destination:
            assert waybill.origin.startswith(recipe.region)
        assert waybill.origin in load_places().districts


def test_rare_surname_repeats_in_a_city_only_when_all_are_used(make):
    surnames = load_names().surnames
    waybills = make(
        Recipe(source="A", carrier="YTO", region="3302", count=len(surnames)),
        names=NameStyle.RARE,
    )
    assert {waybill.name[0] for waybill in waybills} == set(surnames)


def test_seeding_other_generators_changes_nothing():
    def run(source: Random) -> tuple[set[str], set[str]]:
        random.seed(1)
        np.random.seed(1)
        Faker.seed(1)
        made = make_waybills(
            [Recipe(source="A", carrier="YTO", region="3302", count=500)],
            taken=NothingTaken(),
            phones=(),
            random=source,
        )
        waybills = [waybill for _, waybill in made]
        return {w.number for w in waybills}, {w.name for w in waybills}

    (numbers, names), (other_numbers, other_names) = run(Random(1)), run(Random(2))
    assert not numbers & other_numbers
    # Names of two sources meet now and then; those of a repeated source always would.
    assert len(names & other_names) < len(names) / 10


def test_source_given_decides_everything():
    """Only the randomness handed in is used, so a test source repeats."""

    def run() -> list[object]:
        made = make_waybills(_national(100), taken=NothingTaken(), phones=(), random=Random(3))
        return [made.waybill for made in made]

    assert run() == run()


def test_phones_go_to_those_who_ask(make):
    waybills = make(
        Recipe(source="A", carrier="YTO", region="3302", count=2),
        Recipe(source="B", carrier="YTO", region="3302", phone=False),
        Recipe(source=None, carrier="YTO", region="3302"),
        Recipe(source="C", carrier="YTO", region="3302", count=2),
        phones=("19340271865", "19340271866", "19340271867"),
    )
    assert [waybill.phone for waybill in waybills] == [
        "19340271865",
        "19340271866",
        None,
        None,
        "19340271867",
        None,
    ]


def test_empty_pool_invents_no_phone(make):
    waybills = make(Recipe(source="A", carrier="YTO", region="3302", count=50))
    assert {waybill.phone for waybill in waybills} == {None}


def test_goods_mark_and_drop_address_are_kept(make):
    drop = Address("330206", "浙江省", "宁波市", "北仑区", "科技路18号蜂巢园A区1排01号")
    (waybill,) = make(Recipe(source="A", carrier="YTO", region="3302", goods="锡制花插", drop=drop))
    assert waybill.goods == "锡制花插"
    assert waybill.address == "浙江省宁波市北仑区科技路18号蜂巢园A区1排01号"
    assert waybill.destination == "330206"


class EverySecondTaken(Taken):
    """A register in which half of all values are in use."""

    def __init__(self) -> None:
        self.answers: dict[str, bool] = {}

    def is_number_taken(self, number: str) -> bool:
        return self.answers.setdefault(number, len(self.answers) % 2 == 0)

    def is_name_taken(self, name: str, city: str) -> bool:
        return self.answers.setdefault(name, len(self.answers) % 2 == 0)


def test_taken_values_are_drawn_again():
    taken = EverySecondTaken()
    made = list(make_waybills(_national(200), taken=taken, phones=(), random=Random(7)))
    assert len(made) == 200
    assert not any(taken.answers[w.number] or taken.answers[w.name] for _, w in made)


def test_register_in_memory_knows_names_under_mask():
    taken = TakenValues(numbers=["YT2047183659012"], names=[("邬瑶岚", "宁波市")])
    assert taken.is_number_taken("YT2047183659012")
    assert taken.is_name_taken("邬瑶岚", "杭州市")
    assert taken.is_name_taken("邬晴岚", "宁波市")
    assert not taken.is_name_taken("邬晴岚", "杭州市")


def test_forbidden_names_are_passed_over():
    names = [w.name for _, w in islice(_make_with(Random(5)), 50)]
    forbidden = ForbiddenNames.from_names(b"key", names)
    again = [w.name for _, w in islice(_make_with(Random(5), forbidden=forbidden), 50)]
    assert not set(names) & set(again)


def _make_with(source, **more):
    return make_waybills(_national(100), taken=NothingTaken(), phones=(), random=source, **more)


def test_reserved_numbers_take_the_place_of_invented_ones():
    block = NumberRange(carrier="JT", first="JT3018274659000", last="JT3018274659002")
    numbers = ReservedNumbers("JT", [block], Draws(Random(1)), today=date(2026, 11, 21))
    recipe = Recipe(source="A", carrier="JT", region="3302", count=3)
    made = make_waybills(
        [recipe], taken=NothingTaken(), phones=(), random=Random(7), numbers={"JT": numbers}
    )
    assert {w.number for _, w in made} == {f"JT301827465900{i}" for i in range(3)}


def test_used_up_reserve_stops_the_batch():
    block = NumberRange(carrier="JT", first="JT3018274659000", last="JT3018274659001")
    numbers = ReservedNumbers("JT", [block], Draws(Random(1)), today=date(2026, 11, 21))
    recipe = Recipe(source="A", carrier="JT", region="3302", count=3)
    with pytest.raises(PoolEmpty):
        list(
            make_waybills(
                [recipe],
                taken=NothingTaken(),
                phones=(),
                random=Random(7),
                numbers={"JT": numbers},
            )
        )


class AllTaken(Taken):
    """A register in which every name is in use."""

    def is_number_taken(self, number: str) -> bool:
        return False

    def is_name_taken(self, name: str, city: str) -> bool:
        return True


def test_short_capacity_is_said_with_mend():
    recipe = Recipe(source="A", carrier="YTO", region="3302")
    with pytest.raises(CapacityShort, match=r"names in 宁波市: none new .* mend: spread"):
        list(make_waybills([recipe], taken=AllTaken(), phones=(), random=Random(7)))


def test_unknown_carrier_and_region_stop_the_batch(make):
    with pytest.raises(UnknownCarrier):
        make(Recipe(source="A", carrier="NOBODY", region="3302"))
    with pytest.raises(BadPlan, match="division code"):
        make(Recipe(source="A", carrier="YTO", region="9999"))


@pytest.mark.parametrize(
    "change",
    [{"count": 0}, {"count": -1}, {"region": ""}, {"region": "33x2"}, {"destination": "33020"}],
)
def test_bad_recipe_is_refused_at_once(change):
    with pytest.raises(BadPlan, match="mend: give"):
        Recipe(**({"source": "A", "carrier": "YTO", "region": "3302"} | change))


def test_endless_recipes_are_made_as_they_come():
    recipes = (Recipe(source=f"S{i}", carrier="YTO", region="33") for i in iter(int, 1))
    made = make_waybills(recipes, taken=NothingTaken(), phones=(), random=Random(7))
    assert len(list(islice(made, 3000))) == 3000
