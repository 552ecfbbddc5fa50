"""Measure the attribution engine on invented worlds, beside the classical methods.

python -m benchmarks.attribution                 every figure, each beside its goal
python -m benchmarks.attribution worlds [--per-kind 50] [--kinds unique,masked] [--seed 1]
python -m benchmarks.attribution phones|next|framing|scale
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context

import numpy as np

from benchmarks.attribution_worlds import KNOWN_RATES, Outcome, run_one, summarise
from canary.attribution.simulate import scenario_names

Figures = Iterator[tuple[str, str, str, bool]]


def show(measure: str, goal: str, found: str, holds: bool) -> None:
    """Print one figure beside its goal."""
    print(f"{'yes' if holds else 'NO ':3s} {measure:58s} goal {goal:16s} {found}", flush=True)


def at_least(measure: str, goal: float, found: float, note: str = "") -> tuple[str, str, str, bool]:
    """Return the figure of something that should be as high as `goal`."""
    return measure, f">= {goal:g}", f"{found:.4f} {note}", found >= goal


def at_most(measure: str, goal: float, found: float, note: str = "") -> tuple[str, str, str, bool]:
    """Return the figure of something that should be no higher than `goal`."""
    return measure, f"<= {goal:g}", f"{found:.4f} {note}", found <= goal


def worlds(arguments: argparse.Namespace) -> Figures:
    """Judge the engine and the classical methods on the same worlds."""
    kinds = arguments.kinds.split(",") if arguments.kinds else list(scenario_names())
    jobs = [(kind, arguments.seed + at) for kind in kinds for at in range(arguments.per_kind)]
    rows: list[Outcome] = []
    with get_context("spawn").Pool(arguments.processes) as pool:
        for at, found in enumerate(pool.imap(run_one, jobs, chunksize=2), 1):
            rows += found
            if at % 50 == 0:
                print(f"{at} of {len(jobs)} worlds", file=sys.stderr, flush=True)
    for kind in kinds:
        mine = [one for one in rows if one.kind == kind]
        for method in ("engine", "engine told the true rates"):
            _print_row(f"{kind}, {method}", [one for one in mine if one.method == method])
    for method in dict.fromkeys(one.method for one in rows):
        if method != KNOWN_RATES:
            _print_row(f"ALL {method}", [one for one in rows if one.method == method])
    yield from _judge_all([one for one in rows if one.method == "engine"])
    yield from _judge_kinds(rows)


def _print_row(label: str, rows: list[Outcome]) -> None:
    if rows:
        found = summarise(rows)
        print(f"{label:44s}" + "".join(f" {key}={value:<6.3f}" for key, value in found.items()))


def _judge_all(rows: list[Outcome]) -> Figures:
    """Compare with the goals; `of all` counts leakers of whom nothing surfaced, too."""
    found = summarise(rows)
    for key, goal in (("top1", 0.96), ("exact", 0.88), ("recall.9", 0.85)):
        everyone = f"of all {found[key + '.all']:.3f}, where {found[key + '.bound']:.3f} surfaced"
        yield at_least(f"{key} (leakers that surfaced)", goal, found[key], f"({everyone})")
    yield at_most("worlds with an innocent at 0.9", 0.007, found["wrong.9"])
    yield at_most("worlds with an innocent at 0.99, count", 0, found["wrong.99"])
    yield at_most("worlds without a leak: anybody at 0.9, count", 0, found["noleak.9"])
    both = f"(of all {found['brier.all']:.3f})"
    yield at_most("Brier score (leakers that surfaced)", 0.27, found["brier"], both)
    yield at_most("expected calibration error (all leakers)", 0.015, found["ece"])


def _judge_kinds(rows: list[Outcome]) -> Figures:
    for kind, goal in (("pre_pickup_leak", 0.92), ("confounded_chain", 0.90)):
        mine = [one for one in rows if one.kind == kind]
        if mine:
            found = summarise([one for one in mine if one.method == "engine"])
            ideal = summarise([one for one in mine if one.method == KNOWN_RATES])["top1"]
            yield at_least(f"{kind} top-1", goal, found["top1"], f"(true rates: {ideal:.4f})")
    for kind, who, goal in (("upstream_breach", "outlet.9", 0.0), ("collusion", "wrong.9", 0.02)):
        mine = [one for one in rows if one.kind == kind and one.method == "engine"]
        if mine:
            found = summarise(mine)
            label = "outlet" if who == "outlet.9" else "source"
            note = f"(any source: {found['wrong.9']:.4f})"
            yield at_most(f"{kind}: worlds, innocent {label} at 0.9", goal, found[who], note)
    for kind in ("masked", "campaigns"):
        mine = [one for one in rows if one.kind == kind]
        if mine:
            found = summarise([one for one in mine if one.method == "engine"])
            ideal = summarise([one for one in mine if one.method == KNOWN_RATES])["exact"]
            print(f"    {kind}: exact {found['exact']:.3f}, told the true rates {ideal:.3f}")


def phones(arguments: argparse.Namespace) -> Figures:
    """Measure how often a code of as many phones as asked for is decoded exactly."""
    from canary.attribution.design import Noise, success_rate

    mild, none, medium = Noise(s=0.9, phi=0.01), Noise(s=1.0, phi=0.0), Noise(s=0.7, phi=0.05)
    for n_sources, leakers, noise, n_phones in (
        (1000, 2, mild, 41),
        (30000, 3, none, 52),
        (30000, 2, medium, 100),
    ):
        rate = success_rate(
            n_sources=n_sources,
            n_phones=n_phones,
            leakers=leakers,
            noise=noise,
            trials=arguments.trials,
            rng=np.random.default_rng(arguments.seed),
        )
        label = f"{n_phones} phones, n={n_sources} k={leakers} s={noise.s} phi={noise.phi}: exact"
        yield at_least(label, 0.95, rate.mean, f"+- {rate.error:.3f}")


def next_seeding(arguments: argparse.Namespace) -> Figures:
    """Compare the proposed phone code with the best of a long search."""
    from canary.attribution.experiment import gain_of_subsets, propose_phone_code

    rng = np.random.default_rng(arguments.seed)
    shares = []
    for _ in range(arguments.trials):
        n_suspects, n_phones = int(rng.integers(3, 9)), int(rng.integers(1, 4))
        sets = [(at,) for at in range(n_suspects)]
        sets += [
            tuple(sorted(rng.choice(n_suspects, 2, replace=False).tolist()))
            for _ in range(int(rng.integers(0, 5)))
        ]
        weights = rng.dirichlet(np.full(len(sets), 0.8))
        _, gain = propose_phone_code(sets, weights, n_suspects, n_phones, s=0.8, phi=0.02)
        best = max(
            gain_of_subsets(sets, weights, rng.random((n_phones, n_suspects)) < 0.5, 0.8, 0.02)
            for _ in range(1000)
        )
        shares.append(gain / max(best, gain))
    yield at_least("next seeding: share of the best known gain, mean", 0.98, float(np.mean(shares)))
    yield at_least("next seeding: share of the best known gain, least", 0.90, float(min(shares)))


def framing(arguments: argparse.Namespace) -> Figures:
    """Count names given through untrusted channels, and honest leaks named."""
    from canary.attribution.simulate_trials import (
        framing_trial,
        honest_trial,
        list_trial,
        sweep_trial,
    )

    rng, trials = np.random.default_rng(arguments.seed), arguments.trials
    framed = sum(framing_trial(rng) for _ in range(trials * 100))
    yield at_most(f"framing: named in {trials * 100} campaigns, count", 0, framed)
    honest = np.array([honest_trial(rng) for _ in range(trials * 30)])
    named, wrong = honest.sum(axis=0).tolist()
    yield at_least(
        f"honest leaks with three baits: named of {len(honest)}", 0.98, named / len(honest)
    )
    yield at_most("honest leaks: innocents named, count", 0, wrong)
    swept = [sweep_trial(rng) for _ in range(trials)]
    yield at_least(f"sweeps noticed of {trials}", 0.99, sum(seen for _, seen in swept) / trials)
    yield at_most("sweeps: anybody named, count", 0, sum(count for count, _ in swept))
    mistaken = sum(list_trial(rng) for _ in range(trials))
    yield at_most(f"lists mistaken for sweeps of {trials}", 0.01, mistaken / trials)


def scale(arguments: argparse.Namespace) -> Figures:
    """Attribute a national network: 30,000 sources, a million records, 100,000 sightings."""
    from canary.attribution.infer import attribute
    from canary.attribution.simulate_trials import national_world

    world, leakers = national_world(np.random.default_rng(arguments.seed))
    begun, used = time.perf_counter(), time.process_time()
    answer = attribute(world)
    wall, cpu = time.perf_counter() - begun, time.process_time() - used
    wrong = set(answer.named) - {world.source_ids[one] for one in leakers}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    note = f"wall, {cpu:.1f} s CPU; {len(answer.named)} of {len(leakers)} leakers named"
    yield at_most("30,000 sources, 100,000 sightings: seconds", 5.0, wall, note)
    yield at_most("30,000 sources, 100,000 sightings: GiB", 2.0, peak)
    yield at_most("30,000 sources, 100,000 sightings: innocents named", 0, len(wrong))


PARTS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "scale": scale,
    "worlds": worlds,
    "phones": phones,
    "next": next_seeding,
    "framing": framing,
}


def main() -> None:
    """Run one part, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["all", *PARTS], default="all", nargs="?")
    parser.add_argument("--per-kind", type=int, default=50)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    # One thread for each process: more only get in one another's way on such small matrices.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    figures: list[tuple[str, str, str, bool]] = []
    for name, part in PARTS.items():
        if arguments.part in ("all", name):
            for figure in part(arguments):
                show(*figure)
                figures.append(figure)
    short = [measure for measure, _, _, holds in figures if not holds]
    print(f"{len(figures) - len(short)} of {len(figures)} goals reached")


if __name__ == "__main__":
    main()
