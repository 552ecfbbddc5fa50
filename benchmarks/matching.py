"""Measure matching as ratios in one run: `python -m benchmarks.matching [--baits N]`.

Every figure is CPU time on one core against `bytes.count` of a newline over the same bytes, or
against a peer doing the same work in the same run. Needs the `scan` extra; ripgrep and
pyahocorasick are skipped, and said to be, where they are not installed.
"""

import argparse
import random
import re
import resource
import shutil
import statistics
import string
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path

from canary.domain.identifiers import BaitValues
from canary.matching import tables
from canary.matching.packed import Listed, PackedRegister, open_packed, pack
from canary.matching.paths import scan_paths
from canary.matching.register import register_of
from canary.matching.scan import scan_closely, scan_text
from tests.matching import wardrobe

Figures = Iterator[tuple[str, str]]


def _clocked(work: Callable[[], object]) -> float:
    """Return CPU seconds of this process and of those it waited for."""
    began = time.process_time(), _children()
    work()
    return time.process_time() - began[0] + _children() - began[1]


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _median(work: Callable[[], object], times: int = 3) -> float:
    return statistics.median(_clocked(work) for _ in range(times))


class World:
    """Draws people, rows and baits from one seed, names by how often they are borne."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        names = tables.names()
        self.surnames, self.given = list(names.surnames), list(names.given)
        self.surname_sums = list(accumulate(names.surnames.values()))
        self.given_sums = list(accumulate(names.given.values()))
        self.cities = list(tables.city_shares())

    def digits(self, count: int) -> str:
        return "".join(self.rng.choices(string.digits, k=count))

    def name(self) -> str:
        surname = self.rng.choices(self.surnames, cum_weights=self.surname_sums)[0]
        return surname + "".join(self.rng.choices(self.given, cum_weights=self.given_sums, k=2))

    def phone(self) -> str:
        return "1" + self.rng.choice("3456789") + self.digits(9)

    def street(self) -> str:
        return f"{''.join(self.rng.choices(self.given, k=2))}路{self.rng.randint(1, 999)}号"

    def bait(self) -> BaitValues:
        return BaitValues(
            number=f"YT{self.digits(13)}",
            phone=self.phone(),
            name=self.name(),
            city=self.rng.choice(self.cities) + "市",
            district="新华区",
            detail=self.street(),
        )

    def row(self) -> str:
        rng = self.rng
        place = f"{rng.choice(self.cities)}市新华区{self.street()}{rng.randint(1, 30)}幢"
        return (
            f"{self.name()},{self.phone()},YT{self.digits(13)},{place},连衣裙,{rng.randint(1, 99)}"
        )

    def message(self) -> str:
        return (
            f"【菜鸟驿站】{self.name()}您好，您的包裹YT{self.digits(13)}已到{self.rng.choice(self.cities)}"
            f"市新华区人民路店，凭取件码3-2-{self.digits(4)}领取，电话{self.phone()}，退订回T"
        )

    def dump(self, megabytes: int, baits: Iterable[BaitValues]) -> str:
        """Write rows about strangers, with one bait in 10,000."""
        rows = [self.row() for _ in range(20_000)]
        for at, values in zip((7_000, 17_000), baits, strict=False):
            rows[at] = f"{values.name},{values.phone},{values.number},{values.city},连衣裙,1"
        text = "\n".join(rows) + "\n"
        return text * max(1, megabytes * 1_000_000 // len(text.encode()))


def _bare(baits: Iterable[BaitValues]) -> PackedRegister:
    """Build a register of numbers and phones alone."""
    return pack(
        Listed(at, BaitValues(number=one.number, phone=one.phone)) for at, one in enumerate(baits)
    )


def _scan(path: Path, register: PackedRegister, processes: int = 1) -> list[dict[str, object]]:
    return list(scan_paths([path], register, sieve=register.sieve, processes=processes))


def speed(world: World, baits: list[BaitValues], folder: Path, megabytes: int) -> Figures:
    """Rates over a dump, from the file to the matches, as ratios to bytes.count."""
    text = world.dump(megabytes, baits)
    path, wide = folder / "dump.csv", folder / "gb.csv"
    path.write_bytes(text.encode())
    wide.write_bytes(text.encode("gb18030"))
    raw, wide_size = text.encode(), wide.stat().st_size
    numbers, everything = _bare(baits), pack(Listed(at, one) for at, one in enumerate(baits))
    numbers.sieve.may_hold("")
    yardstick = _median(lambda: raw.count(b"\n"), 5)
    yield "yardstick bytes.count, MB/s", f"{len(raw) / 1e6 / yardstick:.0f}"
    found = _scan(path, numbers)
    yield "exact matches of the dump", str(len(found) - 1)
    plain = _median(lambda: _scan(path, numbers))
    yield "dump, numbers and phones, ratio (goal 0.14)", f"{yardstick / plain:.3f}"
    full = _median(lambda: _scan(path, everything))
    yield "dump, names and masks on, ratio (goal 0.07)", f"{yardstick / full:.3f}"
    gb = _median(lambda: _scan(wide, numbers))
    yield "GB18030 against UTF-8 (goal 0.8)", f"{plain / len(raw) / (gb / wide_size):.2f}"
    yield from _two_processes(path, everything, folder)
    few = _bare(baits[:500])
    yield (
        f"rate at {2 * len(baits):,} identifiers against 1,000 (goal 0.75)",
        f"{_median(lambda: _scan(path, few)) / plain:.2f}",
    )
    sample = text[:400_000]
    engine = _clocked(lambda: scan_closely(sample, everything, corpus=1e6))
    rate = len(sample.encode()) / engine
    yield "exact engine alone, ratio", f"{rate / (len(raw) / yardstick):.5f}"
    yield from _ripgrep(path, baits, plain, numbers, folder)


def _two_processes(path: Path, register: PackedRegister, folder: Path) -> Figures:
    """Four times the dump; the clock tells of two only where two cores are free."""
    paths = [folder / f"again{number}.csv" for number in range(4)]
    for one in paths:
        one.hardlink_to(path)
    clock, cost = [], []
    for count in (1, 2):
        began = time.perf_counter()
        scan = partial(scan_paths, paths, register, sieve=register.sieve, processes=count)
        cost.append(_clocked(lambda: list(scan())))  # noqa: B023
        clock.append(time.perf_counter() - began)
    yield "two processes against one, by the clock (goal 1.8)", f"{clock[0] / clock[1]:.2f}"
    yield "the same, by processor time (2 is no loss)", f"{2 * cost[0] / cost[1]:.2f}"


def _elapsed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ripgrep(
    path: Path, baits: list[BaitValues], ours: float, register: PackedRegister, folder: Path
) -> Figures:
    tool = shutil.which("rg")
    if tool is None:
        yield "ripgrep", "not here"
        return
    patterns, empty, saved = folder / "patterns", folder / "empty", folder / "saved"
    patterns.write_text("\n".join(f"{one.number}\n{one.phone}" for one in baits) + "\n")
    empty.write_text("")
    command = [tool, "-F", "-c", "-j1", "-f", str(patterns)]
    build = _clocked(lambda: subprocess.run([*command, str(empty)], check=False))
    whole = _clocked(
        lambda: subprocess.run([*command, str(path)], check=False, stdout=subprocess.DEVNULL)
    )
    register.save(saved)
    ended = _clocked(lambda: _scan(path, open_packed(saved)))
    scan = max(1e-9, whole - build)
    yield f"ripgrep, {2 * len(baits):,} patterns: scan rate (goal 3)", f"{scan / ours:.1f} times"
    yield "ripgrep: end to end, index loaded (goal 8)", f"{whole / ended:.1f} times"


def store(baits: list[BaitValues], folder: Path, millions: int) -> Figures:
    """Memory of the register, and how soon a saved one answers."""
    for kind, register, identifiers in (
        ("numbers and phones", _bare(baits), 2),
        ("all four", pack(Listed(at, one) for at, one in enumerate(baits)), 4),
    ):
        size = register.nbytes / (identifiers * register.size)
        yield f"bytes an identifier, {kind} (goal 40)", f"{size:.1f}"
    path = folder / "register"
    register.save(path)
    text = f"单号 {baits[0].number} 到"
    seconds = _elapsed(lambda: scan_text(text, open_packed(path)))
    yield "saved register opened, first message read, s (goal 2)", f"{seconds:.2f}"
    if millions:
        yield from _millions(millions)


def _millions(millions: int) -> Figures:
    """Ten million identifiers: built from numbers that rise, scanned as the small ones."""
    count = millions * 500_000
    baits = (
        BaitValues(
            number=f"YT{at * 7919 % 10**13:013}", phone=f"1{3 + at % 7}{at * 104729 % 10**9:09}"
        )
        for at in range(count)
    )
    many = _bare(baits)
    yield f"bytes an identifier, {2 * count:,} (goal 40)", f"{many.nbytes / (2 * count):.1f}"
    text = World(3).dump(32, ())
    few = _bare(World(2).bait() for _ in range(500))
    raw = text.encode()
    slow, fast = (
        _median(lambda one=one: one.sieve.passing(raw))
        for one in (many, few)  # type: ignore[misc]
    )
    yield f"sieve at {2 * count:,} identifiers against 1,000 (goal 0.75)", f"{fast / slow:.2f}"


def peers(world: World, baits: list[BaitValues]) -> Figures:
    """One regular expression per bait, and an automaton, over the same rows."""
    few = baits[:1000]
    rows = "\n".join(world.row() for _ in range(4000)) + "\n"
    register = _bare(few)
    patterns = [re.compile(one.number or "") for one in few]
    scan_text(rows, register)  # what is loaded once, is loaded here
    naive = _clocked(lambda: [pattern.search(rows) for pattern in patterns])
    ours = _clocked(lambda: [scan_text(rows, register) for _ in range(20)]) / 20
    yield "a regex per bait, 1,000 baits (goal 100)", f"{naive / ours:.0f} times"
    try:
        import ahocorasick
    except ImportError:
        yield "pyahocorasick", "not here"
        return
    automaton = ahocorasick.Automaton()
    for one in baits:
        automaton.add_word(one.number, 1)
        automaton.add_word(one.phone, 1)
    automaton.make_automaton()
    many = _bare(baits)
    rows = "\n".join(world.row() for _ in range(40_000)) + "\n"
    walked = _median(lambda: list(automaton.iter(rows)))
    ours = _median(lambda: scan_text(rows, many))
    yield (
        f"pyahocorasick, {2 * len(baits):,} words, plain forms; ours all (goal 5)",
        f"{walked / ours:.1f} times",
    )


def small(world: World, baits: list[BaitValues]) -> Figures:
    """Messages and listings."""
    register = pack(Listed(at, one) for at, one in enumerate(baits))
    messages = [world.message() for _ in range(2000)]
    scan_text(messages[0], register)
    times = [_elapsed(lambda one=one: scan_text(one, register)) for one in messages]  # type: ignore[misc]
    yield "message of 100 characters, median us (goal 60)", f"{statistics.median(times) * 1e6:.0f}"
    closely = [_elapsed(lambda one=one: scan_closely(one, register)) for one in messages[:300]]  # type: ignore[misc]
    yield "the same without the sieve, median us", f"{statistics.median(closely) * 1e6:.0f}"
    fresh = replace(baits[0], number="YT9999999999999")
    register.add(len(baits), fresh)
    yield (
        "an added bait is found by the next message",
        str(bool(scan_text("单 YT9999999999999 到", register))),
    )
    hundred = pack(Listed(at, one) for at, one in enumerate(baits[:100_000]))
    listing = "\n".join(world.row() for _ in range(30_000))
    seconds = _clocked(lambda: scan_text(listing, hundred))
    yield "listing of 30,000 rows, 100,000 baits, s (goal 3)", f"{seconds:.2f}"
    seconds = _clocked(lambda: scan_closely(listing, hundred))
    yield "the same without the sieve, s", f"{seconds:.2f}"


def hostile(world: World, baits: list[BaitValues]) -> Figures:
    """Hostile text against plain text by the exact engine, by byte (goal: at most 5)."""
    rng = world.rng
    size = 100_000
    register = register_of(enumerate(baits[:20_000]))
    plain = "\n".join(world.row() for _ in range(2000))
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
        "houses": "路1号" * (size // 3),
    }
    worst = 0.0
    for name, text in texts.items():
        base = _median(lambda: scan_closely(plain, register)) / len(plain.encode())
        taken = _median(lambda text=text: scan_closely(text, register))  # type: ignore[misc]
        ratio = taken / len(text.encode()) / base
        worst = max(worst, ratio)
        yield f"hostile: {name}", f"{ratio:.2f}"
    yield "hostile: worst (goal at most 5)", f"{worst:.2f}"


def disguises(world: World, count: int) -> Figures:
    """Share of baits found under each disguise, at the level it is worth."""
    baits = [world.bait() for _ in range(count)]
    register = register_of(enumerate(baits))
    totals: dict[str, list[int]] = {}
    for level, kind, family in (
        ("exact", "phone", wardrobe.EXACT | wardrobe.PHONE_ONLY),
        ("exact", "number", wardrobe.EXACT),
        ("candidate", "phone", wardrobe.CANDIDATE_PHONE),
        ("candidate", "number", wardrobe.CANDIDATE_NUMBER),
    ):
        for name, wear in family.items():
            here = 0
            for bait, values in enumerate(baits):
                worn = wear((values.phone if kind == "phone" else values.number) or "", world.rng)
                matches = scan_text(f"出一手单 {worn} ，要的来", register)
                here += any(
                    one.bait_id == bait and one.kind == kind and level in {one.level, "candidate"}
                    for one in matches
                )
            found = totals.setdefault(level, [0, 0])
            found[0] += here
            found[1] += count
            yield f"{level}, {kind}: {name}", f"{here / count:.1%}"
    for level, goal in (("exact", "99.5 %"), ("candidate", "95 %")):
        yield f"{level}: all (goal {goal})", f"{totals[level][0] / totals[level][1]:.2%}"


def bystanders(world: World, baits: list[BaitValues], megabytes: int) -> Figures:
    """False exact matches in generated text about nobody: rows, messages, neighbours of baits."""
    register = pack(Listed(at, one) for at, one in enumerate(baits))
    known = {one.number for one in baits} | {one.phone for one in baits}
    exact = size = 0
    while size < megabytes * 1_000_000:
        rows = [world.row() for _ in range(3000)] + [world.message() for _ in range(1000)]
        rows += [_near(world, known) for _ in range(1000)]
        text = "\n".join(rows)
        size += len(text.encode())
        matches = scan_text(text, register, corpus=megabytes * 1e6 / 90)
        exact += sum(one.level == "exact" and one.value not in text for one in matches)
    yield f"false exact matches in {megabytes} MB (goal 0)", str(exact)


def _near(world: World, known: set[str | None]) -> str:
    """Write numbers like those of baits: one off, longer, in a card, a time, a price."""
    phone = next(iter(known)) or ""
    digit = world.rng.choice("123456789")
    return world.rng.choice(
        (
            f"张三,{phone}{digit},卡号 6222{world.digits(12)}",
            f"身份证{world.digits(6)}19900101{world.digits(4)} 时间戳 1{world.digits(12)}",
            f"价格 {world.phone()}.5 元 {world.rng.getrandbits(128):032x}",
            f"QQ {world.digits(10)} 订单号 {world.digits(18)}",
        )
    )


def main() -> None:
    """Run everything and print one figure a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baits", type=int, default=1_000_000)
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--bystanders", type=int, default=100, help="megabytes")
    parser.add_argument("--millions", type=int, default=0, help="of identifiers, for flatness")
    parser.add_argument("--disguised", type=int, default=1000, help="baits under each disguise")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="names of sections, by comma")
    chosen = parser.parse_args()
    world = World(chosen.seed)
    baits = [world.bait() for _ in range(chosen.baits)]
    print(f"{'baits':64}{len(baits):>12,}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sections: dict[str, Callable[[], Figures]] = {
            "speed": lambda: speed(world, baits, folder, chosen.megabytes),
            "store": lambda: store(baits, folder, chosen.millions),
            "peers": lambda: peers(world, baits),
            "small": lambda: small(world, baits),
            "hostile": lambda: hostile(world, baits),
            "disguises": lambda: disguises(world, chosen.disguised),
            "bystanders": lambda: bystanders(world, baits, chosen.bystanders),
        }
        for section, figures in sections.items():
            if chosen.only and section not in chosen.only.split(","):
                continue
            for what, figure in figures():
                print(f"{what:64}{figure:>12}", flush=True)


if __name__ == "__main__":
    main()
