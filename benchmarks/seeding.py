"""Rows per second of seeds against Faker and mimesis building the same record, in one run.

    python -m benchmarks.seeding [ROWS]
    python -m benchmarks.seeding --database [BAITS]

With --database it seeds so many baits (default 50,000) into a new SQLite database, all rows and
digests written, and tells wall and processor time and the peak memory of both processes.
Peers get their rows as a plain user would write them; what they lack (uniqueness, places that
agree, check digits) they are not asked for. Peers that are not installed are left out.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from secrets import SystemRandom

from seeds.make import NothingTaken, make_waybills
from seeds.places import load_places
from seeds.recipes import Recipe

_ROUNDS = 5
_OUTLETS = 5000
_PROCESSES = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
_CARRIERS = ("SF", "YTO", "ZTO", "STO", "YUNDA", "JT", "JD")


def make_with_seeds(rows: int) -> Iterator[object]:
    """Make waybills over all cities, carriers and both directions."""
    regions = sorted({code[:4] for code in load_places().districts})
    recipes = (
        Recipe(
            source=f"S{i}",
            carrier=_CARRIERS[i % len(_CARRIERS)],
            region=regions[i % len(regions)],
            destination=regions[i * 7 % len(regions)] if i % 2 else None,
            count=4,
        )
        for i in range(rows // 4)
    )
    return make_waybills(recipes, taken=NothingTaken(), phones=(), random=SystemRandom())


def make_with_faker(rows: int) -> Iterator[object]:
    """Make the same fields with plain Faker."""
    from faker import Faker

    fake = Faker("zh_CN")
    for _ in range(rows):
        yield {
            "number": fake.bothify("YT#############"),
            "carrier": fake.random_element(_CARRIERS),
            "name": fake.name(),
            "province": fake.province(),
            "city": fake.city_name(),
            "district": fake.district(),
            "detail": fake.street_address(),
            "goods": fake.word(),
            "weight_g": fake.random_int(60, 6000),
            "origin": fake.postcode(),
            "destination": fake.postcode(),
            "sender_name": fake.company(),
        }


def make_with_mimesis(rows: int) -> Iterator[object]:
    """Make the same fields with mimesis."""
    from mimesis import Generic, Locale

    fake = Generic(locale=Locale.ZH)
    for _ in range(rows):
        yield {
            "number": fake.random.generate_string_by_mask("YT#############"),
            "carrier": fake.random.choice(_CARRIERS),
            "name": fake.person.surname() + fake.person.name(),
            "province": fake.address.province(),
            "city": fake.address.city(),
            "district": fake.address.state(),
            "detail": fake.address.address(),
            "goods": fake.text.word(),
            "weight_g": fake.random.randint(60, 6000),
            "origin": fake.address.postal_code(),
            "destination": fake.address.postal_code(),
            "sender_name": fake.finance.company(),
        }


def measure(make: Callable[[int], Iterator[object]], rows: int) -> float:
    """Return rows per second of processor time."""
    stream = make(rows)
    next(stream)
    started = time.process_time()
    made = sum(1 for _ in stream)
    return made / (time.process_time() - started)


def seed_database(baits: int) -> None:
    """Seed a batch of a new database for 5,000 outlets, as the command does."""
    import tempfile
    from datetime import UTC, datetime
    from pathlib import Path

    from canary.services.baits.seeding import Nursery, SeedOrder, seed_batch
    from canary.storage.migrate import upgrade
    from canary.storage.session import open_database
    from canary.storage.tables import Source
    from canary.storage.vault import Vault

    regions = sorted(load_places().districts)
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'canary.sqlite3'}")
        upgrade(database)
        with database.write() as session:
            session.add_all(
                Source(
                    code=f"S{i:05}",
                    name=f"outlet {i}",
                    kind="outlet",
                    region=regions[i * 7 % len(regions)],
                    carriers=[_CARRIERS[i % len(_CARRIERS)]],
                    created_at=now,
                    updated_at=now,
                )
                for i in range(min(_OUTLETS, baits))
            )
        nursery = Nursery(
            database=database,
            vault=Vault({"k1": bytes(32)}, "k1", bytes(32)),
            random=SystemRandom(),
            clock=lambda: datetime.now(UTC),
            actor="benchmark",
        )
        started, used = time.perf_counter(), _read_processor()
        order = SeedOrder(batch="b", per_source=max(1, baits // _OUTLETS))
        made = seed_batch(nursery, order, progress=_print_pace).created
        wall = time.perf_counter() - started
        spent, beside = (now - then for now, then in zip(_read_processor(), used, strict=True))
        database.close()
    print(f"{made:,} baits: {wall:.0f} s ({made / wall:,.0f} baits/s)")
    print(f"processor: making {spent:.0f} s, writing {beside:.0f} s; load {os.getloadavg()[0]:.1f}")
    _print_peak()


def _read_processor() -> tuple[float, float]:
    """Return the seconds this process and the ended ones it started have used."""
    own, beside = (resource.getrusage(who) for who in _PROCESSES)
    return own.ru_utime + own.ru_stime, beside.ru_utime + beside.ru_stime


def _print_pace(done: int, total: int) -> None:
    if done * 10 // total > (done - 10_000) * 10 // total:
        print(f"{done:>9,} of {total:,} at {time.strftime('%H:%M:%S')}", flush=True)


def _print_peak() -> None:
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in _PROCESSES]
    print(f"peak memory {peaks[0]:.0f} MiB, of a process beside {peaks[1]:.0f} MiB")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rows", nargs="?", type=int, default=100_000)
    parser.add_argument("--database", nargs="?", type=int, const=50_000, metavar="BAITS")
    options = parser.parse_args()
    if options.database is not None:
        seed_database(options.database)
    else:
        compare_makers(options.rows)


def compare_makers(rows: int) -> None:
    """Print the best of some rounds for each maker, taken in turn on a machine that may be busy."""
    makers = {"seeds": make_with_seeds, "Faker": make_with_faker}
    if find_spec("mimesis"):
        makers["mimesis"] = make_with_mimesis
    best = dict.fromkeys(makers, 0.0)
    for _ in range(_ROUNDS):
        for name, make in makers.items():
            share = rows // _ROUNDS if name == "seeds" else max(1000, rows // _ROUNDS // 20)
            best[name] = max(best[name], measure(make, share))
    for name, rate in best.items():
        print(f"{name:8} {rate:10,.0f} rows/s; seeds is {best['seeds'] / rate:.1f} times as fast")
    _print_peak()


if __name__ == "__main__":
    main()
