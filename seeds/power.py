"""What a number of baits buys against a seller who shows part of what he has."""

from math import ceil, expm1, lgamma, log1p

from seeds.errors import BadPlan


def chance_seen(
    *, days: int, baits_per_day: int, parcels_per_day: int, rows_shown_per_day: int
) -> float:
    """Return the chance that at least one bait is shown within so many days.

    Each day the seller shows `rows_shown_per_day` of `parcels_per_day` parcels, of which
    `baits_per_day` are baits: 1 - (C(V-b, m) / C(V, m))**n. Raises BadPlan.
    """
    _check_volume(days, baits_per_day, parcels_per_day, rows_shown_per_day)
    shown = min(rows_shown_per_day, parcels_per_day)
    others = parcels_per_day - baits_per_day
    if baits_per_day == 0 or shown == 0 or days == 0:
        return 0.0
    if shown > others:
        return 1.0
    missed = _log_choose(others, shown) - _log_choose(parcels_per_day, shown)
    return -expm1(days * missed)


def count_baits_needed(
    *, days: int, parcels_per_day: int, rows_shown_per_day: int, chance: float = 0.95
) -> int:
    """Return the least number of baits a day that are seen within `days` with that chance.

    Raises BadPlan when nothing is shown or no number of baits is enough.
    """
    if not 0 < chance < 1:
        raise BadPlan(f"a chance of {chance:g}", mend="give one between 0 and 1", field="chance")
    low, high = 0, parcels_per_day
    _check_volume(days, high, parcels_per_day, rows_shown_per_day)
    if days == 0 or rows_shown_per_day == 0:
        raise BadPlan("nothing is shown", mend="watch at least one day and one row", field="days")
    while high - low > 1:
        middle = (low + high) // 2
        seen = chance_seen(
            days=days,
            baits_per_day=middle,
            parcels_per_day=parcels_per_day,
            rows_shown_per_day=rows_shown_per_day,
        )
        low, high = (low, middle) if seen >= chance else (middle, high)
    return high


def count_days_needed(
    *, baits_per_day: int, parcels_per_day: int, rows_shown_per_day: int, chance: float = 0.95
) -> int | None:
    """Return after how many days a bait has been seen with that chance; None for never."""
    one = chance_seen(
        days=1,
        baits_per_day=baits_per_day,
        parcels_per_day=parcels_per_day,
        rows_shown_per_day=rows_shown_per_day,
    )
    if one <= 0:
        return None
    return 1 if one >= chance else ceil(log1p(-chance) / log1p(-one))


def _check_volume(days: int, baits: int, parcels: int, shown: int) -> None:
    for field, value in (("days", days), ("baits", baits), ("rows", shown)):
        if value < 0:
            raise BadPlan(f"{field} is {value}", mend="give 0 or more", field=field)
    if not max(1, baits) <= parcels:
        raise BadPlan(
            f"{baits} baits a day in {parcels} parcels a day",
            mend="give at least one parcel a day, and not more baits than parcels",
            field="daily_parcels",
        )


def _log_choose(whole: int, part: int) -> float:
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)
