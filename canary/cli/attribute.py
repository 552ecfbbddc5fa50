"""The attribution engine on portable world files."""

from pathlib import Path

import click

from canary.attribution.infer import attribute_files
from canary.cli.printing import print_json


@click.command()
@click.argument("worlds", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def attribute(worlds: tuple[Path, ...], *, as_json: bool) -> None:
    """Attribute WORLD.json files, plain or .gz."""
    answers = attribute_files(list(worlds))
    if as_json:
        print_json(answers)
        return
    single = len(worlds) == 1
    for name, answer in {worlds[0].name: answers}.items() if single else answers.items():
        _show(name, answer)


def _show(name: str, answer: object) -> None:
    assert isinstance(answer, dict)
    named = ", ".join(answer["named"]) or "nobody"
    click.echo(
        f"{name}: {answer['verdict']}, named: {named}, nobody leaked: {answer['p_no_leak']:.3f}"
    )
    best = sorted(answer["posteriors"].items(), key=lambda item: -item[1])[:5]
    for code, posterior in best:
        click.echo(f"  {code}  {posterior:.4f}")
