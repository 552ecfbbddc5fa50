"""Who leaked: world in, attribution out."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from canary.attribution.answer import Attribution, Cap, Sensitivity
from canary.attribution.batch import judge_batch
from canary.attribution.case import Case, make_case
from canary.attribution.exclusions import count_held, exclusions, held_in_time
from canary.attribution.experiment import next_steps
from canary.attribution.model import build_problem
from canary.attribution.reading import load_world
from canary.attribution.robustness import Untimed
from canary.attribution.search import Scorer
from canary.attribution.verdict import DEFAULT, Batch, Policy, grade
from canary.attribution.weigh import LEAST_GAIN, Weighing, weigh
from canary.attribution.world import Floats, Ints, World
from canary.domain.errors import Invalid
from canary.domain.verdicts import Verdict, lower_of

_SUSPECT_FROM = 0.05
_MOST_CASES = 12
_MOST_LIKELY = 200
_LIKELY = 0.5
_FACTORS = tuple(2.0**power for power in range(1, 13))


def attribute(world: World, *, policy: Policy = DEFAULT) -> Attribution:
    """Weigh the sightings of a world and say whose copies surfaced, and how sure.

    Trusted and untrusted sightings are kept apart: the untrusted rank only when there is
    nothing else, and then carry no further than weak.
    """
    rows, untrusted_only = _ledger(world)
    weighing = weigh(build_problem(world, rows))
    suspects = _suspects(weighing)
    held = count_held(weighing.problem)
    untimed = Untimed(weighing)
    cases = {
        source: make_case(weighing, source, int(held[source]), policy, untimed)
        for source in _worth(weighing, suspects)
    }
    verdicts, caps = _grade_all(weighing, cases, policy)
    named = tuple(source for source in suspects if _is_named(verdicts.get(source)))
    verdict = _overall(weighing, verdicts, policy)
    ids = world.source_ids
    posterior = np.minimum(weighing.posterior, 1.0 - policy.unmodelled)
    return Attribution(
        posteriors=dict(zip(ids, posterior.tolist(), strict=True)),
        p_no_leak=weighing.none,
        p_background=weighing.background,
        verdict=verdict,
        named=tuple(ids[source] for source in named),
        verdicts={ids[source]: verdicts[source] for source in named},
        suspects=tuple(ids[source] for source in suspects),
        excluded=exclusions(weighing, frozenset(suspects), held),
        reasons=tuple(case.reason for case in cases.values()),
        caps=caps,
        expected_accidental=weighing.problem.displays.expected_chance,
        expected_arrivals=_expected_arrivals(world),
        seen_events=len(weighing.problem.events) - _count_arrivals(weighing),
        seen_arrivals=_count_arrivals(weighing) + len(weighing.problem.campaigns),
        watched_phones=_count_phones(world),
        sensitivity=_sensitivity(weighing, cases, policy),
        next=next_steps(weighing, named),
        smallest_set=tuple(ids[source] for source in _smallest_set(weighing, named, policy)),
        untrusted_only=untrusted_only,
    )


def attribute_files(paths: Sequence[str | Path]) -> dict[str, object]:
    """Attribute portable world files: one answer, or several keyed by the stem of the file.

    Raises Invalid, with the name of the file where there are several.
    """
    if len(paths) == 1:
        return attribute(load_world(paths[0])).to_json()
    answers: dict[str, object] = {}
    for path in map(Path, paths):
        stem = path.name.split(".")[0]
        if stem in answers:
            raise Invalid(f"two files would answer as {stem!r}", mend="rename one of them")
        try:
            answers[stem] = attribute(load_world(path)).to_json()
        except Invalid as refused:
            told = (
                replace(one, problem=f"{one.problem} (in {path.name})") for one in refused.flaws
            )
            raise Invalid(flaws=tuple(told)) from None
    return answers


def _ledger(world: World) -> tuple[Ints, bool]:
    """Return the rows that may rank sources, and whether only untrusted ones exist."""
    trusted = np.array([one.is_trusted for one in world.sightings.channel_class], dtype=np.bool_)
    if trusted.any() or not len(world.sightings):
        return np.flatnonzero(trusted), False
    return np.arange(len(world.sightings)), True


def _suspects(weighing: Weighing) -> list[int]:
    """Return who could read something in time and is likely enough, likeliest first.

    Where the base rate alone makes a source that likely, the evidence must speak for it, too.
    """
    posterior = weighing.posterior
    chosen = held_in_time(weighing.problem) & (posterior >= _SUSPECT_FROM)
    chosen &= (weighing.gain > LEAST_GAIN) | (posterior >= _LIKELY)
    ranked = np.argsort(-posterior, kind="stable")
    return [int(one) for one in ranked if chosen[one]]


def _worth(weighing: Weighing, suspects: list[int]) -> list[int]:
    """Return the suspects whose case is laid out: the likely ones, and a few more."""
    likely = sum(bool(weighing.posterior[one] >= _LIKELY) for one in suspects)
    return suspects[: min(max(_MOST_CASES, likely), _MOST_LIKELY)]


def _grade_all(
    weighing: Weighing, cases: dict[int, Case], policy: Policy
) -> tuple[dict[int, Verdict], tuple[Cap, ...]]:
    likely = [one for one, case in cases.items() if case.support.posterior >= policy.weak_from]
    # A sweep shows best where nobody stands out: then it is held against the leading case.
    judged = np.array(likely or list(cases)[:1], dtype=np.int64)
    batch = judge_batch(weighing, judged) if len(judged) else Batch()
    graded = {source: grade(case.support, batch, policy) for source, case in cases.items()}
    verdicts = {source: verdict for source, (verdict, _) in graded.items()}
    caps = graded[next(iter(graded))][1] if graded else ()
    return verdicts, caps


def _is_named(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.names_a_source


def _overall(weighing: Weighing, verdicts: dict[int, Verdict], policy: Policy) -> Verdict:
    """Return the highest verdict reached; weak when a leak is likely but nobody stands out."""
    highest = max(verdicts.values(), key=lambda one: one.rank, default=Verdict.UNATTRIBUTABLE)
    surfaced = weighing.background < 1.0 - policy.weak_from
    if highest is Verdict.UNATTRIBUTABLE and surfaced:
        return Verdict.WEAK
    return highest


def _count_phones(world: World) -> int:
    """Count the bait phones that were watched: none where no message ever came in."""
    if not any(site.channel == "sms" for site in world.sites):
        return 0
    return len({phone for phone in world.phones if phone})


def _expected_arrivals(world: World) -> float:
    """Return how many messages should reach the bait phones without any leak."""
    return world.operator.spam_events_per_phone_per_window * _count_phones(world)


def _count_arrivals(weighing: Weighing) -> int:
    sites = weighing.problem.world.sites
    return sum(sites[at].channel == "sms" for at in weighing.problem.events.site.tolist())


def _smallest_set(weighing: Weighing, named: Sequence[int], policy: Policy) -> list[int]:
    """Return, when nobody is named, the fewest sources that hold the leak at >= 95 %.

    Empty when coincidence is the likelier story.
    """
    if named or weighing.background >= 1.0 - policy.weak_from:
        return []
    surfaced = 1.0 - weighing.background
    chosen: list[int] = []
    for part in weighing.parts:
        holding = 1.0 - float(part.weights[[not one for one in part.sets]].sum())
        if holding < policy.weak_from * surfaced:
            continue
        chosen += _cover(part.component.sources, part.sets, part.weights, policy)
    held = held_in_time(weighing.problem)
    return [one for one in chosen if held[one]]


def _cover(
    sources: Ints, sets: Sequence[tuple[int, ...]], weights: Floats, policy: Policy
) -> list[int]:
    """Add sources greedily until the sets touched carry the wanted mass of all leaks."""
    chosen: list[int] = []
    open_sets = [at for at, members in enumerate(sets) if members]
    total = float(sum(weights[at] for at in open_sets))
    left = total
    while open_sets and left > (1.0 - policy.smallest_set_mass) * total:
        gain: dict[int, float] = {}
        for at in open_sets:
            for member in sets[at]:
                gain[member] = gain.get(member, 0.0) + float(weights[at])
        best = max(sorted(gain), key=lambda member: gain[member])
        chosen.append(int(sources[best]))
        open_sets = [at for at in open_sets if best not in sets[at]]
        left = float(sum(weights[at] for at in open_sets))
    return chosen


def _sensitivity(weighing: Weighing, cases: dict[int, Case], policy: Policy) -> Sensitivity | None:
    """Say what becomes of the leading source when coincidence is commoner than estimated."""
    if not cases:
        return None
    source, case = next(iter(cases.items()))
    before, _ = grade(case.support, Batch(), policy)

    def after(factor: float) -> tuple[float, Verdict]:
        posterior = min(_under_background(weighing, source, factor), 1.0 - policy.unmodelled)
        stands = posterior >= policy.named_from
        return posterior, before if stands else _lesser(before, posterior, policy)

    posterior, verdict = after(policy.background_factor)
    at = bisect_left(_FACTORS, True, key=lambda factor: after(factor)[1] is not before)
    return Sensitivity(
        factor=policy.background_factor,
        posterior=posterior,
        verdict=verdict,
        changes_at=_FACTORS[at] if at < len(_FACTORS) else None,
    )


def _lesser(before: Verdict, posterior: float, policy: Policy) -> Verdict:
    reached = Verdict.WEAK if posterior >= policy.weak_from else Verdict.UNATTRIBUTABLE
    return lower_of(before, reached)


def _under_background(weighing: Weighing, source: int, factor: float) -> float:
    part = next((one for one in weighing.parts if source in one.component.sources), None)
    if part is None:
        return float(weighing.posterior[source])
    row = int(np.flatnonzero(part.component.sources == source)[0])
    louder = part.component.with_background(factor)
    reduced = {tuple(one for one in members if one != row) for members in part.sets[:4]}
    sets = sorted({*part.sets[:12], *reduced, ()})
    scorer = Scorer(louder)
    scores = np.array([scorer.score(members) for members in sets])
    weights = np.exp(scores - scores.max())
    holds = np.array([row in members for members in sets])
    return float(weights[holds].sum() / weights.sum())
