"""Measure matching as ratios in one run: `python -m benchmarks.matching [--baits N]`.

Every figure is CPU time on one core against `bytes.count` of a newline over the same bytes, or
against a peer doing the same work. Needs the `scan` extra for the sieve.
"""

import argparse
import random
import re
import statistics
import string
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from canary.domain.identifiers import BaitValues
from canary.matching import sieve, tables
from canary.matching.paths import scan_paths
from canary.matching.register import MemoryRegister, register_of
from canary.matching.scan import scan_text
from tests.matching import wardrobe


def _clocked(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


class World:
    """Draws people, rows and baits from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        shares = tables.names().surnames
        self.surnames, self.weights = list(shares), list(shares.values())
        self.given = list(tables.names().given)
        self.cities = list(tables.city_shares())

    def digits(self, count: int) -> str:
        return "".join(self.rng.choices(string.digits, k=count))

    def name(self) -> str:
        surname = self.rng.choices(self.surnames, self.weights)[0]
        return surname + "".join(self.rng.choices(self.given, k=2))

    def phone(self) -> str:
        return "1" + self.rng.choice("3456789") + self.digits(9)

    def bait(self) -> BaitValues:
        return BaitValues(
            number=f"YT{self.digits(13)}",
            phone=self.phone(),
            name=self.name(),
            city=self.rng.choice(self.cities),
        )

    def row(self) -> str:
        rng = self.rng
        place = (
            f"{rng.choice(self.cities)}市新华区人民路{rng.randint(1, 999)}号{rng.randint(1, 30)}幢"
        )
        return (
            f"{self.name()},{self.phone()},YT{self.digits(13)},{place},连衣裙,{rng.randint(1, 99)}"
        )

    def message(self) -> str:
        return (
            f"【菜鸟驿站】{self.name()}您好，您的包裹YT{self.digits(13)}已到{self.rng.choice(self.cities)}"
            f"市新华区人民路店，凭取件码3-2-{self.digits(4)}领取，电话{self.phone()}，退订回T"
        )


def speed(world: World, register: MemoryRegister, megabytes: int) -> Iterator[tuple[str, str]]:
    """Rates over a dump, as ratios to bytes.count."""
    rows = "\n".join(world.row() for _ in range(20_000)) + "\n"
    raw = rows.encode() * max(1, megabytes * 1_000_000 // len(rows.encode()))
    yardstick = statistics.median(_clocked(lambda: raw.count(b"\n")) for _ in range(5))
    yield "yardstick bytes.count, MB/s", f"{len(raw) / 1e6 / yardstick:.0f}"
    part = rows[:400_000]
    size = len(part.encode())
    engine = _clocked(lambda: scan_text(part, register, corpus=1e6))
    yield "exact engine alone, ratio", f"{size / engine / (len(raw) / yardstick):.5f}"
    if sieve.is_available():
        built = _clocked(lambda: sieve.sieve_of(register.everything()))
        fast = sieve.sieve_of(register.everything())
        fast.passing(raw[:1000])
        passed = _clocked(lambda: fast.passing(raw))
        yield "sieve built, s", f"{built:.2f}"
        yield "sieve bytes an identifier", f"{fast.table.nbytes / (4 * register.size):.0f}"
        yield "sieve, ratio (goal 0.14)", f"{yardstick / passed:.3f}"
        yield "scan_paths with sieve, ratio", f"{yardstick / _whole(raw, register, fast):.3f}"
        wide = raw.decode().encode("gb18030")
        gb = _whole(wide, register, fast) / len(wide)
        utf = _whole(raw, register, fast) / len(raw)
        yield "GB18030 against UTF-8 (goal 0.8)", f"{utf / gb:.2f}"


def _whole(raw: bytes, register: MemoryRegister, fast: sieve.Sieve) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dump.csv"
        path.write_bytes(raw)
        return _clocked(lambda: list(scan_paths([path], register, sieve=fast, processes=1)))


def peers(world: World) -> Iterator[tuple[str, str]]:
    """One regular expression per bait, the manner of other trackers."""
    register = register_of((i, world.bait()) for i in range(1000))
    rows = "\n".join(world.row() for _ in range(2000))
    patterns = [re.compile(values.number or "") for values in register.everything()]
    naive = _clocked(lambda: [pattern.search(rows) for pattern in patterns])
    ours = _clocked(lambda: scan_text(rows, register))
    yield "exact engine against a regex per bait, 1,000 baits", f"{naive / ours:.1f} times"


def small(world: World, register: MemoryRegister) -> Iterator[tuple[str, str]]:
    """Messages and listings."""
    messages = [world.message() for _ in range(2000)]
    times = [_clocked(lambda one=one: scan_text(one, register)) for one in messages]  # type: ignore[misc]
    yield "message of 100 characters, median us (goal 60)", f"{statistics.median(times) * 1e6:.0f}"
    listing = "\n".join(world.row() for _ in range(30_000))
    seconds = _clocked(lambda: scan_text(listing, register))
    yield "listing of 30,000 rows, s (goal 3)", f"{seconds:.2f}"


def hostile(world: World, register: MemoryRegister) -> Iterator[tuple[str, str]]:
    """Hostile text against plain text, by byte (goal: at most 5)."""
    rng = world.rng
    size = 100_000
    plain = "\n".join(world.row() for _ in range(2000))
    base = _clocked(lambda: scan_text(plain, register)) / len(plain.encode())
    texts = {
        "combining marks": "a" + "\u0301" * size,
        "nested brackets": "[" * size + "]" * size,
        "nested tags": "<b>" * (size // 3),
        "hidden elements without end": "<i style='display:none'>" * (size // 24),
        "comments without end": "<!--" * (size // 4),
        "near candidates": " ".join(f"YT{world.digits(13)}" for _ in range(10_000)),
        "endless digits": "1" * size,
        "endless spaced digits": "1 " * (size // 2),
        "mixed separators": "".join(
            rng.choice(string.digits) + rng.choice("-. _/★*") for _ in range(size // 2)
        ),
        "masks": "193*" * (size // 4),
        "look-alikes": "19340271lO " * (size // 11),
        "overrides": "\u202e1" * (size // 2),
        "entities": "&#" * (size // 2),
        "percent": "%31" * (size // 3),
        "surnames": "王" * size,
    }
    for name, text in texts.items():
        ratio = _clocked(lambda text=text: scan_text(text, register)) / len(text.encode()) / base  # type: ignore[misc]
        yield f"hostile: {name}", f"{ratio:.2f}"


def disguises(world: World, count: int) -> Iterator[tuple[str, str]]:
    """Share of baits found under each disguise."""
    baits = [world.bait() for _ in range(count)]
    register = register_of(enumerate(baits))
    for family, level in ((wardrobe.EXACT, "exact"), (wardrobe.CANDIDATE_PHONE, "candidate")):
        found = total = 0
        for name, wear in family.items():
            here = 0
            for bait, values in enumerate(baits):
                worn = wear(values.phone or "", world.rng)
                matches = scan_text(f"出一手单 {worn} ，要的来", register)
                here += any(
                    one.bait_id == bait and level in {one.level, "candidate"} for one in matches
                )
            found, total = found + here, total + count
            if here < count:
                yield f"{level}: {name}", f"{here / count:.1%}"
        yield f"{level}: all {len(family)} disguises", f"{found / total:.2%}"


def bystanders(world: World, register: MemoryRegister, megabytes: int) -> Iterator[tuple[str, str]]:
    """False exact matches in generated text about nobody."""
    exact = size = 0
    while size < megabytes * 1_000_000:
        text = "\n".join(world.row() for _ in range(5000))
        size += len(text.encode())
        exact += sum(one.level == "exact" for one in scan_text(text, register, corpus=1e6))
    yield f"false exact matches in {megabytes} MB (goal 0)", str(exact)


def main() -> None:
    """Run everything and print one figure a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baits", type=int, default=100_000)
    parser.add_argument("--megabytes", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    world = World(chosen.seed)
    register = register_of((i, world.bait()) for i in range(chosen.baits))
    print(f"{'baits':60}{register.size:>12,}")
    for section in (
        speed(world, register, chosen.megabytes),
        peers(world),
        small(world, register),
        hostile(world, register),
        disguises(world, 50),
        bystanders(world, register, max(1, chosen.megabytes // 8)),
    ):
        for name, figure in section:
            print(f"{name:60}{figure:>12}", flush=True)


if __name__ == "__main__":
    main()
