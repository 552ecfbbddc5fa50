from random import Random

import pytest

from seeds.errors import BadPlan
from seeds.fiction import RANGES, draw_fictional
from seeds.phones import PhoneKind, parse_phone


@pytest.mark.parametrize("country", RANGES)
def test_every_number_is_kept_for_fiction(country):
    room = sum(10**free for _, free in RANGES[country])
    drawn = draw_fictional(country, min(room, 2000), Random(1))
    assert len(set(drawn)) == len(drawn)
    found = {(parse_phone(number).kind, parse_phone(number).country) for number in drawn}
    assert found == {(PhoneKind.FICTION, country)}


@pytest.mark.parametrize(("country", "count"), [("CN", 1), ("", 1), ("GB", 0), ("GB", 2001)])
def test_what_no_range_holds_is_refused(country, count):
    with pytest.raises(BadPlan) as refusal:
        draw_fictional(country, count, Random(1))
    assert refusal.value.mend
