"""Phone numbers for trials abroad: from ranges that regulators keep for fiction, which never ring.

Mainland China has no such range: trials there need phones that are owned.
"""

from collections.abc import Mapping

from seeds.draws import Draws, RandomSource
from seeds.errors import BadPlan

# What a number begins with, and how many digits are free (NANPA, Ofcom, ACMA, ARCEP, BNetzA, PTS).
RANGES: Mapping[str, tuple[tuple[str, int], ...]] = {
    "US": tuple((f"+1{area}55501", 2) for area in ("206", "207", "212", "213", "214", "215")),
    "GB": (("+447700900", 3), ("+442079460", 3)),
    "AU": (("+6125550", 4), ("+6135550", 4), ("+6127010", 4)),
    "FR": (("+3319900", 4), ("+3363998", 4)),
    "DE": (("+493023125", 3), ("+4917604069", 4)),
    "SE": (("+4684650040", 1), ("+4684650041", 1)),
}


def draw_fictional(country: str, count: int, random: RandomSource) -> list[str]:
    """Draw so many different numbers of a country's ranges. Raises BadPlan."""
    if country not in RANGES:
        raise BadPlan(
            f"no range for fiction is known for {country[:20]!r}",
            mend=f"use one of {', '.join(RANGES)}; in China only phones you own will do",
            field="country",
        )
    room = sum(10**free for _, free in RANGES[country])
    if not 1 <= count <= room:
        raise BadPlan(f"{count} numbers of {country}", mend=f"give 1 to {room}", field="count")
    every = [
        f"{start}{number:0{free}}" for start, free in RANGES[country] for number in range(10**free)
    ]
    return Draws(random).shuffled(every)[:count]
