"""Under which exact keys a bait can be found.

Every look-up is by an exact key, so that a register in memory and a database that holds only
keyed hashes of the keys answer alike. A bait with number, phone and name has twelve keys.
What each costs and how many innocent records share it (45 mobile prefixes, uniform):

    n:    number without its leading letters; one look-up for a run, with or without prefix
    n8:   first eight characters of the number; for truncated numbers
    n43:  first four and last three; for a number masked in the middle
    n6:   last six; for a tail
    p:    phone, and host-extension for shared hosts; 1 record in 4.5 billion
    p34:  first three and last four; 1 in 450,000
    p7:   first seven; 1 in 450,000
    p31:  first three and the last digit; 1 in 450, only useful with another field
    t4:   last four; 1 in 10,000, only useful with another field
    m:    name, folded to simplified characters
    mp:   toneless pinyin of the name
    a:    three characters and the house number of the address; only useful with the city
"""

import re

from canary.domain.identifiers import BaitValues
from canary.matching.names import fold_name, reading_of

Key = str

FANOUT = 256  # a register may leave out a key that more baits share; the engine passes it over

_LEADING = re.compile(r"^[A-Z]+")
PLACE = re.compile(r"([\u3400-\u9fff]{3})([0-9]{1,5})(?![0-9])")


def keys_of(values: BaitValues) -> list[Key]:
    """Return every key under which this bait must be findable."""
    keys: list[Key] = []
    if values.number:
        keys += number_keys(values.number)
    if values.phone:
        keys += phone_keys(values.phone)
    if values.name:
        keys += name_keys(values.name)
    place = place_of(values.detail)
    if place is not None:
        keys.append(f"a:{place[0]}{place[1]}")
    return list(dict.fromkeys(keys))


def bare_number(number: str) -> str:
    """Return a canonical number without its leading letters (the carrier's prefix)."""
    return _LEADING.sub("", number)


def number_key(number: str) -> Key:
    """Return the key of a whole canonical number, which no two baits may share."""
    return f"n:{bare_number(number)}"


def phone_key(phone: str) -> Key:
    """Return the key of a whole canonical phone, "host" or "host-extension"."""
    return f"p:{phone}"


def number_keys(number: str) -> list[Key]:
    """Return the keys of a canonical waybill number."""
    return [
        f"n:{bare_number(number)}",
        f"n8:{number[:8]}",
        f"n43:{number[:4]}:{number[-3:]}",
        f"n6:{number[-6:]}",
    ]


def phone_keys(phone: str) -> list[Key]:
    """Return the keys of a canonical phone, "host" or "host-extension"."""
    host, _, extension = phone.partition("-")
    keys = [f"p:{phone}"] if extension else []
    keys.append(f"p:{host}")
    if len(host) == 11 and host.startswith("1"):
        keys += [f"p34:{host[:3]}:{host[-4:]}", f"p7:{host[:7]}", f"p31:{host[:3]}:{host[-1]}"]
    return [*keys, f"t4:{host[-4:]}"]


def name_key(name: str) -> Key:
    """Return the key of a whole name."""
    return f"m:{fold_name(name)}"


def name_keys(name: str) -> list[Key]:
    """Return the keys of a name; no pinyin key where a reading is unknown."""
    folded = fold_name(name)
    reading = reading_of(folded)
    return [f"m:{folded}", *([f"mp:{reading}"] if reading else [])]


def place_of(detail: str) -> tuple[str, str] | None:
    """Return the three characters before an address's first house number, and the number."""
    found = PLACE.search(fold_name(detail)) if detail else None
    return (found[1], found[2]) if found else None
