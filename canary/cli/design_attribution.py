"""Phone codes, trials of a plan, and the next seeding of an incident."""

import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from canary.attribution.design import (
    Noise,
    Twins,
    design_code,
    find_same_codes,
    find_twins,
    phones_per_source,
    success_rate,
)
from canary.attribution.reading import load_world
from canary.attribution.simulate import scenario_names
from canary.attribution.simulate_leaks import Nature
from canary.attribution.world import Operator, World
from canary.attribution.writing import write_world
from canary.cli.numbers import ROW_ID
from canary.cli.printing import as_json, name_actor, print_json, print_table, write_file
from canary.domain.errors import Invalid

if TYPE_CHECKING:
    from canary.attribution.plan_trials import Outcome

# ATTRIBUTION.md section 3: how phones answer.
NOISES = {
    "A": Noise(s=1.0, phi=0.0),
    "B": Noise(s=0.9, phi=0.01),
    "C": Noise(s=0.7, phi=0.05),
    "D": Noise(s=0.5, phi=0.10),
}
MOST_SHOWN = 20
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
seed_option = click.option("--random-seed", type=int, help="Repeat a drawing.")


@click.command()
@click.option("--phones", "n_phones", type=click.IntRange(1, 5000), required=True)
@click.option("--sources", help="How many, or a sources.csv; without it, those of the database.")
@click.option("--leakers", type=click.IntRange(1, 8), default=1, show_default=True)
@click.option(
    "--noise",
    type=click.Choice(list(NOISES)),
    default="B",
    show_default=True,
    help="A none; B 1 in 10 missed, 1 % spam; C 3 in 10, 5 %; D half, 10 %.",
)
@click.option("--trials", type=click.IntRange(1, 10_000), default=60, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the code: CSV.")
@seed_option
@as_json
def phones(
    *,
    n_phones: int,
    sources: str | None,
    leakers: int,
    noise: str,
    trials: int,
    out: Path | None,
    random_seed: int | None,
    as_json: bool,
) -> None:
    """Share phones among sources, and say how often that would tell who leaked."""
    codes, twins, empty = _read_sources(sources)
    if len(codes) < max(2, leakers):
        raise Invalid("there are too few sources", field="sources", mend="give more of them")
    rng = _generator(random_seed)
    weight = phones_per_source(n_phones, leakers)
    rate = success_rate(
        n_sources=len(codes),
        n_phones=n_phones,
        leakers=leakers,
        noise=NOISES[noise],
        trials=trials,
        rng=rng,
    )
    code = design_code(len(codes), n_phones, weight, rng)
    if out is not None:
        write_file(out, _write_code(codes, code))
    alike = [[codes[one] for one in group] for group in find_same_codes(code)]
    found = {
        "phones": n_phones,
        "sources": len(codes),
        "leakers": leakers,
        "noise": noise,
        "phones_per_source": weight,
        "success": rate.mean,
        "error": rate.error,
        "trials": rate.trials,
        "same_phones": alike,
        "cannot_tell_apart": [asdict(one) for one in twins],
        "without_baits": empty,
    }
    if as_json:
        print_json(found)
        return
    click.echo(f"{n_phones} phones, {len(codes)} sources: {weight} phones for each source")
    click.echo(
        f"all of {leakers} leakers and nobody else found: {rate.mean:.1%} "
        f"+- {rate.error:.1%} ({rate.trials} trials, noise {noise})"
    )
    if len(alike) > MOST_SHOWN:
        click.echo(
            f"{len(alike)} groups of sources share all their phones; the first {MOST_SHOWN}:"
        )
    for group in alike[:MOST_SHOWN]:
        click.echo(f"the same phones: {_first_of(group)}")
    _show_twins(twins, empty)


def _first_of(codes: list[str]) -> str:
    """Return as many codes as can be read, and how many more there are."""
    more = len(codes) - MOST_SHOWN
    return ", ".join(codes[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _read_sources(wanted: str | None) -> tuple[list[str], tuple[Twins, ...], list[str]]:
    """Return source codes; those of the database with what its placements cannot tell apart."""
    if wanted is not None and wanted.isascii() and wanted.isdigit():
        return [f"S{at:05d}" for at in range(min(int(wanted), 1_000_000))], (), []
    if wanted is not None:
        from canary.services.stock.imports import read_table

        return [row.cells["code"] for row in read_table(Path(wanted), required=("code",))], (), []
    world = _load_placements()
    return list(world.source_ids), find_twins(world), _list_empty(world)


def _load_placements() -> World:
    """Return the placements of the database."""
    from canary.bootstrap import open_application
    from canary.services.verdicts.placements_world import load_placements

    application = open_application()
    with application.database.read() as session:
        return load_placements(session, application.clock())


def _list_empty(world: World) -> list[str]:
    holding = set(world.exp_source.tolist())
    return [code for at, code in enumerate(world.source_ids) if at not in holding]


def _write_code(codes: list[str], code: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> bytes:
    from canary.services.exports import write_csv

    rows = [
        {"source": codes[at], "phone": int(phone) + 1}
        for at, phone in zip(*(part.tolist() for part in np.nonzero(code)), strict=True)
    ]
    return write_csv(("source", "phone"), rows)


def _show_twins(twins: tuple[Twins, ...], empty: list[str]) -> None:
    if empty:
        click.echo(f"{len(empty)} sources hold no bait: {_first_of(empty)}")
    if not twins:
        return
    click.echo(f"{len(twins)} pairs that the present placements can hardly tell apart:")
    print_table(
        "Alike",
        ("first", "second", "shared", "held", "hours apart"),
        [
            (one.first, one.second, one.shared, one.held, f"{one.hours_apart:.1f}")
            for one in twins[:MOST_SHOWN]
        ],
    )


@click.command()
@click.option("--kind", type=click.Choice(list(scenario_names())), help="A kind of world.")
@click.option("--world", "world_file", type=FILE, help="Your network as a world file.")
@click.option("--sources", "n_sources", type=click.IntRange(2, 30_000), help="So many invented.")
@click.option("--baits", type=click.IntRange(1, 1000), default=8, help="For each invented source.")
@click.option("--leakers", type=click.IntRange(0, 20), default=1, show_default=True)
@click.option("--fraction", type=click.FloatRange(0, 1), default=0.5, help="Share they pass on.")
@click.option("--coverage", type=click.FloatRange(0, 0.98), help="Monitors see; else as estimated.")
@click.option("--trials", type=click.IntRange(1, 2000), default=20, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write one world.")
@seed_option
@as_json
def simulate(
    *,
    kind: str | None,
    world_file: Path | None,
    n_sources: int | None,
    baits: int,
    leakers: int,
    fraction: float,
    coverage: float | None,
    trials: int,
    out: Path | None,
    random_seed: int | None,
    as_json: bool,
) -> None:
    """Let invented leakers leak, and count how often they would be named.

    Without --kind, --world or --sources the sources and placements of the database leak; nothing
    of it is changed, and no value of a bait is read.
    """
    from canary.attribution.plan_trials import draw_kind, draw_leak, draw_plan, run_trials

    if sum(one is not None for one in (kind, world_file, n_sources)) > 1:
        raise click.UsageError("give one of --kind, --world and --sources")
    world = None
    if kind is not None:
        draw = draw_kind(kind)
    elif n_sources is not None:
        nature = _nature(Operator(), coverage)
        draw = draw_plan(
            n_sources=n_sources, baits=baits, leakers=leakers, fraction=fraction, nature=nature
        )
    else:
        world = _load_network(world_file)
        nature = _nature(world.operator, coverage)
        draw = draw_leak(world, leakers=leakers, fraction=fraction, nature=nature)
    rng = _generator(random_seed)
    if out is not None:
        made = draw(rng)
        write_file(out, json.dumps(write_world(made.world), ensure_ascii=False).encode())
        click.echo(f"{out} written; leakers: {_names(made.world.source_ids, made.truth.leakers)}")
        return
    outcome = run_trials(draw, trials, rng)
    twins = find_twins(world) if world is not None else ()
    empty = _list_empty(world) if world is not None else []
    if as_json:
        alike = [asdict(one) for one in twins]
        print_json({**asdict(outcome), "cannot_tell_apart": alike, "without_baits": empty})
        return
    _show_outcome(outcome)
    _show_twins(twins, empty)


def _load_network(world_file: Path | None) -> World:
    """Return the network of a world file, else that of the database."""
    world = _load_placements() if world_file is None else load_world(world_file)
    if not len(world.exp_source):
        raise Invalid(
            "no source holds a bait",
            field="sources",
            mend="confirm a planting first, or give --sources and --baits to invent a network",
        )
    if not world.sites:
        raise Invalid("nothing is watched", field="sites", mend="give at least one site")
    return world


def _nature(operator: Operator, coverage: float | None) -> Nature:
    """Return natural rates as the operator estimates them, with another coverage if given."""
    listed = operator.coverage.get("resale", 0.3) if coverage is None else coverage
    return Nature(
        coverage={**Operator().coverage, **operator.coverage, "resale": listed},
        weight_fast=operator.weight_fast,
        mean_fast_h=operator.mean_fast_h,
        mean_slow_h=operator.mean_slow_h,
    )


def _show_outcome(outcome: "Outcome") -> None:
    click.echo(f"{outcome.trials} trials, {outcome.sightings:.1f} sightings each")
    click.echo(f"all leakers named and nobody else: {outcome.all_named:.0%} +- {outcome.error:.0%}")
    click.echo(f"some leaker named: {outcome.some_named:.0%}")
    click.echo(f"a leaker ranked first: {outcome.ranked_first:.0%}")
    click.echo(f"somebody innocent named: {outcome.wrong:.0%}")
    click.echo(f"no bait of theirs surfaced: {outcome.nothing_seen:.0%}")
    print_table(
        "By stage",
        ("stage", "leakers", "named", "+-", "nothing seen"),
        [
            (
                one.stage,
                one.leakers,
                f"{one.named:.0%}",
                f"{one.error:.0%}",
                f"{one.nothing_seen:.0%}",
            )
            for one in outcome.stages
        ],
    )
    print_table(
        "Is the probability what it says?",
        ("said", "sources", "said on average", "had leaked"),
        [
            (f"{one.low:g}-{one.high:g}", one.count, f"{one.said:.3f}", f"{one.leaked:.3f}")
            for one in outcome.reliability
        ],
    )


def _names(ids: tuple[str, ...], chosen: tuple[int, ...]) -> str:
    return ", ".join(ids[one] for one in chosen) or "nobody"


def _generator(seed: int | None) -> np.random.Generator:
    return np.random.default_rng(secrets.randbits(64) if seed is None else abs(seed))


@click.command("next")
@click.option("--incident", type=ROW_ID, required=True, metavar="ID")
@click.option("--draft", "batch", metavar="BATCH", help="Draft it as a batch of this name.")
@as_json
def next(*, incident: int, batch: str | None, as_json: bool) -> None:  # noqa: A001  the group asks for a command by its name
    """Say which seeding would settle an incident, and draft its batch."""
    from canary.bootstrap import open_application
    from canary.services.verdicts.nextseeding import draft_next, plan_next

    application = open_application()
    if batch is None:
        with application.database.read() as session:
            found = plan_next(session, incident)
    else:
        with application.database.write() as session:
            found = draft_next(
                session, incident, batch=batch, actor=name_actor(), now=application.clock()
            )
    if as_json:
        print_json({**found.to_json(), "drafted": batch is not None})
        return
    if not found.rows:
        click.echo("no seeding would tell more now")
        return
    for row in found.rows:
        click.echo(f"{row.source}: {row.count} baits of its own ({row.route})")
    click.echo(
        f"should bring {found.gain_bits:.2f} bits "
        f"and about {found.expected_sightings:.1f} sightings"
    )
    if batch is not None:
        click.echo(f"drafted; make it: canary seed --batch {found.batch}")
