"""The attribution engine on portable world files, and on versions kept in the database."""

from pathlib import Path
from typing import Any

import click

from canary.attribution.infer import attribute_files
from canary.cli.numbers import ROW_ID
from canary.cli.printing import print_json, print_rows


@click.command()
@click.argument("worlds", nargs=-1, type=click.Path(path_type=Path))
@click.option("--incident", type=ROW_ID, metavar="ID", help="Make a kept attribution again.")
@click.option("--revision", type=ROW_ID, metavar="N", help="Which one; the newest by default.")
@click.option("--parameters", is_flag=True, help="Show the parameters and what they rest on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def attribute(
    worlds: tuple[Path, ...],
    *,
    incident: int | None,
    revision: int | None,
    parameters: bool,
    as_json: bool,
) -> None:
    """Attribute WORLD.json files, plain or .gz; or make a kept attribution again."""
    if sum((bool(worlds), incident is not None, parameters)) != 1:
        raise click.UsageError("give WORLD files, or --incident ID, or --parameters")
    if revision is not None and incident is None:
        raise click.UsageError("--revision belongs to --incident")
    if parameters:
        _show_parameters(as_json=as_json)
    elif incident is not None:
        _repeat(incident, revision, as_json=as_json)
    else:
        _attribute_files(worlds, as_json=as_json)


def _attribute_files(worlds: tuple[Path, ...], *, as_json: bool) -> None:
    answers = attribute_files(list(worlds))
    if as_json:
        print_json(answers)
        return
    single = len(worlds) == 1
    for name, answer in {worlds[0].name: answers}.items() if single else answers.items():
        assert isinstance(answer, dict)
        _show(name, answer)


def _show(name: str, answer: dict[str, Any]) -> None:
    named = ", ".join(answer["named"]) or "nobody"
    coincidence = answer["details"]["p_background"]
    click.echo(
        f"{name}: {answer['verdict']}, named: {named}, coincidence or unknown: {coincidence:.3f}"
    )
    best = sorted(answer["posteriors"].items(), key=lambda item: -item[1])[:5]
    for code, posterior in best:
        click.echo(f"  {code}  {posterior:.4f}")


def _repeat(incident: int, revision: int | None, *, as_json: bool) -> None:
    from canary.bootstrap import open_application
    from canary.services.verdicts.reproducing import load_kept, repeat

    application = open_application()
    with application.database.read() as session:
        kept = load_kept(session, application.keys.vault, incident, revision)
    made = repeat(kept)
    if as_json:
        print_json(
            {
                "incident": kept.incident_id,
                "revision": kept.revision,
                "created_at": kept.created_at.isoformat(),
                "rule_version": kept.rule_version,
                "same": made.is_same,
                "result": made.result,
            }
        )
    else:
        _show(f"incident {kept.incident_id} revision {kept.revision}", made.result)
        click.echo("the same as kept" if made.is_same else "NOT the same as kept")
    if not made.is_same:
        raise click.exceptions.Exit(1)


def _show_parameters(*, as_json: bool) -> None:
    from canary.bootstrap import open_application
    from canary.services.verdicts.parameters import estimate_parameters

    application = open_application()
    with application.database.read() as session:
        found = estimate_parameters(session, application.clock())
    rows = [one.to_json() for one in found]
    if not as_json:
        rows = [
            {name: f"{cell:.4g}" if isinstance(cell, float) else cell for name, cell in row.items()}
            for row in rows
        ]
    print_rows(
        rows,
        title="Parameters",
        columns=("name", "value", "low", "high", "observations", "basis"),
        json_wanted=as_json,
    )
