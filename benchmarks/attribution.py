"""Measure the attribution engine on invented worlds, beside the classical methods.

python benchmarks/attribution.py worlds [--per-kind 50] [--kinds unique,masked] [--seed 1]
python benchmarks/attribution.py phones
python benchmarks/attribution.py next
python benchmarks/attribution.py framing
python benchmarks/attribution.py scale
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pool

import numpy as np

from canary.attribution import classical
from canary.attribution.infer import attribute
from canary.attribution.simulate import scenario_names, simulate
from canary.attribution.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One method on one world."""

    kind: str
    method: str
    seconds: float
    guess: np.ndarray
    truth: np.ndarray
    surfaced: np.ndarray


def tests_of(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Turn a world into group tests: one per phone where phones are shared, else per record."""
    use_phones = len(set(world.phones)) * 4 < world.n_records
    labels = world.phones if use_phones else world.record_ids
    names = sorted(set(labels))
    at = {name: index for index, name in enumerate(names)}
    column = np.array([at[label] for label in labels])
    positive = np.zeros(len(names), dtype=bool)
    for row in range(len(world.sightings)):
        matched = np.unique(column[world.sightings.matched_by(row)])
        if len(matched) == 1:
            positive[matched] = True
    holds = np.zeros((world.n_sources, len(names)), dtype=bool)
    holds[world.exp_source, column[world.exp_record]] = True
    return holds[:, positive | use_phones], positive[positive | use_phones]


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "comp": lambda holds, positive: classical.comp(holds, positive).astype(float),
    "dd": lambda holds, positive: classical.dd(holds, positive).astype(float),
    "scomp": lambda holds, positive: classical.scomp(holds, positive).astype(float),
    "guilt": classical.guilt_of_tests,
    "count": classical.naive_count,
}


def run_one(job: tuple[str, int]) -> list[Outcome]:
    """Make one world and let every method judge it."""
    kind, seed = job
    made = simulate(kind, np.random.default_rng([seed, scenario_names().index(kind)]), seed=seed)
    truth = np.zeros(made.world.n_sources, dtype=bool)
    truth[list(made.truth.leakers)] = True
    surfaced = np.zeros(made.world.n_sources, dtype=bool)
    surfaced[[source for source, _, _ in made.truth.provenance.values() if source >= 0]] = True
    begun = time.perf_counter()
    answer = attribute(made.world)
    seconds = time.perf_counter() - begun
    guess = np.array([answer.posteriors[one] for one in made.world.source_ids])
    shared = {"kind": kind, "truth": truth, "surfaced": surfaced}
    rows = [Outcome(method="engine", seconds=seconds, guess=guess, **shared)]
    holds, positive = tests_of(made.world)
    for method, judge in METHODS.items():
        rows.append(Outcome(method=method, seconds=0.0, guess=judge(holds, positive), **shared))
    return rows


def summarise(rows: list[Outcome]) -> dict[str, float]:
    """Compute the measures of ATTRIBUTION.md section 6.

    `.seen` counts only leakers of whom anything surfaced: of the others nobody can tell.
    """
    top = [(_share_of_leaders(one), one.surfaced.any()) for one in rows if one.truth.any()]
    quiet = [one for one in rows if not one.truth.any()]
    half = [one.guess >= 0.5 for one in rows]
    found = [(one.guess >= 0.9)[one.truth] for one in rows]
    seen = [(one.guess >= 0.9)[one.surfaced] for one in rows]
    wrong = [float(one.guess[~one.truth].max()) for one in rows]
    pairs = [
        pair
        for one in rows
        for pair in zip(one.guess[one.guess >= 0.01], one.truth[one.guess >= 0.01], strict=True)
    ]
    return {
        "top1": _mean([share for share, _ in top]),
        "top1.seen": _mean([share for share, surfaced in top if surfaced]),
        "exact": _mean([(a == b.truth).all() for a, b in zip(half, rows, strict=True)]),
        "exact.seen": _mean([(a == b.surfaced).all() for a, b in zip(half, rows, strict=True)]),
        "recall.9": _mean([one for row in found for one in row]),
        "recall.9.seen": _mean([one for row in seen for one in row]),
        "wrong.9": _mean([one >= 0.9 for one in wrong]),
        "wrong.99": float(sum(one >= 0.99 for one in wrong)),
        "noleak.9": float(sum((one.guess >= 0.9).any() for one in quiet)),
        "brier": _mean([((one.guess - one.truth) ** 2).sum() for one in rows]),
        "ece": calibration_error(pairs),
        "sec": _mean([one.seconds for one in rows]),
    }


def _share_of_leaders(one: Outcome) -> float:
    """Return the share of leakers among those ranked first: ties count in part."""
    leaders = one.guess == one.guess.max()
    return float((leaders & one.truth).sum() / leaders.sum())


def _mean(values: Sequence[float | np.floating | np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def calibration_error(pairs: list[tuple[float, bool]]) -> float:
    """Return the expected calibration error over ten bins."""
    if not pairs:
        return 0.0
    guess = np.array([one for one, _ in pairs], dtype=float)
    truth = np.array([one for _, one in pairs], dtype=float)
    bins = np.minimum((guess * 10).astype(int), 9)
    error = 0.0
    for one in range(10):
        inside = bins == one
        if inside.any():
            error += inside.mean() * abs(guess[inside].mean() - truth[inside].mean())
    return error


def show(label: str, measures: dict[str, float]) -> None:
    """Print one line of figures."""
    print(f"{label:26s}" + "".join(f" {key}={value:<6.3f}" for key, value in measures.items()))


def worlds(arguments: argparse.Namespace) -> None:
    """Judge the engine and the classical methods on the same worlds."""
    kinds = arguments.kinds.split(",") if arguments.kinds else list(scenario_names())
    jobs = [(kind, arguments.seed + at) for kind in kinds for at in range(arguments.per_kind)]
    rows: list[Outcome] = []
    with Pool(arguments.processes) as pool:
        for at, found in enumerate(pool.imap(run_one, jobs, chunksize=4), 1):
            rows += found
            if at % 50 == 0:
                print(f"{at} of {len(jobs)} worlds", file=sys.stderr, flush=True)
    for kind in kinds:
        mine = [one for one in rows if one.kind == kind and one.method == "engine"]
        show(kind, summarise(mine))
    for method in ["engine", *METHODS]:
        show(f"ALL {method}", summarise([one for one in rows if one.method == method]))


def phones(arguments: argparse.Namespace) -> None:
    """Measure how many phones a code needs for 95 % exact decoding."""
    from canary.attribution.design import Noise, success_rate

    mild, none, medium = Noise(s=0.9, phi=0.01), Noise(s=1.0, phi=0.0), Noise(s=0.7, phi=0.05)
    cases = [(1000, 2, mild, 41), (30000, 3, none, 52), (30000, 2, medium, 100)]
    for n_sources, leakers, noise, n_phones in cases:
        for count in (n_phones - 4, n_phones):
            rate = success_rate(
                n_sources=n_sources,
                n_phones=count,
                leakers=leakers,
                noise=noise,
                trials=arguments.trials,
                rng=np.random.default_rng(arguments.seed),
            )
            label = f"n={n_sources} k={leakers} s={noise.s} phi={noise.phi} P={count}"
            print(f"{label}: exact {rate.mean:.3f} +- {rate.error:.3f}", flush=True)


def next_seeding(arguments: argparse.Namespace) -> None:
    """Compare the proposed phone code with the best of a long search, and with exact truth."""
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
            for _ in range(3000)
        )
        shares.append(gain / max(best, gain))
    print(f"share of best known gain: mean {np.mean(shares):.3f} least {np.min(shares):.3f}")


def framing(arguments: argparse.Namespace) -> None:
    """Count names given through untrusted channels, and honest leaks named."""
    from canary.attribution.simulate_trials import (
        framing_trial,
        honest_trial,
        list_trial,
        sweep_trial,
    )

    rng = np.random.default_rng(arguments.seed)
    framed = sum(framing_trial(rng) for _ in range(arguments.trials * 10))
    print(f"framing: {framed} named of {arguments.trials * 10}", flush=True)
    named, wrong = 0, 0
    for _ in range(arguments.trials * 3):
        right, false = honest_trial(rng)
        named, wrong = named + right, wrong + false
    print(f"honest: {named} of {arguments.trials * 3} named, {wrong} wrong", flush=True)
    swept = [sweep_trial(rng) for _ in range(arguments.trials)]
    noticed, wrong = sum(seen for _, seen in swept), sum(count for count, _ in swept)
    print(f"sweeps: {noticed} of {arguments.trials} noticed, {wrong} named")
    mistaken = sum(list_trial(rng) for _ in range(arguments.trials))
    print(f"lists mistaken for sweeps: {mistaken} of {arguments.trials}")


def scale(arguments: argparse.Namespace) -> None:
    """Attribute a national network: 30,000 sources, a million records, 100,000 sightings."""
    import resource

    from canary.attribution.simulate_trials import national_world

    world, leakers = national_world(np.random.default_rng(arguments.seed))
    begun, used = time.perf_counter(), time.process_time()
    answer = attribute(world)
    wall, cpu = time.perf_counter() - begun, time.process_time() - used
    wrong = set(answer.named) - {world.source_ids[one] for one in leakers}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"wall {wall:.1f} s, cpu {cpu:.1f} s, peak {peak:.0f} MiB")
    print(f"{len(answer.named)} of {len(leakers)} leakers named, {len(wrong)} wrong")


def main() -> None:
    """Run one part."""
    parts = {
        "worlds": worlds,
        "phones": phones,
        "next": next_seeding,
        "framing": framing,
        "scale": scale,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=parts)
    parser.add_argument("--per-kind", type=int, default=50)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    parts[arguments.part](arguments)


if __name__ == "__main__":
    main()
