"""Invented networks for the simulator: sources, bait records and who held what, since when.

All times in hours. Nothing here is anybody's data: numbers and names are drawn.
"""

from dataclasses import dataclass

import numpy as np

from canary.attribution.world import Floats, Ints, Small

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙朱马胡郭何高罗林郑梁谢宋唐许韩邓冯"
    "曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁任卢姚钟姜崔谭陆"
)
SURNAME_PERMILLE = (
    75, 74, 70, 53, 46, 34, 23, 21, 20, 20, 15, 15, 13, 13, 12, 11.5, 10.7, 10.4, 9.9, 9.8, 9,
    8.5, 8, 7.5, 7, 6.5, 6.2, 6, 5.8, 5.5, 5, 4.9, 4.8, 4.5, 4.2, 4.1, 4, 4, 4, 3.8, 3.8, 3.7,
    3.6, 3.5, 3.5, 3.5, 3.4, 3.3, 3.2, 3.1, 3, 2.8, 2.7, 2.7, 2.6, 2.5,
)  # fmt: skip
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红玲"
    "建国文志海波宁龙飞鹏宇浩然子轩雨欣怡佳晨阳博凯悦琳雪梅春燕晓东"
)
CHAIN_STAGES = ("platform", "pickup", "sorting", "transit", "outlet")
CHAIN_VIS = np.array(
    [[2, 2, 2, 2], [2, 1, 2, 2], [2, 0, 0, 2], [2, 0, 0, 0], [2, 2, 2, 2], [2, 2, 2, 2]],
    dtype=np.int8,
)
OPEN_VIS = np.array([[2, 2, 2, 2]], dtype=np.int8)
HOURS = 1440.0
ISSUED_UNTIL = 864.0
LOG_LAG_H = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Frequencies of names and districts in the invented population."""

    surname: dict[str, float]
    given: dict[str, float]
    district: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Sources, records and exposures; `true_since` is when the source really had it."""

    stages: tuple[str, ...]
    waybills: tuple[str, ...]
    phones: tuple[str, ...]
    names: tuple[str, ...]
    districts: tuple[str, ...]
    issued: Floats
    vis: Small
    record: Ints
    source: Ints
    true_source: Ints
    since: Floats
    true_since: Floats
    vis_of: Ints


def make_tables(rng: np.random.Generator) -> Tables:
    """Draw district sizes; names follow public frequencies."""
    given = 1.0 / (np.arange(len(GIVEN)) + 6.0)
    sizes = rng.lognormal(0.0, 1.0, 300)
    return Tables(
        surname={key: share / 1000 for key, share in zip(SURNAMES, SURNAME_PERMILLE, strict=True)},
        given=dict(zip(GIVEN, (given / given.sum()).tolist(), strict=True)),
        district={f"D{at:03d}": float(one) for at, one in enumerate(sizes / sizes.sum())},
    )


def single_network(
    rng: np.random.Generator, tables: Tables, *, n_sources: int, baits: int, n_phones: int = 0
) -> Network:
    """Give every source its own baits; `n_phones` > 0 shares phones at random."""
    count = n_sources * baits
    issued = rng.uniform(0.0, ISSUED_UNTIL, count)
    phones = phone_numbers(rng, n_phones) if n_phones else ()
    numbers = tuple(rng.choice(phones, count).tolist()) if n_phones else phone_numbers(rng, count)
    source = np.repeat(np.arange(n_sources), baits)
    return _open_network(rng, tables, source, numbers, issued, n_sources)


def pool_network(
    rng: np.random.Generator,
    tables: Tables,
    *,
    n_sources: int,
    n_phones: int,
    per_source: int,
    n_control: int = 0,
) -> Network:
    """Give every source `per_source` random phones of a pool (near-constant column weight)."""
    phones = phone_numbers(rng, n_phones + n_control)
    draws = np.argsort(rng.random((n_sources, n_phones)), axis=1)[:, :per_source]
    source = np.repeat(np.arange(n_sources), per_source)
    numbers = [phones[at] for at in np.sort(draws, axis=1).ravel().tolist()]
    numbers += list(phones[n_phones:])
    issued = np.zeros(len(numbers))
    return _open_network(rng, tables, source, tuple(numbers), issued, n_sources)


def _open_network(
    rng: np.random.Generator,
    tables: Tables,
    source: Ints,
    phones: tuple[str, ...],
    issued: Floats,
    n_sources: int,
) -> Network:
    count = len(phones)
    record = np.arange(len(source))
    true_since = issued[record]
    return Network(
        stages=("single",) * n_sources,
        waybills=waybill_numbers(rng, count),
        phones=phones,
        names=draw_names(rng, tables, count),
        districts=draw_districts(rng, tables, count),
        issued=issued,
        vis=OPEN_VIS,
        record=record,
        source=source,
        true_source=source,
        since=true_since + rng.exponential(LOG_LAG_H, len(source)),
        true_since=true_since,
        vis_of=np.zeros(len(source), dtype=np.int64),
    )


def chain_network(
    rng: np.random.Generator,
    tables: Tables,
    *,
    n_records: int,
    n_platforms: int,
    twins: float = 0.0,
    system: bool = False,
    log_errors: float = 0.0,
) -> Network:
    """Send records from platform to outlet; `twins`: share that goes to the platform's own pickup.

    A pickup station has its usual sorting hub, an outlet its usual transit hub.
    """
    sizes = (n_platforms, 60, 12, 10, 150)
    first = np.concatenate([[0], np.cumsum(sizes)])

    def mostly(usual: Ints, share: float, count: int) -> Ints:
        return np.where(rng.random(n_records) < share, usual, rng.integers(0, count, n_records))

    platform = rng.integers(0, n_platforms, n_records)
    pickup = mostly(platform % 60, twins, 60)
    sorting = mostly(rng.integers(0, 12, 60)[pickup], 0.85, 12)
    outlet = rng.integers(0, 150, n_records)
    transit = mostly(rng.integers(0, 10, 150)[outlet], 0.8, 10)
    holders = [platform, pickup, sorting, transit, outlet]
    issued = rng.uniform(0.0, ISSUED_UNTIL, n_records)
    gaps = ((0.0, 0.0), (1.0, 14.0), (2.0, 8.0), (4.0, 20.0), (6.0, 30.0))
    times = np.cumsum([rng.uniform(low, high, n_records) for low, high in gaps], axis=0) + issued
    stages = [stage for stage, size in zip(CHAIN_STAGES, sizes, strict=True) for _ in range(size)]
    source = [first[at] + one for at, one in enumerate(holders)]
    since = list(times)
    if system:
        stages.append("system")
        source.append(np.full(n_records, len(stages) - 1))
        since.append(issued + 0.5)
    true_source = np.concatenate(source)
    logged = _with_log_errors(rng, np.array(stages), true_source, log_errors)
    true_since = np.concatenate(since)
    return Network(
        stages=tuple(stages),
        waybills=waybill_numbers(rng, n_records),
        phones=phone_numbers(rng, n_records),
        names=draw_names(rng, tables, n_records),
        districts=draw_districts(rng, tables, n_records),
        issued=issued,
        vis=CHAIN_VIS,
        record=np.tile(np.arange(n_records), len(source)),
        source=logged,
        true_source=true_source,
        since=true_since + rng.exponential(LOG_LAG_H, len(true_since)),
        true_since=true_since,
        vis_of=np.repeat(np.arange(len(source)), n_records),
    )


def _with_log_errors(
    rng: np.random.Generator,
    stages: "np.ndarray[tuple[int], np.dtype[np.str_]]",
    source: Ints,
    rate: float,
) -> Ints:
    logged = source.copy()
    for at in np.flatnonzero(rng.random(len(source)) < rate).tolist():
        same = np.flatnonzero(stages == stages[source[at]])
        logged[at] = int(rng.choice(same))
    return logged


def waybill_numbers(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """Draw distinct 13-digit numbers starting with 9."""
    serials = rng.permutation(count) * 999_983 + int(rng.integers(0, 999_983))
    return tuple(f"9{one % 10**12:012d}" for one in serials.tolist())


def phone_numbers(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """Draw distinct numbers of a prefix that belongs to nobody."""
    drawn = rng.choice(10**9, size=count, replace=False)
    return tuple(f"10{one:09d}" for one in drawn.tolist())


def draw_names(rng: np.random.Generator, tables: Tables, count: int) -> tuple[str, ...]:
    """Draw three-character names."""
    surnames = rng.choice(list(tables.surname), count, p=_shares(tables.surname))
    given = rng.choice(list(tables.given), (count, 2), p=_shares(tables.given))
    return tuple(f"{s}{a}{b}" for s, (a, b) in zip(surnames, given.tolist(), strict=True))


def draw_districts(rng: np.random.Generator, tables: Tables, count: int) -> tuple[str, ...]:
    """Draw districts by population."""
    drawn = rng.choice(list(tables.district), count, p=_shares(tables.district))
    return tuple(str(one) for one in drawn)


def _shares(table: dict[str, float]) -> Floats:
    values = np.array(list(table.values()))
    return np.asarray(values / values.sum())
