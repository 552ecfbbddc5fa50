"""How often an innocent record agrees with a bait by accident, field by field.

Figures: mobile prefixes are taken as 45 equally full ones; cities by their share of mobile
number blocks; names by surname and given-character shares.
"""

from canary.matching import names, tables
from canary.matching.keys import bare_number

PREFIXES = 45
UNKNOWN_CITY = 1 / 300
DISTRICT = 1 / 8  # a district within its city
DETAIL = 1e-4  # a street number within its district
SHARED_ADDRESS = 1e-4  # an address alone says no more: a house has many people
PINYIN_TWINS = 4.0  # how many common names share one toneless reading
FLOOR = 1e-18


def number_chance(shown: int, number: str, *, letters: bool = True) -> float:
    """Return the chance for `shown` visible digits of a number; the carrier's prefix is free."""
    fixed = 2 if number[:1].isdigit() or not letters else len(number) - len(bare_number(number))
    return max(FLOOR, 10.0 ** -max(1, shown - fixed))


def phone_chance(head: int, tail: int) -> float:
    """Return the chance for `head` leading and `tail` last digits of a mobile phone."""
    chance = 10.0**-tail
    if head >= 3:
        return max(FLOOR, chance * 10.0 ** -(head - 3) / PREFIXES)
    return max(FLOOR, chance * (1.0, 1.0, 0.2)[head])


def masked_name_chance(name: str, shown: str) -> float:
    """Return the chance that a masked name with these visible characters is met."""
    chance = 1.0
    surname = names.surname_of(name)
    rest = shown
    if shown.startswith(surname):
        chance *= names.surname_chance(name)
        rest = shown[len(surname) :]
    for ch in rest:
        chance *= names.given_chance(ch)
    return chance


def city_chance(city: str) -> float:
    """Return the share of records that go to this city."""
    return tables.city_shares().get(city.removesuffix("市"), UNKNOWN_CITY)
